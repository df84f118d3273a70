// Dense products in f32, of rows of any type.
#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/tiles_float.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "distance/half.hpp"
#include "distance/tile_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

template <class RowType>
HWY_INLINE float plain_value(RowType component) {
  if constexpr (std::is_same_v<RowType, float16>) {
    return half_to_float(component.bits());
  } else {
    return static_cast<float>(component);
  }
}

#if DISKANN_SIMD

struct FloatTile {
  using State = VF;
  static constexpr std::size_t kRegisters = 1;
  using Vector = VF;
  static HWY_INLINE VF zero() { return hn::Zero(DF()); }
  static HWY_INLINE VF load(const std::byte* at) { return hn::Load(DF(), reinterpret_cast<const float*>(at)); }
  static HWY_INLINE VF broadcast(const std::byte* at) { return hn::Set(DF(), *reinterpret_cast<const float*>(at)); }
  static HWY_INLINE void add(VF& sum, VF right, VF left) { sum = hn::MulAdd(right, left, sum); }
  static HWY_INLINE VF total(VF sum) { return sum; }
};

template <Distance kMetric>
struct FloatFinish {
  const TileBlock::Layout& left;
  const TileBlock::Layout& right;
  float* out;
  std::size_t stride, first;

  HWY_INLINE void operator()(std::size_t row, std::size_t column, VF sum) const {
    const DF d;
    VF value;
    if constexpr (kMetric == Distance::L2) {
      const VF norms = hn::Add(hn::Set(d, left.norms[row]), hn::Load(d, right.norms + column));
      value = hn::Max(hn::Sub(norms, hn::Add(sum, sum)), hn::Zero(d));
    } else if constexpr (kMetric == Distance::Cosine) {
      const VF scale = hn::Mul(hn::Set(d, left.scales[row]), hn::Load(d, right.scales + column));
      value = hn::Sub(hn::Set(d, 1.0f), hn::Mul(sum, scale));
      value = hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 2.0f));
    } else {
      value = hn::Sub(hn::Zero(d), sum);
    }
    hn::StoreU(value, d, out + (row - first) * stride + column);
  }
};

/// One row as floats, less the centre; returns its squared norm.
template <class RowType, bool kCenter>
HWY_INLINE float convert_row(const std::byte* row, std::size_t dimension, const float* HWY_RESTRICT center,
                             float* HWY_RESTRICT out) {
  const DF d;
  VF norm = hn::Zero(d);
  for (std::size_t i = 0; i < dimension; i += kLanes) {
    const std::byte* at = row + i * sizeof(RowType);
    VF value;
    if constexpr (std::is_same_v<RowType, float>) {
      value = hn::Load(d, reinterpret_cast<const float*>(at));
    } else if constexpr (std::is_same_v<RowType, float16>) {
      value = hn::PromoteTo(d, hn::Load(hn::Rebind<hwy::float16_t, DF>(), reinterpret_cast<const hwy::float16_t*>(at)));
    } else {
      const auto bytes = hn::Load(hn::Rebind<RowType, DF>(), reinterpret_cast<const RowType*>(at));
      value = hn::ConvertTo(d, hn::PromoteTo(D32(), bytes));
    }
    if constexpr (kCenter) value = hn::Sub(value, hn::LoadU(d, center + i));
    hn::Store(value, d, out + i);
    norm = hn::MulAdd(value, value, norm);
  }
  return hn::GetLane(hn::SumOfLanes(d, norm));
}

/// TileKernels::multiply from a panel of the right side on.
template <Distance kMetric>
void multiply_from(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right,
                   std::size_t panel, float* out, std::size_t stride) {
  const FloatFinish<kMetric> finish{left.layout(), right.layout(), out, stride, first};
  multiply_block<FloatTile>(left.layout(), first, first + count, right.layout(), panel, right.padded_rows() / kPanel,
                            finish);
  close_columns(right.rows(), right.padded_rows(), count, out, stride);
}

