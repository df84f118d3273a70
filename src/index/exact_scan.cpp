#include "index/exact_scan.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "distance/kernels.hpp"
#include "index/dense_scan.hpp"
#include "index/nearest_rows.hpp"

namespace diskann::index {
namespace {

/// A block this large stays in the first-level cache while a batch of queries passes over it; 256 KB, for the second
/// level, is a quarter slower for rows of 512 bytes.
constexpr std::size_t kBlockBytes = std::size_t{32} << 10;

SearchResults empty_results(std::size_t rows, std::size_t k) {
  const std::uint64_t cells = base::checked_multiply(rows, k, "results", ErrorCode::OutOfMemory);
  SearchResults results{rows, k, {}, {}};
  try {
    results.ids.assign(cells, kNoId);
    results.distances.assign(cells, std::numeric_limits<float>::infinity());
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(ErrorCode::OutOfMemory,
                "cannot allocate results of " + std::to_string(rows) + " queries x " + std::to_string(k) + " hits",
                "ask for fewer hits");
  }
  return results;
}

/// Compares one query after the other with a block of rows by the direct kernels.
class DirectScan {
 public:
  DirectScan(const ScannedRows& scanned, std::size_t block_rows, std::size_t queries)
      : type_(scanned.rows.type()), window_(scanned, block_rows), queries_(queries, scanned.rows.dimension()) {}

  void prepare(const VectorView& queries) { queries_.prepare(queries, type_); }
  void compare(std::size_t first, std::size_t count, std::span<NearestRows> nearest) {
    window_.load(first, count);
    for (std::size_t i = 0; i < queries_.size(); ++i)
      nearest[i].offer(window_.compare(queries_[i]), count, static_cast<base::Slot>(first));
  }
  void settle(std::span<NearestRows>) {}  // its distances are exact

 private:
  VectorType type_;
  RowWindow window_;
  QueryBatch queries_;
};

}  // namespace

ExactScan::ExactScan(VectorView rows, Distance metric, Layout layout, const Execution& execution)
    : scanned_{rows, metric, layout == Layout::Padded, nullptr} {
  if (metric == Distance::Custom) {
    throw Error(ErrorCode::InvalidArgument, "exact search has no user-defined distance", "use l2, cosine or ip");
  }
  if (rows.rows() == 0 || rows.dimension() == 0) {
    throw Error(ErrorCode::InvalidArgument, "empty input: " + std::to_string(rows.rows()) + " vectors of dimension " +
                                                std::to_string(rows.dimension()));
  }
  if (rows.dimension() > base::kMaxDimension) {
    throw Error(ErrorCode::InvalidArgument, "dimension " + std::to_string(rows.dimension()) +
                                                " is above the limit of " + std::to_string(base::kMaxDimension));
  }
  if (rows.rows() > base::kMaxSlots) {
    throw Error(ErrorCode::InvalidArgument,
                std::to_string(rows.rows()) + " vectors are above the limit of " + std::to_string(base::kMaxSlots));
  }
  block_rows_ = std::max<std::size_t>(16, kBlockBytes / base::row_stride(rows.type(), rows.dimension()));
  base::ThreadTeam team(execution);
  check_rows(team);
  if (metric == Distance::Cosine) compute_norms(team);
  center_ = DenseScan::find_center(scanned_);
}

void ExactScan::check_rows(base::ThreadTeam& team) const {
  std::mutex mutex;
  std::uint64_t first_bad = kNoId;
  std::exception_ptr error;
  team.run(rows().rows(), block_rows_, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    try {
      distance::check_finite(rows().slice(begin, end - begin), begin);
    } catch (const Error&) {
      // Kept, not thrown: which row is named must not depend on which thread is first.
      std::lock_guard lock(mutex);
      if (begin >= first_bad) return;
      first_bad = begin;
      error = std::current_exception();
    }
  });
  if (error != nullptr) std::rethrow_exception(error);
}

void ExactScan::compute_norms(base::ThreadTeam& team) {
  inverse_norms_ = base::HugeArray<float>(rows().rows());
  std::vector<std::unique_ptr<RowWindow>> windows(team.threads());
  team.run(rows().rows(), block_rows_, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    auto& window = windows[thread];
    if (window == nullptr) window = std::make_unique<RowWindow>(scanned_, block_rows_);
    window->load(begin, end - begin);
    window->compute_inverse_norms(inverse_norms_.data() + begin);
  });
  scanned_.inverse_norms = inverse_norms_.data();
}

void ExactScan::check_queries(VectorView queries) const {
  if (queries.rows() == 0) return;
  if (queries.dimension() != rows().dimension()) {
    throw Error(ErrorCode::DimensionMismatch, "the query has dimension " + std::to_string(queries.dimension()) +
                                                  ", the vectors have " + std::to_string(rows().dimension()));
  }
  distance::check_finite(queries, 0);
}

