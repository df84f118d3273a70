#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "diskann/evaluation.hpp"
#include "diskann/index.hpp"
#include "diskann/types.hpp"
#include "searched.hpp"

namespace diskann::cli {

/// What is searched, and how it is timed.
struct Workload {
  const Searched* index = nullptr;
  VectorView queries;
  const SearchResults* truth = nullptr;  ///< may be null: no recall then
  std::uint64_t k = 10;
  unsigned threads = 0;
  std::uint32_t rounds = 3;  ///< timed passes
  std::uint32_t warmup = 1;  ///< passes before, not timed
  bool throughput = true;
  bool latency = true;
};

/// Queries a second of each round.
struct Throughput {
  double median = 0, mean = 0, deviation = 0, best = 0;
};

/// One search list size, measured.
struct Measurement {
  std::uint32_t search_list_size = 0;
  double seconds = 0;  ///< of the last pass in one batch
  std::optional<double> recall;
  std::optional<Throughput> qps;
  std::optional<Latency> latency;  ///< one query at a time on one thread
  double hops = 0;                 ///< a query
  double distance_computations = 0;
  double reads = 0, bytes_read = 0, waits = 0;  ///< a query, of an index on a drive
  SearchResults results;                        ///< of the last pass
};

Measurement measure(const Workload& workload, std::uint32_t search_list_size);

/// The smallest search list that reaches `target` recall; InvalidArgument where none does.
std::uint32_t smallest_search_list(const Workload& workload, double target);

Throughput summarize_throughput(std::vector<double> qps);

}  // namespace diskann::cli
