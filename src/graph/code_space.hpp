#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "distance/nibbles.hpp"
#include "distance/planes.hpp"
#include "graph/space.hpp"
#include "quantization/nibble_codes.hpp"
#include "quantization/plane_codes.hpp"
#include "quantization/product_codes.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::graph {

/// Codes of rows, as walks compare them with a query. What the makers below are given must outlive them.
class WalkCodes {
 public:
  /// Of these each kind of codes fills in one.
  struct Query {
    distance::Query row;
    distance::NibbleQuery nibbles;
    distance::PlaneQuery planes;
    const float* tables = nullptr;  ///< of products: a number for each chunk and centroid
    /// Of lvq what a component of `row` stands for and what all add up to; of it and of products the weight of what
    /// each row adds.
    float step = 0, sum = 0, weight = 1;
    /// What a score says of the distance: offset + factor * score.
    float offset = 0, factor = 1;
  };
  /// Memory of one query, for rows of `dimension` components.
  struct Buffer {
    explicit Buffer(std::size_t dimension)
        : code(dimension),
          values(base::round_up(dimension, distance::kNibblesInLine)),
          seen(values.size() + distance::kNibblesInLine),  // codes of others may see one more
          scratch(values.size()),
          whole(values.size()),
          coded(distance::kBytesInLine + values.size()) {}
    distance::QueryBuffer code;
    base::HugeArray<float> values, seen;  ///< components; what codes see of them
    base::HugeArray<float> scratch;
    base::HugeArray<std::int8_t> whole, coded;  ///< the same in 8 bits
    base::HugeArray<float> tables;              ///< as large as the first query wants them
  };

  explicit WalkCodes(const base::RowsView& rows) : rows_(rows) {}
  virtual ~WalkCodes() = default;
  /// `values` in the buffer are the query's; `inverse_norm` for cosine.
  virtual Query prepare(std::size_t dimension, float inverse_norm, Buffer& buffer) const = 0;
  /// Numbers that put rows in the order of their distances, nearly.
  virtual void score(const Query& query, const Slot* slots, std::size_t count, float* out) const = 0;
  /// The row that a code stands for: of length 1 by cosine, and by inner product where the length is kept apart (sq8,
  /// sq4, mix).
  virtual void decode(Slot slot, float* values) const = 0;
  const base::RowsView& rows() const noexcept { return rows_; }

 private:
  base::RowsView rows_;
};

/// Rows of a float type, or on a grid of 8 bits.
/// `longest`: length of the longest row, of a grid by inner product.
std::shared_ptr<const WalkCodes> scalar_walk(Distance metric, const KernelSpace& codes,
                                             const std::optional<quantization::Grid>& grid, float longest);
/// Codes on a NibbleGrid with what they add to products or multiply them with.
std::shared_ptr<const WalkCodes> nibble_walk(Distance metric, const base::RowsView& codes,
                                             const quantization::NibbleGrid& grid, const float* norms);
/// Codes in planes with their pairs of factors.
std::shared_ptr<const WalkCodes> plane_walk(Distance metric, const base::RowsView& codes,
                                            const quantization::PlaneGrid& grid, const float* factors);
/// Codes of I8 with three factors: what is added, and what multiplies products and the sum of a query.
std::shared_ptr<const WalkCodes> lvq_walk(Distance metric, const base::RowsView& codes, const std::vector<float>& mean,
                                          const float* factors);

/// Codes of chunks: by L2 and cosine with a factor that is added, by inner product also one to multiply with.
std::shared_ptr<const WalkCodes> product_walk(Distance metric, const base::RowsView& codes,
                                              const quantization::ProductGrid& grid, const float* factors);

/// Rows that are walked by codes: those put candidates in order, and the rows themselves say at the end how far each
/// is. For searches alone: no stored row can be the query.
class CodeSpace {
 public:
  struct Query {
    WalkCodes::Query code;
    distance::Query row;
  };
  struct Buffer {
    explicit Buffer(std::size_t dimension) : code(dimension), row(dimension) {}
    WalkCodes::Buffer code;
    distance::QueryBuffer row;
  };
  static constexpr bool kExact = false;

  CodeSpace(const KernelSpace& rows, std::shared_ptr<const WalkCodes> codes) : rows_(rows), codes_(std::move(codes)) {}

  const base::RowsView& rows() const noexcept { return rows_.rows(); }
  const float* norms() const noexcept { return rows_.norms(); }
  Query prepare(const VectorView& query, Buffer& buffer) const;
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    codes_->score(query.code, slots, count, out);
  }
  void exact(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    rows_.score(query.row, slots, count, out);
  }
  void prefetch_exact(Slot slot) const noexcept { rows_.prefetch(slot); }
  void score_block(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first,
                   std::size_t count, float* out) const {
    rows_.score_block(query.row, rows, norms, first, count, out);
  }
  KernelSpace neighborhood() const { return rows_.neighborhood(); }
  std::size_t row_bytes() const noexcept { return codes_->rows().stride; }
  void prefetch(Slot slot) const noexcept { base::prefetch_unaligned(codes_->rows().row(slot), codes_->rows().stride); }

 private:
  KernelSpace rows_;
  std::shared_ptr<const WalkCodes> codes_;
};

/// Codes whose rows are not there: what they say is how far each is.
class LoneCodeSpace {
 public:
  using Query = WalkCodes::Query;
  using Buffer = CodeSpace::Buffer;
  static constexpr bool kExact = true;

  /// `shape` has no data.
  LoneCodeSpace(Distance metric, const base::RowsView& shape, std::shared_ptr<const WalkCodes> codes)
      : metric_(metric), shape_(shape), codes_(std::move(codes)) {}

  const base::RowsView& rows() const noexcept { return shape_; }
  const float* norms() const noexcept { return nullptr; }
  Query prepare(const VectorView& query, Buffer& buffer) const;
  /// Estimates, which may lie below what distances can be: they are in order there too.
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const;
  /// The distance that is nearest to an estimate.
  float distance(float estimate) const noexcept;
  void exact(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    score(query, slots, count, out);
  }
  void score_block(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first,
                   std::size_t count, float* out) const;
  std::size_t row_bytes() const noexcept { return codes_->rows().stride; }
  void prefetch(Slot slot) const noexcept { base::prefetch_unaligned(codes_->rows().row(slot), codes_->rows().stride); }

  /// Rows as their codes say, by L2: for the few entry points.
  class Decoded {
   public:
    using Query = const float*;
    struct Buffer {
      explicit Buffer(std::size_t) {}
    };
    Decoded(std::size_t dimension, const WalkCodes& codes) : dimension_(dimension), codes_(&codes) {}
    Query stored_query(Slot slot, Buffer&) const { return row(slot).data(); }
    void score(Query query, const Slot* slots, std::size_t count, float* out) const;

   private:
    const std::vector<float>& row(Slot slot) const;

    std::size_t dimension_;
    const WalkCodes* codes_;
    mutable std::unordered_map<Slot, std::vector<float>> rows_;  // each is wanted many times
  };
  Decoded neighborhood() const { return {shape_.dimension, *codes_}; }

 private:
  Distance metric_;
  base::RowsView shape_;
  std::shared_ptr<const WalkCodes> codes_;
};

}  // namespace diskann::graph
