#pragma once

#include <vector>

#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/build_incremental.hpp"
#include "graph/partition.hpp"

namespace diskann::graph {

/// A graph without a single search, after PiPNN (Rubel et al., arXiv 2602.21247): rows are carved into overlapping
/// leaves, all distances of a leaf come from dense products, each row picks a few neighbours in each of its leaves, and
/// what it gathers over all leaves is pruned. The same graph at any thread count. Throws Cancelled, OutOfMemory.
Graph build_partitioned(const KernelSpace& space, std::vector<Slot> entry_points, const BuildParameters& parameters,
                        base::ThreadTeam& team, const Execution& execution);

/// Of build_partitioned(), over rows of this type or their codes. Throws InvalidArgument where 64 bits do not hold it.
BuilderMemory partitioned_memory(std::uint64_t rows, std::size_t dimension, VectorType type, Distance metric,
                                 const BuildParameters& parameters, unsigned threads);
/// Distances that build_partitioned() is expected to compute: its time grows with them.
double partitioned_comparisons(std::uint64_t rows, std::size_t dimension);

}  // namespace diskann::graph
