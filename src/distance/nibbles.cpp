// Queries in 8 bits against rows in 4.
#include "distance/nibbles.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/nibbles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "distance/kernel_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

using D8 = hn::ScalableTag<std::int8_t>;
using V8 = hn::VFromD<D8>;
using D32 = hn::ScalableTag<std::int32_t>;
using V32 = hn::VFromD<D32>;
using Four = hn::FixedTag<std::int32_t, 4>;

/// Products of signed bytes are looked up, multiplied and added in vectors of whole or half lines; a place, 0 to 127
/// where the processor wants one side without a sign, lies 64 higher then, and what that adds is 64 times the sum of
/// the query.
struct NibbleUnit {
  using Row = std::uint8_t;
  using Total = std::int32_t;
  static constexpr std::size_t kStep = hn::MaxLanes(D8());
  static constexpr int kChains = 1;
  static constexpr std::uint8_t kLift = HWY_ARCH_X86 ? 64 : 0;
  struct Part {
    V8 low, high;
  };

  const std::int8_t* query;
  V8 places;
  hn::VFromD<Four> correction;

  NibbleUnit(const NibbleQuery& q, std::size_t bytes) : query(q.components) {
    alignas(64) std::int8_t lifted[16];
    for (std::size_t i = 0; i < 16; ++i) lifted[i] = static_cast<std::int8_t>((*q.places)[i] + kLift);
    places = hn::LoadDup128(D8(), lifted);
    correction = hn::Zero(Four());
    if constexpr (kLift != 0) {
      const V8 lift = hn::Set(D8(), static_cast<std::int8_t>(kLift));
      V32 sums = zero();
      for (std::size_t i = 0; i < 2 * bytes; i += kStep) sums = multiply(sums, lift, hn::Load(D8(), query + i));
      correction = hn::Sub(correction, four_lane_sums(D32(), sums, sums, sums, sums));
    }
  }

  static HWY_INLINE V32 zero() { return hn::Zero(D32()); }
  static HWY_INLINE V32 join(V32 a, V32) { return a; }
  /// `i` counts bytes of a row.
  HWY_INLINE Part part(std::size_t i) const {
    const std::int8_t* line = query + 2 * (i & ~std::size_t{63}) + (i & 63);
    return {hn::Load(D8(), line), hn::Load(D8(), line + 64)};
  }
  HWY_INLINE void add(V32& sum, const Part& part, const std::byte* row, std::size_t i) const {
    const hn::RebindToUnsigned<D8> du8;
    const hn::Repartition<std::uint16_t, D8> du16;
    const auto codes = hn::Load(du8, reinterpret_cast<const std::uint8_t*>(row) + i);
    const auto mask = hn::Set(du8, 0x0F);
    const auto upper = hn::And(hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, codes))), mask);
    sum = multiply(sum, hn::TableLookupBytes(places, hn::BitCast(D8(), hn::And(codes, mask))), part.low);
    sum = multiply(sum, hn::TableLookupBytes(places, hn::BitCast(D8(), upper)), part.high);
  }
  HWY_INLINE void store(V32 a, V32 b, V32 c, V32 e, Total* HWY_RESTRICT out) const {
    hn::Store(hn::Add(four_lane_sums(D32(), a, b, c, e), correction), Four(), out);
  }

 private:
  /// sums + products of places and components. Products of bytes up to 127 do not leave 16 bits when two are added.
  static HWY_INLINE V32 multiply(V32 sums, V8 place, V8 component) {
#if DISKANN_VNNI
    return V32{_mm512_dpbusd_epi32(sums.raw, place.raw, component.raw)};
#elif HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
    return V32{_mm512_add_epi32(
        sums.raw, _mm512_madd_epi16(_mm512_maddubs_epi16(place.raw, component.raw), _mm512_set1_epi16(1)))};
#elif HWY_TARGET == HWY_AVX2
    return V32{_mm256_add_epi32(
        sums.raw, _mm256_madd_epi16(_mm256_maddubs_epi16(place.raw, component.raw), _mm256_set1_epi16(1)))};
#elif HWY_ARCH_X86
    return V32{_mm_add_epi32(sums.raw, _mm_madd_epi16(_mm_maddubs_epi16(place.raw, component.raw), _mm_set1_epi16(1)))};
#else
    const int16x8_t low = vmull_s8(vget_low_s8(place.raw), vget_low_s8(component.raw));
    const int16x8_t both = vmlal_s8(low, vget_high_s8(place.raw), vget_high_s8(component.raw));
    return V32{vpadalq_s16(sums.raw, both)};
#endif
  }
};
using NibbleSums = SimdSums<NibbleUnit>;

#else

struct PlainNibbleUnit {
  using Row = std::uint8_t;
  using Total = std::int32_t;

  const NibbleQuery& query;
  explicit PlainNibbleUnit(const NibbleQuery& q) : query(q) {}

  Total sum(const std::byte* row, std::size_t bytes) const {
    Total total = 0;
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::int8_t* line = query.components + 2 * (i & ~std::size_t{63}) + (i & 63);
      const auto code = std::to_integer<unsigned>(row[i]);
      total += (*query.places)[code & 15] * line[0] + (*query.places)[code >> 4] * line[64];
    }
    return total;
  }
};
using NibbleSums = PlainSums<PlainNibbleUnit>;

#endif  // DISKANN_SIMD

template <NibbleEnding kEnding, class Place>
struct EndNibbles {
  const Place& place;
  float scale;
  HWY_INLINE float one(std::int32_t total, std::size_t at) const {
    const float product = scale * static_cast<float>(total), norm = place.norm(at);
    return kEnding == NibbleEnding::Add ? norm + product : norm * product;
  }
#if DISKANN_SIMD
  HWY_INLINE void four(const std::int32_t* totals, std::size_t first, float* HWY_RESTRICT out) const {
    const FourFloats d;
    const auto product = hn::Mul(hn::Set(d, scale), hn::ConvertTo(d, hn::Load(FourIntegers(), totals)));
    const auto norms = place.four_norms(first);
    hn::StoreU(kEnding == NibbleEnding::Add ? hn::Add(norms, product) : hn::Mul(norms, product), d, out);
  }
#endif
};

template <NibbleEnding kEnding>
void compare_nibbles(const NibbleQuery& query, const base::RowsView& rows, const float* norms, const base::Slot* slots,
                     std::size_t count, float* out) {
  const Gathered place{rows, norms, slots};
  compare_rows<true>(NibbleSums(query, rows.dimension), rows.dimension, place, count,
                     EndNibbles<kEnding, Gathered>{place, query.scale}, out);
}

NibbleKernel find_nibbles(NibbleEnding ending) {
  return ending == NibbleEnding::Add ? compare_nibbles<NibbleEnding::Add> : compare_nibbles<NibbleEnding::Multiply>;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetNibbles> nibble_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_nibbles},
  static constexpr TargetNibbles kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
