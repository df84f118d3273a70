// Rows of floats in 8 bits.
#include "distance/row_codes.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/row_codes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>

#include "distance/half.hpp"
#include "distance/simd_compat-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

/// Components smaller than this have squares that f32 rounds to nothing: such rows are bounded by their largest.
inline constexpr float kSmallest = 0x1p-40f;
/// Below it a step has no inverse.
inline constexpr float kNothing = 0x1p-100f;

/// From sums over a row to what is known of it, rounding included.
HWY_INLINE CodedRow figures_of(std::size_t dimension, float most, float step, float squares, float errors) {
  const float root = std::sqrt(static_cast<float>(dimension)) * 1.001f;
  // Numbers so small are not told apart, and a product of their like may be rounded to nothing.
  if (most < kNothing) return {0, squares, kNothing * root, kNothing * root};
  CodedRow row{step, squares, most * root, most * root};
  row.error = 0.51f * step * root;
  if (most < kSmallest) return row;
  row.length = std::min(row.length, std::sqrt(squares) * 1.01f);
  row.error = std::min(row.error, std::sqrt(errors) * 1.01f + 0x1p-22f * most * root);
  return row;
}

#if DISKANN_SIMD

using DF = hn::CappedTag<float, 16>;
using VF = hn::VFromD<DF>;
inline constexpr std::size_t kLanes = hn::MaxLanes(DF());

template <class RowType>
HWY_INLINE VF load_values(const std::byte* row, std::size_t i) {
  const DF d;
  if constexpr (std::is_same_v<RowType, float>) {
    return hn::Load(d, reinterpret_cast<const float*>(row) + i);
  } else {
    return hn::PromoteTo(d,
                         hn::Load(hn::Rebind<hwy::float16_t, DF>(), reinterpret_cast<const hwy::float16_t*>(row) + i));
  }
}

template <class RowType>
CodedRow encode(const std::byte* row, std::size_t dimension, const float* HWY_RESTRICT center, float scale,
                float* HWY_RESTRICT values, std::int8_t* HWY_RESTRICT code) {
  const DF d;
  const auto factor = hn::Set(d, scale);
  VF most = hn::Zero(d), squares = most, errors = most;
  for (std::size_t i = 0; i < dimension; i += kLanes) {
    VF value = load_values<RowType>(row, i);
    if (center != nullptr) value = hn::Sub(value, hn::LoadU(d, center + i));
    value = hn::Mul(value, factor);
    hn::StoreU(value, d, values + i);
    most = hn::Max(most, hn::Abs(value));
    squares = hn::MulAdd(value, value, squares);
  }
  const float largest = hn::GetLane(hn::MaxOfLanes(d, most)), step = largest < kNothing ? 0.0f : largest / 127.0f;
  const auto inverse = hn::Set(d, largest < kNothing ? 0.0f : 127.0f / largest), steps = hn::Set(d, step);
  for (std::size_t i = 0; i < dimension; i += kLanes) {
    const VF value = hn::LoadU(d, values + i);
    const auto places = hn::NearestInt(hn::Mul(value, inverse));
    const VF error = hn::Sub(value, hn::Mul(hn::ConvertTo(d, places), steps));
    errors = hn::MulAdd(error, error, errors);
    hn::StoreU(hn::DemoteTo(hn::Rebind<std::int8_t, DF>(), places), hn::Rebind<std::int8_t, DF>(), code + i);
  }
  return figures_of(dimension, largest, step, hn::GetLane(hn::SumOfLanes(d, squares)),
                    hn::GetLane(hn::SumOfLanes(d, errors)));
}

void finish(const CodedSide& rows, std::size_t columns, const CodedQuery& query, float* HWY_RESTRICT products) {
  const DF d;
  const auto term = hn::Set(d, query.term - query.rest), scale = hn::Set(d, query.scale);
  const auto length = hn::Set(d, query.length), error = hn::Set(d, query.error);
  for (std::size_t column = 0; column < columns; column += kLanes) {
    VF value = hn::Add(term, hn::LoadU(d, rows.terms + column));
    value = hn::NegMulAdd(length, hn::LoadU(d, rows.errors + column), value);
    value = hn::NegMulAdd(error, hn::LoadU(d, rows.lengths + column), value);
    // Steps meet the integer first: the product of two steps may be too small for a float.
    const VF product = hn::Mul(hn::LoadU(d, rows.steps + column), hn::LoadU(d, products + column));
    hn::StoreU(hn::MulAdd(scale, product, value), d, products + column);
  }
}

