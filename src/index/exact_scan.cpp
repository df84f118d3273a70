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

#include "base/row_store.hpp"
#include "distance/kernels.hpp"
#include "index/nearest_rows.hpp"

namespace diskann::index {
namespace {

/// A block this large stays in the first-level cache while a batch of queries passes over it; 256 KB, for the second
/// level, is a quarter slower for rows of 512 bytes.
constexpr std::size_t kBlockBytes = std::size_t{32} << 10;
/// Queries that share a pass over the rows.
constexpr std::size_t kBatch = 64;

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

}  // namespace

/// One thread's view of the rows: padded and aligned, a block at a time.
class ExactScan::Window {
 public:
  explicit Window(const ExactScan& scan)
      : scan_(scan),
        view_{scan.rows_.row(0), scan.rows_.stride(), scan.rows_.rows(), scan.rows_.dimension(), scan.rows_.type()},
        distances_(scan.block_rows_) {
    if (scan.layout_ == Layout::Padded) return;
    copy_ = base::RowStore(view_.type, scan.block_rows_, view_.dimension);
    view_ = copy_.view();
  }

  void load(std::size_t first, std::size_t count) {
    first_ = first;
    count_ = count;
    if (scan_.layout_ == Layout::Padded) return;
    for (std::size_t i = 0; i < count; ++i) base::copy_row(scan_.rows_, first + i, copy_.row(i));
  }
  /// Distances of the loaded rows.
  const float* compare(const distance::Query& query) {
    const float* norms = scan_.metric_ == Distance::Cosine ? scan_.inverse_norms_.data() + first_ : nullptr;
    distance::kernels(scan_.metric_, view_.type, query.form)
        .block(query, view_, norms, position(), count_, distances_.data());
    return distances_.data();
  }
  void inverse_norms(float* out) const { distance::inverse_norms(view_, position(), count_, out); }

 private:
  std::size_t position() const noexcept { return scan_.layout_ == Layout::Padded ? first_ : 0; }

  const ExactScan& scan_;
  base::RowStore copy_;
  base::RowsView view_;
  std::vector<float> distances_;
  std::size_t first_ = 0, count_ = 0;
};

/// One thread's prepared queries.
struct ExactScan::Batch {
  explicit Batch(const ExactScan& scan, std::size_t queries) : window(scan), prepared(queries) {
    buffers.reserve(queries);
    for (std::size_t i = 0; i < queries; ++i) buffers.emplace_back(scan.rows_.dimension());
  }
  void prepare(const VectorView& queries, std::size_t first, std::size_t count, VectorType type) {
    for (std::size_t i = 0; i < count; ++i) prepared[i] = buffers[i].prepare(queries.slice(first + i, 1), type);
  }

