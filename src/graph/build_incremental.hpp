#pragma once

#include <algorithm>
#include <vector>

#include "base/adjacency.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// What every builder returns: any graph goes with any index and any file, whichever builder made it.
struct Graph {
  base::Adjacency adjacency;       ///< stride: max_degree rounded up to whole cache lines
  std::vector<Slot> entry_points;  ///< the medoid first; every node is reachable from it
  GraphBuilder builder = GraphBuilder::Incremental;
};

/// Room for neighbours in a finished row.
constexpr std::uint32_t row_slots(std::uint32_t max_degree) noexcept {
  return static_cast<std::uint32_t>(base::round_up(max_degree, 16));
}
/// Room while a graph grows: slack for reverse edges that are pruned later, many at a time.
constexpr std::uint32_t growing_row_slots(std::uint32_t max_degree) noexcept {
  const auto slots = static_cast<std::uint32_t>(base::round_up(max_degree + max_degree / 8, 8));
  return std::max(slots, row_slots(max_degree));
}

/// Bytes that a builder takes at its peak beside the rows.
struct BuilderMemory {
  std::uint64_t graph = 0;    ///< rows of neighbours with the room that they have while the graph grows
  std::uint64_t scratch = 0;  ///< all else
};

/// Batch-synchronous incremental Vamana, after ParlayANN (Manohar et al., PPoPP 2024): points come in a random order,
/// in batches that double up to a fiftieth of all; each point of a batch is searched for in the graph as it was before
/// the batch and pruned, then the reverse edges are grouped by target. No locks, and the same graph at any thread
/// count. Throws Cancelled, OutOfMemory.
template <class Space>
Graph build_incremental(const Space& space, std::vector<Slot> entry_points, const BuildParameters& parameters,
                        base::ThreadTeam& team, const Execution& execution);

/// Of build_incremental(). Throws InvalidArgument where 64 bits do not hold it.
BuilderMemory incremental_memory(std::uint64_t rows, const BuildParameters& parameters, unsigned threads);

extern template Graph build_incremental(const KernelSpace&, std::vector<Slot>, const BuildParameters&,
                                        base::ThreadTeam&, const Execution&);
extern template Graph build_incremental(const CustomSpace&, std::vector<Slot>, const BuildParameters&,
                                        base::ThreadTeam&, const Execution&);

}  // namespace diskann::graph
