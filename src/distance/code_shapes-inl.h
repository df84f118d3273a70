// Per-target part, included once for each instruction set: what kernels of codes share.

#if defined(DISKANN_DISTANCE_CODE_SHAPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DISKANN_DISTANCE_CODE_SHAPES_INL_H_
#undef DISKANN_DISTANCE_CODE_SHAPES_INL_H_
#else
#define DISKANN_DISTANCE_CODE_SHAPES_INL_H_
#endif

#include "distance/kernel_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

using SignedBytes = hn::ScalableTag<std::int8_t>;
using ByteVector = hn::VFromD<SignedBytes>;
using SumLanes = hn::ScalableTag<std::int32_t>;
using SumVector = hn::VFromD<SumLanes>;

/// sums + products of places, 0 to 127, and components. (Where the processor does not want one side without a sign,
/// from -127 on.) Products of bytes up to 127 do not leave 16 bits when two are added.
HWY_INLINE SumVector add_products(SumVector sums, ByteVector place, ByteVector component) {
#if DISKANN_VNNI
  return SumVector{_mm512_dpbusd_epi32(sums.raw, place.raw, component.raw)};
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  return SumVector{_mm512_add_epi32(
      sums.raw, _mm512_madd_epi16(_mm512_maddubs_epi16(place.raw, component.raw), _mm512_set1_epi16(1)))};
#elif HWY_TARGET == HWY_AVX2
  return SumVector{_mm256_add_epi32(
      sums.raw, _mm256_madd_epi16(_mm256_maddubs_epi16(place.raw, component.raw), _mm256_set1_epi16(1)))};
#elif HWY_ARCH_X86
  return SumVector{
      _mm_add_epi32(sums.raw, _mm_madd_epi16(_mm_maddubs_epi16(place.raw, component.raw), _mm_set1_epi16(1)))};
#else
  const int16x8_t low = vmull_s8(vget_low_s8(place.raw), vget_low_s8(component.raw));
  const int16x8_t both = vmlal_s8(low, vget_high_s8(place.raw), vget_high_s8(component.raw));
  return SumVector{vpadalq_s16(sums.raw, both)};
#endif
}

#endif  // DISKANN_SIMD

/// Rows that have pairs of factors each.
struct GatheredPairs {
  static constexpr bool kPrefetch = true;
  const base::RowsView& rows;
  const float* factors;
  const base::Slot* slots;
  HWY_INLINE const std::byte* row(std::size_t i) const { return rows.row(slots[i]); }
  HWY_INLINE const float* pair(std::size_t i) const { return factors + 2 * std::size_t{slots[i]}; }
  template <bool kNorms>
  HWY_INLINE void prefetch(std::size_t i, std::size_t bytes) const {
    base::prefetch_unaligned(row(i), bytes);
    base::prefetch(reinterpret_cast<const std::byte*>(pair(i)), 2 * sizeof(float));
  }
};

/// weight * first factor + second factor * scale * the sum.
struct EndPairs {
  const GatheredPairs& place;
  float scale, weight;
  HWY_INLINE float one(std::int32_t total, std::size_t at) const {
    const float* const pair = place.pair(at);
    return weight * pair[0] + pair[1] * (scale * static_cast<float>(total));
  }
  HWY_INLINE void four(const std::int32_t* totals, std::size_t first, float* HWY_RESTRICT out) const {
    for (std::size_t i = 0; i < 4; ++i) out[i] = one(totals[i], first + i);
  }
};

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif  // per target
