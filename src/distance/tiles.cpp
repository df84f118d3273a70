#include "distance/tiles.hpp"

#include <cmath>
#include <limits>

namespace diskann::distance {

TileBlock::Layout& TileBlock::reset(std::size_t rows, std::size_t row_bytes, bool with_panels) {
  rows_ = rows;
  const std::size_t padded = padded_rows(), bytes = padded * row_bytes;
  // A quarter more than asked for, so that blocks that grow little by little seldom allocate.
  if (left_.size() < bytes) left_ = base::HugeArray<std::byte>(bytes + bytes / 4);
  if (with_panels && panels_.size() < bytes) panels_ = base::HugeArray<std::byte>(bytes + bytes / 4);
  if (terms_.size() < 4 * padded) terms_ = base::HugeArray<std::int32_t>(5 * padded);
  layout_.stride = row_bytes;
  layout_.left = left_.data();
  layout_.panels = with_panels ? panels_.data() : nullptr;
  layout_.left_terms = terms_.data();
  layout_.right_terms = terms_.data() + padded;
  layout_.scales = reinterpret_cast<float*>(terms_.data() + 2 * padded);
  layout_.norms = reinterpret_cast<float*>(terms_.data() + 3 * padded);
  return layout_;
}

float tile_error_bound(Distance metric, VectorType form, std::size_t dimension, double left_squared_norm,
                       double right_squared_norm) noexcept {
  constexpr double kUnit = 0x1p-24;  // half of the distance from 1 to the next float
  if (metric == Distance::Cosine) {
    const double terms = form == VectorType::F32 ? static_cast<double>(dimension) : 0;
    return static_cast<float>(2 * (terms + 16) * kUnit);
  }
  if (form != VectorType::F32) return 0;
  // Beyond this, partial sums could overflow. Written so that NaN is beyond.
  constexpr double kLargest = 0x1p124;
  if (!(left_squared_norm <= kLargest && right_squared_norm <= kLargest)) return std::numeric_limits<float>::infinity();
  // A sum of products is off by at most a unit for each term, relative to the sum of magnitudes, which Cauchy and
  // Schwarz bound; the direct form is at least as near. Twice, for both may be off.
  const double terms = static_cast<double>(dimension);
  const double relative = 2 * (terms + 16) * kUnit;
  const double lost = terms * 0x1p-126;  // of a norm, where squares are below the range of f32
  const double magnitude = metric == Distance::L2 ? 2 * (left_squared_norm + right_squared_norm)
                                                  : std::sqrt((left_squared_norm + lost) * (right_squared_norm + lost));
  // A term below f32's range is rounded to it, at 2^-149, or to zero below 2^-126 where the process flushes such
  // numbers; a result has at most eight such terms for each component.
  return static_cast<float>(relative * magnitude + terms * 0x1p-120);
}

}  // namespace diskann::distance
