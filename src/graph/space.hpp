#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "base/prefetch.hpp"
#include "base/row_store.hpp"
#include "diskann/distance.hpp"
#include "distance/kernels.hpp"

namespace diskann::graph {

using base::Slot;

/// A space is what the graph knows of vectors: how far a query is from stored rows. Models of one concept:
///   Query, Buffer                                     a prepared query, and the memory it needs
///   stored_query(slot, buffer)                        a stored row as the query
///   score(query, slots, count, out)                   distances to stored rows
///   score_block(query, rows, norms, first, count, out) distances to rows standing one after the other
///   exact(query, slots, count, out)                   the same, of the rows themselves: kExact says that score() is
///   that rows(), norms(), prefetch(slot), row_bytes(), neighborhood()                      the space in which to look
///   for rows that are like a row

/// The library's kernels over stored rows.
class KernelSpace {
 public:
  using Query = distance::Query;
  using Buffer = distance::QueryBuffer;
  static constexpr bool kExact = true;

  /// `norms` by slot, as distance::norms() makes them: inverse ones (cosine), the bits of squared ones (L2 over
  /// integers), else null.
  KernelSpace(Distance metric, const base::RowsView& rows, const float* norms)
      : metric_(metric),
        rows_(rows),
        norms_(norms),
        float_kernels_(&distance::kernels(metric, rows.type, VectorType::F32)),
        native_kernels_(is_integer(rows.type) ? &distance::kernels(metric, rows.type, rows.type) : float_kernels_) {}

  Distance metric() const noexcept { return metric_; }
  const base::RowsView& rows() const noexcept { return rows_; }
  const float* norms() const noexcept { return norms_; }
  const float* inverse_norms() const noexcept { return metric_ == Distance::Cosine ? norms_ : nullptr; }
  Query stored_query(Slot slot, Buffer& buffer) const {
    return buffer.prepare_stored(rows_, slot, norms_ != nullptr ? norms_[slot] : 0.0f);
  }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    kernels_for(query).many(query, rows_, norms_, slots, count, out);
  }
  void exact(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    score(query, slots, count, out);
  }
  void score_block(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first,
                   std::size_t count, float* out) const {
    kernels_for(query).block(query, rows, norms, first, count, out);
  }
  /// By inner product the nearest rows of nearly every row are the few of great norm, so likeness is Euclidean.
  KernelSpace neighborhood() const {
    return metric_ == Distance::InnerProduct ? KernelSpace(Distance::L2, rows_, nullptr) : *this;
  }
  /// What prefetch() fetches.
  std::size_t row_bytes() const noexcept { return rows_.stride; }
  /// Starts fetching a row; the kernel's own prefetch covers what is not yet under way.
  void prefetch(Slot slot) const noexcept { base::prefetch(rows_.row(slot), rows_.stride); }

 private:
  static bool is_integer(VectorType type) noexcept { return type == VectorType::U8 || type == VectorType::I8; }
  const distance::KernelTable& kernels_for(const Query& query) const noexcept {
    return query.form == VectorType::F32 ? *float_kernels_ : *native_kernels_;
  }

  Distance metric_;
  base::RowsView rows_;
  const float* norms_;
  const distance::KernelTable* float_kernels_;
  const distance::KernelTable* native_kernels_;
};

/// A user's distance over f32 rows. The rows of a hop are laid side by side so that the user's batch_distance is
/// called once.
class CustomSpace {
 public:
  class Buffer {
   public:
    explicit Buffer(std::size_t dimension) : query(dimension), points(kBlock * dimension) {}
    static constexpr std::size_t kBlock = 64;
    std::vector<float> query, points;
  };
  using Query = Buffer*;
  static constexpr bool kExact = true;

  CustomSpace(const DistanceFunction& function, const base::RowsView& rows) : function_(&function), rows_(rows) {}

  const base::RowsView& rows() const noexcept { return rows_; }
  const float* norms() const noexcept { return nullptr; }
  Query stored_query(Slot slot, Buffer& buffer) const {
    const auto* row = reinterpret_cast<const float*>(rows_.row(slot));
    std::copy_n(row, rows_.dimension, buffer.query.data());
    return &buffer;
  }
  void score(Query query, const Slot* slots, std::size_t count, float* out) const {
    score_rows(query, count, out, [&](std::size_t i) { return rows_.row(slots[i]); });
  }
  void exact(Query query, const Slot* slots, std::size_t count, float* out) const { score(query, slots, count, out); }
  void score_block(Query query, const base::RowsView& rows, const float*, std::size_t first, std::size_t count,
                   float* out) const {
    score_rows(query, count, out, [&](std::size_t i) { return rows.row(first + i); });
  }
  CustomSpace neighborhood() const { return *this; }
  std::size_t row_bytes() const noexcept { return rows_.stride; }
  void prefetch(Slot) const noexcept {}

 private:
  template <class RowOf>
  void score_rows(Query query, std::size_t count, float* out, const RowOf& row_of) const {
    const std::size_t dimension = rows_.dimension;
    for (std::size_t begin = 0; begin < count; begin += Buffer::kBlock) {
      const std::size_t size = std::min(Buffer::kBlock, count - begin);
      for (std::size_t i = 0; i < size; ++i)
        std::copy_n(reinterpret_cast<const float*>(row_of(begin + i)), dimension, query->points.data() + i * dimension);
      function_->batch_distance(query->query, {query->points.data(), size * dimension}, {out + begin, size});
    }
  }

  const DistanceFunction* function_;
  base::RowsView rows_;
};

}  // namespace diskann::graph
