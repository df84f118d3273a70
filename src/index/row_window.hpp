#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/prefetch.hpp"
#include "base/row_store.hpp"
#include "distance/kernels.hpp"
#include "distance/tiles.hpp"

namespace diskann::index {

/// The rows of an exact search. Borrowed.
struct ScannedRows {
  VectorView rows;
  Distance metric = Distance::L2;
  bool padded = false;                   ///< rows stand as base::RowsView says and are read in place
  const float* inverse_norms = nullptr;  ///< cosine
};

/// One thread's view of the rows: padded and aligned, a block at a time, so that a large set is never held twice.
class RowWindow {
 public:
  /// Of at most `block_rows` rows at a time.
  RowWindow(const ScannedRows& scanned, std::size_t block_rows) : scanned_(scanned), view_(view_of(scanned.rows)) {
    if (scanned.padded) return;
    block_ = base::RowStore(view_.type, block_rows, view_.dimension);
    view_ = block_.view();
  }

  void load(std::size_t first, std::size_t count) {
    first_ = first;
    count_ = count;
    if (scanned_.padded) return;
    for (std::size_t i = 0; i < count; ++i) base::copy_row(scanned_.rows, first + i, block_.row(i));
  }

  /// Distances of the loaded rows.
  const float* compare(const distance::Query& query) {
    if (distances_.size() < count_) distances_.resize(count_);
    kernels(query).block(query, view_, loaded_norms(), position(), count_, distances_.data());
    return distances_.data();
  }
  /// Distances of some of the loaded rows, by their places among them; the same to the bit.
  void compare_loaded(const distance::Query& query, std::span<const std::uint32_t> positions, float* out) {
    slots_.resize(positions.size());
    for (std::size_t i = 0; i < positions.size(); ++i) slots_[i] = static_cast<base::Slot>(position() + positions[i]);
    const float* const norms = loaded_norms();
    kernels(query).many(query, view_, norms == nullptr ? nullptr : norms - position(), slots_.data(), slots_.size(),
                        out);
  }
  /// Distances of any rows, the same as compare() gives to the bit; what is loaded stays.
  void compare(const distance::Query& query, const base::Slot* slots, std::size_t count, float* out) {
    if (scanned_.padded) return kernels(query).many(query, view_, scanned_.inverse_norms, slots, count, out);
    if (some_.view().rows == 0) some_ = base::RowStore(view_.type, kSome, view_.dimension);
    for (std::size_t done = 0; done < count; done += kSome) {
      const std::size_t now = std::min(kSome, count - done);
      float norms[kSome] = {};
      const bool has_norms = scanned_.inverse_norms != nullptr;
      for (std::size_t i = 0; i < now; ++i) {
        const std::size_t ahead = std::min(done + i + kAhead, count - 1);
        base::prefetch(scanned_.rows.row(slots[ahead]), view_.stride);
        base::copy_row(scanned_.rows, slots[done + i], some_.row(i));
        if (has_norms) norms[i] = scanned_.inverse_norms[slots[done + i]];
      }
      kernels(query).block(query, some_, has_norms ? norms : nullptr, 0, now, out + done);
    }
  }

  /// The loaded rows for tiles.
  distance::TileSource source() const {
    const float* const norms = loaded_norms();
    return {view_, norms == nullptr ? nullptr : norms - position(), nullptr, position(), count_};
  }
  /// Of the loaded rows, by row from the first; null unless cosine.
  const float* loaded_norms() const noexcept {
    return scanned_.inverse_norms == nullptr ? nullptr : scanned_.inverse_norms + first_;
  }
  void compute_inverse_norms(float* out) const { distance::inverse_norms(view_, position(), count_, out); }

 private:
  static constexpr std::size_t kSome = 32;  // copied at a time
  static constexpr std::size_t kAhead = 6;  // on their way while others are copied

  static base::RowsView view_of(const VectorView& rows) {
    return {rows.row(0), rows.stride(), rows.rows(), rows.dimension(), rows.type()};
  }
  const distance::KernelTable& kernels(const distance::Query& query) const {
    return distance::kernels(scanned_.metric, view_.type, query.form);
  }
  std::size_t position() const noexcept { return scanned_.padded ? first_ : 0; }

  ScannedRows scanned_;
  base::RowStore block_;  // copies of the loaded rows, unless they are read in place
  base::RowStore some_;   // copies of any rows
  base::RowsView view_;
  std::vector<float> distances_;
  std::vector<base::Slot> slots_;
  std::size_t first_ = 0, count_ = 0;
};

/// Queries prepared for the kernels that compare one with many rows.
class QueryBatch {
 public:
  QueryBatch(std::size_t queries, std::size_t dimension) : prepared_(queries) {
    buffers_.reserve(queries);
    for (std::size_t i = 0; i < queries; ++i) buffers_.emplace_back(dimension);
  }
  void prepare(const VectorView& queries, VectorType rows) {
    count_ = queries.rows();
    for (std::size_t i = 0; i < count_; ++i) prepared_[i] = buffers_[i].prepare(queries.slice(i, 1), rows);
  }
  std::size_t size() const noexcept { return count_; }
  const distance::Query& operator[](std::size_t i) const noexcept { return prepared_[i]; }

 private:
  std::vector<distance::QueryBuffer> buffers_;
  std::vector<distance::Query> prepared_;
  std::size_t count_ = 0;
};

}  // namespace diskann::index
