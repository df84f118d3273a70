// Queries in f32 against rows of any type.
#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/kernels_float.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "distance/half.hpp"
#include "distance/kernel_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

template <class RowType, bool kSquares>
struct FloatUnit {
  using D = hn::ScalableTag<float>;
  using V = hn::VFromD<D>;
  using Row = RowType;
  using Total = float;
  static constexpr std::size_t kStep = hn::MaxLanes(D());
  static constexpr int kChains = 2;

  const float* query;
  FloatUnit(const Query& q, std::size_t) : query(reinterpret_cast<const float*>(q.data)) {}

  static HWY_INLINE V zero() { return hn::Zero(D()); }
  static HWY_INLINE V join(V a, V b) { return hn::Add(a, b); }
  HWY_INLINE V part(std::size_t i) const { return hn::Load(D(), query + i); }
  static HWY_INLINE V load(const std::byte* row, std::size_t i) {
    const D d;
    const std::byte* at = row + i * sizeof(RowType);
    if constexpr (std::is_same_v<RowType, float>) {
      return hn::Load(d, reinterpret_cast<const float*>(at));
    } else if constexpr (std::is_same_v<RowType, float16>) {
      return hn::PromoteTo(d, hn::Load(hn::Rebind<hwy::float16_t, D>(), reinterpret_cast<const hwy::float16_t*>(at)));
    } else {
      const auto bytes = hn::Load(hn::Rebind<RowType, D>(), reinterpret_cast<const RowType*>(at));
      return hn::ConvertTo(d, hn::PromoteTo(hn::Rebind<std::int32_t, D>(), bytes));
    }
  }
  HWY_INLINE void add(V& sum, V part, const std::byte* row, std::size_t i) const {
    const V value = load(row, i);
    if constexpr (kSquares) {
      const V difference = hn::Sub(value, part);
      sum = hn::MulAdd(difference, difference, sum);
    } else {
      sum = hn::MulAdd(value, part, sum);
    }
  }
  HWY_INLINE void store(V a, V b, V c, V e, float* HWY_RESTRICT out) const {
    hn::Store(four_lane_sums(D(), a, b, c, e), hn::FixedTag<float, 4>(), out);
  }
};

template <class RowType>
using Squares = SimdSums<FloatUnit<RowType, true>>;
template <class RowType>
using Products = SimdSums<FloatUnit<RowType, false>>;

#else

template <class RowType, bool kSquares>
struct PlainFloatUnit {
  using Row = RowType;
  using Total = float;

  const float* query;
  explicit PlainFloatUnit(const Query& q) : query(reinterpret_cast<const float*>(q.data)) {}

  static float value(RowType component) {
    if constexpr (std::is_same_v<RowType, float16>) {
      return half_to_float(component.bits());
    } else {
      return static_cast<float>(component);
    }
  }
  float sum(const std::byte* bytes, std::size_t components) const {
    const auto* row = reinterpret_cast<const RowType*>(bytes);
    float sums[16] = {};
    for (std::size_t i = 0; i < components; i += 16) {
      for (std::size_t k = 0; k < 16; ++k) {
        const float b = value(row[i + k]);
        const float a = kSquares ? b - query[i + k] : query[i + k];
        sums[k] += a * (kSquares ? a : b);
      }
    }
    for (std::size_t width = 8; width > 0; width /= 2) {
      for (std::size_t k = 0; k < width; ++k) sums[k] += sums[k + width];
    }
    return sums[0];
  }
};

template <class RowType>
using Squares = PlainSums<PlainFloatUnit<RowType, true>>;
template <class RowType>
using Products = PlainSums<PlainFloatUnit<RowType, false>>;

#endif  // DISKANN_SIMD

const KernelTable* find_float(Distance metric, VectorType rows) {
  switch (rows) {
    case VectorType::F32: return find_metric<Squares<float>, Products<float>>(metric);
    case VectorType::F16: return find_metric<Squares<float16>, Products<float16>>(metric);
    case VectorType::I8: return find_metric<Squares<std::int8_t>, Products<std::int8_t>>(metric);
    case VectorType::U8: return find_metric<Squares<std::uint8_t>, Products<std::uint8_t>>(metric);
  }
  return nullptr;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetKernels> float_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {runs_here, name, N_##floats::find_float},
  static constexpr TargetKernels kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