#else

template <class RowType, bool kCenter>
float convert_row(const std::byte* row, std::size_t dimension, const float* center, float* out) {
  float norm = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    out[i] = plain_value(reinterpret_cast<const RowType*>(row)[i]) - (kCenter ? center[i] : 0.0f);
    norm += out[i] * out[i];
  }
  return norm;
}

/// TileKernels::multiply from a panel of the right side on.
template <Distance kMetric>
void multiply_from(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right,
                   std::size_t panel, float* out, std::size_t stride) {
  const TileBlock::Layout& a = left.layout();
  const TileBlock::Layout& b = right.layout();
  float sums[kPanel];
  for (std::size_t row = first; row < first + count; ++row) {
    for (std::size_t column = panel * kPanel; column < right.rows(); ++column) {
      if (column % kPanel == 0) plain_products<float, float, 1>(a, row, b, column / kPanel, sums);
      const float sum = sums[column % kPanel];
      float value = 0.0f - sum;
      if constexpr (kMetric == Distance::L2) value = std::max(a.norms[row] + b.norms[column] - 2 * sum, 0.0f);
      if constexpr (kMetric == Distance::Cosine)
        value = std::min(std::max(1.0f - sum * (a.scales[row] * b.scales[column]), 0.0f), 2.0f);
      out[(row - first) * stride + column] = value;
    }
  }
  close_columns(right.rows(), right.padded_rows(), count, out, stride);
}

#endif  // DISKANN_SIMD

template <Distance kMetric>
void multiply_floats(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right, float* out,
                     std::size_t stride) {
  multiply_from<kMetric>(left, first, count, right, 0, out, stride);
}

template <Distance kMetric>
void square_floats(const TileBlock& block, float* out, std::size_t stride) {
  square_block(block, out, stride, [&](std::size_t first, std::size_t count, std::size_t panel, float* stripe) {
    multiply_from<kMetric>(block, first, count, block, panel, stripe, stride);
  });
}

template <class RowType>
void load_floats(const TileSource& source, bool panels, TileBlock& block) {
  const std::size_t row_bytes = base::round_up(source.rows.dimension * sizeof(float), 64);
  TileBlock::Layout& layout = block.reset(source.count, row_bytes, panels);
  layout.groups = source.rows.dimension;
  float largest = 0;
  load_rows(source, panels, 0, layout, [&](std::size_t i, const std::byte* row, std::byte* out) {
    auto* floats = reinterpret_cast<float*>(out);
    const float norm = source.center != nullptr
                           ? convert_row<RowType, true>(row, source.rows.dimension, source.center, floats)
                           : convert_row<RowType, false>(row, source.rows.dimension, nullptr, floats);
    layout.norms[i] = norm;
    largest = std::max(largest, norm);
  });
  block.set_largest_squared_norm(static_cast<double>(largest));
}

template <class RowType, Distance kMetric>
constexpr TileKernels kFloatTiles = {load_floats<RowType>, multiply_floats<kMetric>, square_floats<kMetric>, false};

template <class RowType>
const TileKernels* find_float_tiles_of(Distance metric) {
  return of_metric(metric, kFloatTiles<RowType, Distance::L2>, kFloatTiles<RowType, Distance::Cosine>,
                   kFloatTiles<RowType, Distance::InnerProduct>);
}

const TileKernels* find_float_tiles(Distance metric, VectorType rows) {
  switch (rows) {
    case VectorType::F32: return find_float_tiles_of<float>(metric);
    case VectorType::F16: return find_float_tiles_of<float16>(metric);
    case VectorType::I8: return find_float_tiles_of<std::int8_t>(metric);
    case VectorType::U8: return find_float_tiles_of<std::uint8_t>(metric);
  }
  return nullptr;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetTiles> float_tile_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_float_tiles},
  static constexpr TargetTiles kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