#else

template <class RowType>
CodedRow encode(const std::byte* row, std::size_t dimension, const float* center, float scale, float* values,
                std::int8_t* code) {
  float most = 0, squares = 0, errors = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    float value;
    if constexpr (std::is_same_v<RowType, float>) {
      value = reinterpret_cast<const float*>(row)[i];
    } else {
      value = half_to_float(reinterpret_cast<const float16*>(row)[i].bits());
    }
    values[i] = (value - (center != nullptr ? center[i] : 0.0f)) * scale;
    most = std::max(most, std::abs(values[i]));
    squares += values[i] * values[i];
  }
  const float step = most < kNothing ? 0.0f : most / 127.0f, inverse = most < kNothing ? 0.0f : 127.0f / most;
  for (std::size_t i = 0; i < dimension; ++i) {
    const float place = std::nearbyint(values[i] * inverse);
    code[i] = static_cast<std::int8_t>(place);
    errors += (values[i] - place * step) * (values[i] - place * step);
  }
  return figures_of(dimension, most, step, squares, errors);
}

void finish(const CodedSide& rows, std::size_t columns, const CodedQuery& query, float* products) {
  for (std::size_t j = 0; j < columns; ++j) {
    const float lost = query.length * rows.errors[j] + query.error * rows.lengths[j];
    products[j] = query.term - query.rest + rows.terms[j] - lost + query.scale * (rows.steps[j] * products[j]);
  }
}

#endif  // DISKANN_SIMD

const CodeKernels* find_code_kernels(VectorType rows) {
  static constexpr CodeKernels kFloats = {encode<float>, finish}, kHalves = {encode<float16>, finish};
  return rows == VectorType::F16 ? &kHalves : &kFloats;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetCodes> code_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_code_kernels},
  static constexpr TargetCodes kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

bool RowCodes::pay(VectorType rows, std::size_t dimension) {
  // Below this encoding takes longer than is saved.
  constexpr std::size_t kLeastDimension = 32;
  return (rows == VectorType::F32 || rows == VectorType::F16) && dimension >= kLeastDimension && tiles().of_bytes;
}

void RowCodes::encode(const TileSource& source) {
  const std::size_t dimension = source.rows.dimension, room = base::round_up(dimension, TileBlock::kPanel);
  if (codes_.view().rows < source.count || codes_.view().dimension != dimension) {
    codes_ = base::RowStore(VectorType::I8, source.count, dimension);
    values_.resize(room);
  }
  const std::size_t columns = base::round_up(source.count, TileBlock::kPanel);
  rows_.resize(source.count);
  for (std::vector<float>* figures : {&terms_, &steps_, &lengths_, &errors_}) figures->assign(columns, 0);
  largest_squared_norm_ = 0;
  const CodeKernels& kernels = code_kernels(source.rows.type);
  for (std::size_t i = 0; i < source.count; ++i) {
    const std::size_t slot = source.slots != nullptr ? source.slots[i] : source.first + i;
    const float scale = source.inverse_norms != nullptr ? source.inverse_norms[slot] : 1.0f;
    const CodedRow row = kernels.encode(source.rows.row(slot), dimension, source.center, scale, values_.data(),
                                        reinterpret_cast<std::int8_t*>(codes_.row(i)));
    rows_[i] = row;
    terms_[i] = metric_ == Distance::L2 ? row.squared_norm : 0;
    steps_[i] = row.step;
    lengths_[i] = row.length + row.error;  // of its code, at most
    errors_[i] = row.error;
    largest_squared_norm_ = std::max(largest_squared_norm_, row.squared_norm);
  }
}

float RowCodes::rounding(const CodedRow& left) const noexcept {
  return tile_error_bound(metric_, VectorType::F32, codes_.view().dimension, static_cast<double>(left.squared_norm),
                          static_cast<double>(largest_squared_norm_));
}

void RowCodes::finish(const CodedRow& left, float rounding, float* products) const {
  const float times = metric_ == Distance::L2 ? 2 : 1;
  const float term = metric_ == Distance::L2 ? left.squared_norm : metric_ == Distance::Cosine ? 1.0f : 0.0f;
  code_kernels(VectorType::F32)
      .finish({terms_.data(), steps_.data(), lengths_.data(), errors_.data()}, steps_.size(),
              {term, times * left.step, times * left.length, times * left.error, rounding}, products);
}

}  // namespace diskann::distance
#endif
