#include "measure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "interrupt.hpp"
#include "session.hpp"

namespace diskann::cli {
namespace {

Execution batch_execution(const Workload& workload) {
  Execution execution;
  execution.threads = workload.threads;
  execution.cancel = &interrupt_token();
  return execution;
}

/// One pass over the queries in one batch; returns its seconds.
double run_batch(const Workload& workload, const SearchParameters& parameters, SearchResults& results,
                 DiskStatistics& statistics) {
  const Execution execution = batch_execution(workload);
  const auto start = std::chrono::steady_clock::now();
  results = workload.index->search_batch(workload.queries, workload.k, parameters, execution, statistics);
  return seconds_since(start);
}

Latency run_single(const Workload& workload, const SearchParameters& parameters, DiskStatistics& statistics) {
  const std::size_t queries = workload.queries.rows();
  std::vector<Hit> hits(std::min<std::uint64_t>(workload.k, workload.index->size()));
  std::vector<double> samples;
  samples.reserve(queries * workload.rounds);
  const std::size_t warm = std::min<std::size_t>(queries, 100);
  for (std::size_t q = 0; q < warm; ++q)
    workload.index->search_into(workload.queries.slice(q, 1), hits, parameters, statistics);
  statistics = {};
  for (std::uint32_t round = 0; round < workload.rounds; ++round) {
    throw_if_interrupted();
    for (std::size_t q = 0; q < queries; ++q) {
      const auto start = std::chrono::steady_clock::now();
      workload.index->search_into(workload.queries.slice(q, 1), hits, parameters, statistics);
      samples.push_back(seconds_since(start) * 1e6);
    }
  }
  return summarize_latency(samples);
}

double recall_of(const Workload& workload, const SearchResults& results) {
  return workload.index->recall(workload.queries, results, *workload.truth, workload.k);
}

/// A recall of 0.95 is a sum of tenths, and may come out a hair below.
constexpr double kRounding = 1e-9;

double recall_with(const Workload& workload, std::uint32_t search_list_size) {
  SearchResults results;
  DiskStatistics statistics;
  run_batch(workload, {search_list_size}, results, statistics);
  return recall_of(workload, results);
}

}  // namespace

Throughput summarize_throughput(std::vector<double> qps) {
  std::sort(qps.begin(), qps.end());
  const std::size_t n = qps.size();
  Throughput summary;
  summary.median = n % 2 == 1 ? qps[n / 2] : (qps[n / 2 - 1] + qps[n / 2]) / 2;
  summary.mean = std::accumulate(qps.begin(), qps.end(), 0.0) / static_cast<double>(n);
  summary.best = qps.back();
  double squares = 0;
  for (const double value : qps) squares += (value - summary.mean) * (value - summary.mean);
  summary.deviation = n > 1 ? std::sqrt(squares / static_cast<double>(n - 1)) : 0;
  return summary;
}

Measurement measure(const Workload& workload, std::uint32_t search_list_size) {
  const SearchParameters parameters{search_list_size};
  const auto queries = static_cast<double>(workload.queries.rows());
  Measurement measurement;
  // The list that was walked with: never shorter than the hits asked for.
  measurement.search_list_size = static_cast<std::uint32_t>(
      std::max<std::uint64_t>(search_list_size, std::min<std::uint64_t>(workload.k, workload.index->size())));
  DiskStatistics statistics;
  for (std::uint32_t pass = 0; pass < workload.warmup; ++pass) {
    run_batch(workload, parameters, measurement.results, statistics);
  }
  std::vector<double> qps;
  const std::uint32_t rounds = workload.throughput ? workload.rounds : 1;
  for (std::uint32_t round = 0; round < rounds; ++round) {
    statistics = {};
    measurement.seconds = run_batch(workload, parameters, measurement.results, statistics);
    qps.push_back(queries / measurement.seconds);
  }
  double searches = queries;
  if (workload.throughput) measurement.qps = summarize_throughput(std::move(qps));
  if (workload.latency) {
    DiskStatistics of_singles;
    measurement.latency = run_single(workload, parameters, of_singles);
    if (!workload.throughput) {  // on a drive single queries have more reads under way than those of a batch
      statistics = of_singles;
      searches *= workload.rounds;
    }
  }
  measurement.hops = static_cast<double>(statistics.walk.hops) / searches;
  measurement.distance_computations = static_cast<double>(statistics.walk.distance_computations) / searches;
  measurement.reads = static_cast<double>(statistics.reads) / searches;
  measurement.bytes_read = static_cast<double>(statistics.bytes) / searches;
  measurement.waits = static_cast<double>(statistics.waits) / searches;
  if (workload.truth != nullptr) measurement.recall = recall_of(workload, measurement.results);
  return measurement;
}

std::uint32_t smallest_search_list(const Workload& workload, double target) {
  // Lists longer than the index find nothing more.
  const auto longest = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(workload.index->size(), 1, 100'000));
  auto low = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(workload.k, 1, longest));  // shortest that counts
  std::uint32_t high = low;
  while (true) {
    const double recall = recall_with(workload, high);
    if (recall >= target - kRounding) break;
    if (high == longest) {
      throw Error(
          ErrorCode::InvalidArgument,
          fmt::format("--target-recall {} is not reached: a search list of {} has recall {:.4f}", target, high, recall),
          "ask for less, or build with a larger --max-degree or --search-list-size");
    }
    low = high + 1;
    high = static_cast<std::uint32_t>(std::min<std::uint64_t>(std::uint64_t{high} * 2, longest));
  }
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (recall_with(workload, middle) >= target - kRounding) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return high;
}

}  // namespace diskann::cli
