#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
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
/// Same, where the distances of the truth are computed from the index, whatever convention the truth file follows; of
/// an index without vectors by ids.
DISKANN_EXPORT double recall_at(const Index& index, VectorView queries, const SearchResults& found,
                                const SearchResults& truth, std::size_t k);

/// Latencies of single queries in microseconds.
struct Latency {
  double mean = 0, p50 = 0, p95 = 0, p99 = 0, p999 = 0;
};
/// Summary of measured microseconds; the order of `samples` changes.
DISKANN_EXPORT Latency summarize_latency(std::vector<double>& samples);

/// What becomes of the rows of a synthetic set. A row is drawn as the centre of its cluster plus `spread` times normal
/// numbers (within ±6). Of sets that lie about the origin, 1/2 is taken from every component of the centres.
enum class SyntheticShape : std::uint8_t {
  Plain,       ///< as drawn; with clusters, in and around the unit cube, without them about the origin
  Unit,        ///< about the origin, divided by its length
  LogNormal,   ///< about the origin, times exp(0.7 z) with a normal number z for each row; queries stay as drawn
  Decay,       ///< about the origin, component j of 0, 1, … times (j + 1)^-0.75
  Outliers,    ///< about the origin; of 20 rows 19, by chance, are divided by 32: a dense blob, few rows far from it
  Duplicates,  ///< as Plain, but row i is equal to row i mod ceil(rows / 100); queries repeat nothing
};
/// "plain", "unit", "lognormal", "decay", "outliers" or "duplicates".
DISKANN_EXPORT std::string_view to_string(SyntheticShape shape) noexcept;
/// InvalidArgument for anything else.
DISKANN_EXPORT SyntheticShape parse_synthetic_shape(std::string_view name);

/// Synthetic vectors: clustered, or without structure.
struct SyntheticOptions {
  std::uint64_t rows = 10'000;
  std::uint32_t dimension = 128;
  VectorType type = VectorType::F32;
  std::uint32_t clusters = 100;  ///< 0: none, the origin is the centre of all rows
  /// Standard deviation inside a cluster, at most 1000 (f16 and LogNormal: 100); centres are uniform in a unit cube.
  float spread = 0.1f;
  std::uint64_t seed = 42;
  SyntheticShape shape = SyntheticShape::Plain;
  std::uint64_t queries = 0;  ///< drawn after the rows, from the same clusters
};
/// 8-bit types are scaled to their range, and what lies beyond is clamped. Plain and Duplicates with clusters: the
/// range is the unit cube. Else it is -4 to 4 standard deviations of a component before the row is shaped (Unit: after
/// that; LogNormal: -16 to 16), with the origin at 0 of i8 and 128 of u8.
struct SyntheticSet {
  VectorSet vectors;
  std::vector<std::uint32_t> labels;  ///< cluster of each row, 0 without clusters
  VectorSet queries;
};
/// The same options give the same vectors on every machine.
DISKANN_EXPORT SyntheticSet generate_clustered(const SyntheticOptions& options, const Execution& execution = {});

/// What is asked of an index, and how well it must answer.
struct QualityOptions {
  std::size_t queries = 1000;  ///< so many stored rows are searched for, drawn by `seed`
  std::size_t k = 10;
  double recall = 0.95;  ///< above 0, at most 1
  std::uint64_t seed = 42;
};
/// How well an index finds, and at what cost.
struct QualityReport {
  std::size_t queries = 0;             ///< fewer than asked for where the index holds fewer rows
  std::uint64_t duplicates = 0;        ///< points equal to another, beyond the first of each
  double self_recall = 0;              ///< share of the rows whose nearest is found with a list of k
  std::uint32_t search_list_size = 0;  ///< the smallest that reaches the recall, else 1000, or k where it is more
  double recall = 0;                   ///< recall@k with that list
  double hops = 0;                     ///< a query, with that list
  double distance_computations = 0;    ///< same
};
/// Compares searches for stored rows with exact ones. Unsupported for a user's distance.
DISKANN_EXPORT QualityReport measure_quality(const Index& index, const QualityOptions& options = {},
                                             const Execution& execution = {});

/// A build and how long it took: indexing alone, with the rows in memory.
struct TimedBuild {
  std::uint64_t rows = 0;
  double comparisons = 0;  ///< BuildEstimate::comparisons of it; 0 where the graph was built incrementally
  double seconds = 0;
};
/// Seconds of a larger build by those of smaller ones of the same kind, the largest last. Partitioned: in proportion to
/// the comparisons. Incremental: in proportion to the rows times what a row takes, which grows with the logarithm of
/// their number, as fast as it did over the last three builds. 0 where nothing was timed.
DISKANN_EXPORT double predict_build_seconds(std::span<const TimedBuild> timed, const TimedBuild& wanted);

/// Where rows come from that are like those an index is to be built of.
struct RowSample {
  std::function<VectorSet(std::uint64_t rows)> draw;  ///< so many
  std::uint64_t most = kNoId;                         ///< there are no more
};
/// What builds of samples say about a build of all rows.
struct BuildTime {
  double seconds = 0;
  std::vector<TimedBuild> samples;    ///< the smallest first; all rows at the end where they are few
  VectorType type = VectorType::F32;  ///< as which the last of them was stored
  bool fell_back = false;             ///< the last was built incrementally though partitioned was wanted
};
/// Builds ever larger samples, three times the rows of the one before, as long as there are rows and all that is likely
/// to take no longer than `sampling_seconds`, though one of 1,000 to 3,000 rows in any case. `builder` is left with the
/// choice of builder that all rows would get; its ids must not be set.
DISKANN_EXPORT BuildTime measure_build_time(IndexBuilder& builder, std::uint64_t rows, std::size_t dimension,
                                            VectorType type, const RowSample& sample, double sampling_seconds = 5);

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