  Window window;
  std::vector<distance::QueryBuffer> buffers;
  std::vector<distance::Query> prepared;
};

ExactScan::ExactScan(VectorView rows, Distance metric, Layout layout, const Execution& execution)
    : rows_(rows), metric_(metric), layout_(layout) {
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
}

void ExactScan::check_rows(base::ThreadTeam& team) const {
  std::mutex mutex;
  std::uint64_t first_bad = kNoId;
  std::exception_ptr error;
  team.run(rows_.rows(), block_rows_, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    try {
      distance::check_finite(rows_.slice(begin, end - begin), begin);
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
  inverse_norms_ = base::HugeArray<float>(rows_.rows());
  std::vector<std::unique_ptr<Window>> windows(team.threads());
  team.run(rows_.rows(), block_rows_, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    auto& window = windows[thread];
    if (window == nullptr) window = std::make_unique<Window>(*this);
    window->load(begin, end - begin);
    window->inverse_norms(inverse_norms_.data() + begin);
  });
}

void ExactScan::check_queries(VectorView queries) const {
  if (queries.rows() == 0) return;
  if (queries.dimension() != rows_.dimension()) {
    throw Error(ErrorCode::DimensionMismatch, "the query has dimension " + std::to_string(queries.dimension()) +
                                                  ", the vectors have " + std::to_string(rows_.dimension()));
  }
  distance::check_finite(queries, 0);
}

SearchResults ExactScan::nearest(VectorView queries, std::size_t k, const Execution& execution) const {
  check_queries(queries);
  SearchResults results = empty_results(queries.rows(), k);
  const std::size_t keep = std::min(k, rows_.rows());
  if (queries.rows() == 0 || keep == 0) return results;

  // Work is cut by batches of queries and, where those are few, by parts of the rows. Parts are whole blocks, so a
  // kernel meets a row in the same surroundings at every thread count.
  base::ThreadTeam team(execution);
  const std::size_t blocks = (rows_.rows() + block_rows_ - 1) / block_rows_;
  const std::size_t batches = (queries.rows() + kBatch - 1) / kBatch;
  const std::size_t wanted = team.threads() == 1 ? 1 : (4 * team.threads() + batches - 1) / batches;
  const std::size_t parts = std::min(wanted, blocks);

  base::ProgressMeter progress(execution, "exact search", std::uint64_t{queries.rows()} * rows_.rows());
  std::vector<std::unique_ptr<Batch>> scratch(team.threads());
  std::vector<std::vector<NearestRows>> found(batches * parts);
  const auto open_parts = std::make_unique<std::atomic<std::size_t>[]>(batches);
  for (std::size_t i = 0; i < batches; ++i) open_parts[i].store(parts, std::memory_order_relaxed);

  team.run(batches * parts, 1, [&](unsigned thread, std::uint64_t item, std::uint64_t) {
    const std::size_t batch = item / parts, part = item % parts;
    const std::size_t first_query = batch * kBatch, count = std::min(kBatch, queries.rows() - first_query);
    if (scratch[thread] == nullptr) scratch[thread] = std::make_unique<Batch>(*this, std::min(kBatch, queries.rows()));
    Batch& own = *scratch[thread];
    own.prepare(queries, first_query, count, rows_.type());
    std::vector<NearestRows>& nearest = found[item];
    nearest.assign(count, NearestRows(keep));
    for (std::size_t block = part * blocks / parts; block < (part + 1) * blocks / parts; ++block) {
      base::check_cancelled(execution.cancel);
      const std::size_t first = block * block_rows_, block_size = std::min(block_rows_, rows_.rows() - first);
      own.window.load(first, block_size);
      for (std::size_t i = 0; i < count; ++i) {
        nearest[i].offer(own.window.compare(own.prepared[i]), block_size, static_cast<base::Slot>(first));
      }
      progress.add(std::uint64_t{count} * block_size);
    }
    if (open_parts[batch].fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    // The last part of a batch puts the parts together.
    const std::span<std::vector<NearestRows>> in_parts(found.data() + batch * parts, parts);
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t other = 1; other < parts; ++other) in_parts[0][i].merge(in_parts[other][i]);
      std::size_t cell = (first_query + i) * k;
      for (const graph::Candidate candidate : in_parts[0][i].finish()) {
        results.ids[cell] = graph::slot_of(candidate);
        results.distances[cell++] = graph::distance_of(candidate);
      }
    }
    for (auto& part_found : in_parts) part_found = {};
  });
  return results;
}

std::vector<Hit> ExactScan::within(VectorView query, float radius) const {
  if (std::isnan(radius)) throw Error(ErrorCode::InvalidArgument, "the radius is not a number");
  check_queries(query);
  Batch own(*this, 1);
  own.prepare(query, 0, 1, rows_.type());
  std::vector<Hit> hits;
  for (std::size_t first = 0; first < rows_.rows(); first += block_rows_) {
    const std::size_t count = std::min(block_rows_, rows_.rows() - first);
    own.window.load(first, count);
    const float* distances = own.window.compare(own.prepared[0]);
    for (std::size_t i = 0; i < count; ++i) {
      if (distances[i] <= radius) hits.push_back({first + i, distances[i] + 0.0f});  // -0 becomes 0
    }
  }
  std::sort(hits.begin(), hits.end());
  return hits;
}

}  // namespace diskann::index
