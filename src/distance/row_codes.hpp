#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/huge_array.hpp"
#include "base/row_store.hpp"
#include "distance/tiles.hpp"

namespace diskann::distance {

/// What is known of a row x and its code: code * step is x but for an error.
struct CodedRow {
  float step = 0;
  float squared_norm = 0;
  float length = 0;  ///< |x| at most
  float error = 0;   ///< length of x - code * step, at most
};

/// The same of many rows, each figure for all of them.
struct CodedSide {
  const float *terms, *steps, *lengths, *errors;
};
/// What one row brings to its products with those.
struct CodedQuery {
  float term, scale, length, error, rest;
};

/// The work on codes of one instruction set.
struct CodeKernels {
  /// The code of (row - center) * scale, and what is known of that. The row is padded, of f32 or f16; `values` has room
  /// for its components, `code` for as many, both for whole multiples of 16.
  CodedRow (*encode)(const std::byte* row, std::size_t dimension, const float* center, float scale, float* values,
                     std::int8_t* code);
  /// products[j] = term + terms[j] + scale * steps[j] * products[j] - (length * errors[j] + error * lengths[j]) - rest,
  /// for whole multiples of 16.
  void (*finish)(const CodedSide& rows, std::size_t columns, const CodedQuery& query, float* products);
};
/// For f32 or f16.
const CodeKernels& code_kernels(VectorType rows);

/// Rows of floats as bytes, each on a symmetric grid of its own, for products of bytes in place of products of floats
/// (tiles of I8 rows by inner product). What a product loses is bounded (Cauchy and Schwarz):
///   |<a, b> - <a', b'>| <= |a| |b - b'| + |a - a'| |b'|
class RowCodes {
 public:
  /// Whether that is faster here, where every row is compared with many.
  static bool pay(VectorType rows, std::size_t dimension);

  /// Of products of codes.
  static const TileKernels& tiles() { return distance::tiles(Distance::InnerProduct, VectorType::I8, VectorType::I8); }

  explicit RowCodes(Distance metric) : metric_(metric) {}

  /// Rows as tiles lay them out: less their centre (L2), of length 1 (cosine).
  void encode(const TileSource& source);
  /// The codes, for tiles.
  TileSource codes() const { return {codes_, nullptr, nullptr, 0, rows_.size()}; }
  const CodedRow& operator[](std::size_t i) const noexcept { return rows_[i]; }

  /// Makes products of these rows' codes with that of `left`, as tiles by inner product give them, to distances less
  /// what codes may have lost, `rounding` among that: the direct kernels find none that is nearer. `products` is as
  /// long as whole panels.
  void finish(const CodedRow& left, float rounding, float* products) const;
  /// How far floats may round the distances of any row here; infinity where there is no telling.
  float rounding(const CodedRow& left) const noexcept;

 private:
  Distance metric_;
  base::RowStore codes_;
  std::vector<CodedRow> rows_;
  float largest_squared_norm_ = 0;
  std::vector<float> terms_, steps_, lengths_, errors_;  // of each row, up to whole panels
  std::vector<float> values_;
};

}  // namespace diskann::distance
