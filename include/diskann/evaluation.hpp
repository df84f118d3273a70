#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diskann/index.hpp"
#include "diskann/types.hpp"

namespace diskann {

/// Exact k nearest base rows of every query, sorted by (distance, id); ids are row numbers.
DISKANN_EXPORT SearchResults compute_ground_truth(VectorView base, VectorView queries, Distance metric, std::size_t k,
                                                  const Execution& execution = {});

/// recall@k averaged over queries: share of the first k found hits whose distance is not larger than that of the k-th
/// true neighbour, each id counted once. Ties count by distance where both sides have distances of the same meaning,
/// else an id counts if it is among the true ids up to the last tie with the k-th.
DISKANN_EXPORT double recall_at(const SearchResults& found, const SearchResults& truth, std::size_t k);
/// Same, where the distances of the truth are computed from the index, whatever convention the truth file follows.
DISKANN_EXPORT double recall_at(const Index& index, VectorView queries, const SearchResults& found,
                                const SearchResults& truth, std::size_t k);

/// Latencies of single queries in microseconds.
struct Latency {
  double mean = 0, p50 = 0, p95 = 0, p99 = 0, p999 = 0;
};
/// Summary of measured microseconds; the order of `samples` changes.
DISKANN_EXPORT Latency summarize_latency(std::vector<double>& samples);

/// Clustered synthetic vectors.
struct SyntheticOptions {
  std::uint64_t rows = 10'000;
  std::uint32_t dimension = 128;
  VectorType type = VectorType::F32;
  std::uint32_t clusters = 100;
  float spread = 0.1f;  ///< standard deviation inside a cluster; the centres are uniform in a unit cube
  std::uint64_t seed = 42;
};
struct SyntheticSet {
  VectorSet vectors;                  ///< 8-bit types are scaled to their range
  std::vector<std::uint32_t> labels;  ///< cluster of each row
};
/// The same options give the same vectors on every machine.
DISKANN_EXPORT SyntheticSet generate_clustered(const SyntheticOptions& options, const Execution& execution = {});

/// What a look at every row finds.
struct VectorStatistics {
  double smallest = 0, largest = 0, mean = 0, standard_deviation = 0;
  double smallest_norm = 0, largest_norm = 0, mean_norm = 0;
  std::uint64_t zero_vectors = 0;
  std::uint64_t duplicates = 0;  ///< rows equal to an earlier row
  std::uint64_t not_finite = 0;  ///< rows with NaN or infinity
  std::uint64_t first_not_finite_row = kNoId;
  bool integral = false;  ///< every component is an integer
};
DISKANN_EXPORT VectorStatistics analyze_vectors(VectorView vectors, const Execution& execution = {});

}  // namespace diskann