SearchResults ExactScan::nearest(VectorView queries, std::size_t k, const Execution& execution) const {
  check_queries(queries);
  SearchResults results = empty_results(queries.rows(), k);
  if (queries.rows() == 0 || k == 0) return results;
  if (queries.rows() < DenseScan::kLeastQueries) {
    search<DirectScan>({queries.rows(), block_rows_}, queries, results, execution, scanned_, block_rows_);
  } else {
    search<DenseScan>({DenseScan::most_queries(scanned_), DenseScan::block_rows(scanned_)}, queries, results, execution,
                      scanned_, center_);
  }
  return results;
}

/// Scan: one thread's way to compare a batch of queries with blocks of rows; made from `arguments` and how many queries
/// a batch has.
template <class Scan, class... Arguments>
void ExactScan::search(const Shape& shape, VectorView queries, SearchResults& results, const Execution& execution,
                       const Arguments&... arguments) const {
  // Work is cut by batches of queries and, where those are few, by parts of the rows.
  base::ThreadTeam team(execution);
  const std::size_t keep = std::min(results.k, rows().rows());
  const std::size_t blocks = (rows().rows() + shape.rows - 1) / shape.rows;
  const std::size_t fewest = (queries.rows() + shape.queries - 1) / shape.queries;
  const std::size_t batch_size = (queries.rows() + fewest - 1) / fewest;  // alike, so that none is small
  const std::size_t batches = (queries.rows() + batch_size - 1) / batch_size;
  const std::size_t wanted = team.threads() == 1 ? 1 : (4 * team.threads() + batches - 1) / batches;
  const std::size_t parts = std::min(wanted, blocks);

  base::ProgressMeter progress(execution, "exact search", std::uint64_t{queries.rows()} * rows().rows());
  std::vector<std::unique_ptr<Scan>> scans(team.threads());
  std::vector<std::vector<NearestRows>> found(batches * parts);
  const auto open_parts = std::make_unique<std::atomic<std::size_t>[]>(batches);
  for (std::size_t i = 0; i < batches; ++i) open_parts[i].store(parts, std::memory_order_relaxed);

  team.run(batches * parts, 1, [&](unsigned thread, std::uint64_t item, std::uint64_t) {
    const std::size_t batch = item / parts, part = item % parts;
    const std::size_t first_query = batch * batch_size;
    const std::size_t count = std::min(batch_size, queries.rows() - first_query);
    if (scans[thread] == nullptr) scans[thread] = std::make_unique<Scan>(arguments..., batch_size);
    Scan& scan = *scans[thread];
    scan.prepare(queries.slice(first_query, count));
    std::vector<NearestRows>& nearest = found[item];
    nearest.assign(count, NearestRows(keep));
    for (std::size_t block = part * blocks / parts; block < (part + 1) * blocks / parts; ++block) {
      base::check_cancelled(execution.cancel);
      const std::size_t first = block * shape.rows, block_size = std::min(shape.rows, rows().rows() - first);
      scan.compare(first, block_size, nearest);
      progress.add(std::uint64_t{count} * block_size);
    }
    scan.settle(nearest);
    if (open_parts[batch].fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    // The last part of a batch puts the parts together.
    const std::span<std::vector<NearestRows>> in_parts(found.data() + batch * parts, parts);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t other = 1; other < parts; ++other) in_parts[0][i].merge(in_parts[other][i]);
      std::size_t cell = (first_query + i) * results.k;
      for (const graph::Candidate candidate : in_parts[0][i].finish()) {
        results.ids[cell] = graph::slot_of(candidate);
        results.distances[cell++] = graph::distance_of(candidate);
      }
    }
    for (auto& part_found : in_parts) part_found = {};
  });
}

std::vector<Hit> ExactScan::within(VectorView query, float radius) const {
  if (std::isnan(radius)) throw Error(ErrorCode::InvalidArgument, "the radius is not a number");
  check_queries(query);
  QueryBatch prepared(1, rows().dimension());
  prepared.prepare(query, rows().type());
  RowWindow window(scanned_, block_rows_);
  std::vector<Hit> hits;
  for (std::size_t first = 0; first < rows().rows(); first += block_rows_) {
    const std::size_t count = std::min(block_rows_, rows().rows() - first);
    window.load(first, count);
    const float* distances = window.compare(prepared[0]);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] <= radius) hits.push_back({first + i, distances[i] + 0.0f});  // -0 becomes 0
    }
  }
  std::sort(hits.begin(), hits.end());
  return hits;
}

}  // namespace diskann::index
