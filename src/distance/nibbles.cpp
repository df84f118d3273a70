// Queries in 8 bits against rows on a grid, in 7 or 4 bits a component.
#include "distance/nibbles.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/nibbles.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "distance/code_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

using D8 = SignedBytes;
using V8 = ByteVector;
using D32 = SumLanes;
using V32 = SumVector;
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
  std::size_t wide;
  V8 places;
  hn::VFromD<Four> correction;

  /// `bytes`: of a row, behind the lines of a component a byte.
  NibbleUnit(const NibbleQuery& q, std::size_t bytes) : query(q.components), wide(q.bytes) {
    alignas(64) std::int8_t lifted[16];
    for (std::size_t i = 0; i < 16; ++i) lifted[i] = static_cast<std::int8_t>((*q.places)[i] + kLift);
    places = hn::LoadDup128(D8(), lifted);
    correction = hn::Zero(Four());
    if constexpr (kLift != 0) {
      const V8 lift = hn::Set(D8(), static_cast<std::int8_t>(kLift));
      V32 sums = zero();
      for (std::size_t i = 0; i < wide + 2 * bytes; i += kStep)
        sums = add_products(sums, lift, hn::Load(D8(), query + i));
      correction = hn::Sub(correction, four_lane_sums(D32(), sums, sums, sums, sums));
    }
  }

  static HWY_INLINE V32 zero() { return hn::Zero(D32()); }
  /// What the lines of a component a byte add up to.
  HWY_INLINE V32 start(const std::byte* row) const {
    V32 sum = zero();
    for (std::size_t i = 0; i < wide; i += kStep) {
      V8 numbers = hn::Load(D8(), reinterpret_cast<const std::int8_t*>(row) + i);
      if constexpr (kLift == 0) numbers = hn::Sub(numbers, hn::Set(D8(), static_cast<std::int8_t>(-kLeastOnGrid)));
      sum = add_products(sum, numbers, hn::Load(D8(), query + i));
    }
    return sum;
  }
  static HWY_INLINE V32 join(V32 a, V32) { return a; }
  /// `i` counts bytes of a row behind those lines.
  HWY_INLINE Part part(std::size_t i) const {
    const std::int8_t* line = query + wide + 2 * (i & ~std::size_t{63}) + (i & 63);
    return {hn::Load(D8(), line), hn::Load(D8(), line + 64)};
  }
  HWY_INLINE void add(V32& sum, const Part& part, const std::byte* row, std::size_t i) const {
    const hn::RebindToUnsigned<D8> du8;
    const hn::Repartition<std::uint16_t, D8> du16;
    const auto codes = hn::Load(du8, reinterpret_cast<const std::uint8_t*>(row) + wide + i);
    const auto mask = hn::Set(du8, 0x0F);
    const auto upper = hn::And(hn::BitCast(du8, hn::ShiftRight<4>(hn::BitCast(du16, codes))), mask);
    sum = add_products(sum, hn::TableLookupBytes(places, hn::BitCast(D8(), hn::And(codes, mask))), part.low);
    sum = add_products(sum, hn::TableLookupBytes(places, hn::BitCast(D8(), upper)), part.high);
  }
  HWY_INLINE void store(V32 a, V32 b, V32 c, V32 e, Total* HWY_RESTRICT out) const {
    hn::Store(hn::Add(four_lane_sums(D32(), a, b, c, e), correction), Four(), out);
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
    for (std::size_t i = 0; i < query.bytes; ++i)
      total += (std::to_integer<int>(row[i]) + kLeastOnGrid) * query.components[i];
    for (std::size_t i = 0; i < bytes; ++i) {
      const std::int8_t* line = query.components + query.bytes + 2 * (i & ~std::size_t{63}) + (i & 63);
      const auto code = std::to_integer<unsigned>(row[query.bytes + i]);
      total += (*query.places)[code & 15] * line[0] + (*query.places)[code >> 4] * line[64];
    }
    return total;
  }
};
using NibbleSums = PlainSums<PlainNibbleUnit>;

#endif  // DISKANN_SIMD

/// Norm of the row + scale * the sum.
struct EndNibbles {
  const Gathered& place;
  float scale;
  HWY_INLINE float one(std::int32_t total, std::size_t at) const {
    return place.norm(at) + scale * static_cast<float>(total);
  }
#if DISKANN_SIMD
  HWY_INLINE void four(const std::int32_t* totals, std::size_t first, float* HWY_RESTRICT out) const {
    const FourFloats d;
    const auto product = hn::Mul(hn::Set(d, scale), hn::ConvertTo(d, hn::Load(FourIntegers(), totals)));
    hn::StoreU(hn::Add(place.four_norms(first), product), d, out);
  }
#endif
};

template <class Place, class End>
void compare_nibbles(const NibbleQuery& query, const Place& place, std::size_t count, const End& end, float* out) {
  const std::size_t bytes = place.rows.dimension;
  compare_rows<true>(NibbleSums(query, bytes - query.bytes), bytes, place, count, end, out);
}
void add_nibbles(const NibbleQuery& query, const base::RowsView& rows, const float* factors, const base::Slot* slots,
                 std::size_t count, float* out) {
  const Gathered place{rows, factors, slots};
  compare_nibbles(query, place, count, EndNibbles{place, query.scale}, out);
}
void scale_nibbles(const NibbleQuery& query, const base::RowsView& rows, const float* factors, const base::Slot* slots,
                   std::size_t count, float* out) {
  const GatheredPairs place{rows, factors, slots};
  compare_nibbles(query, place, count, EndPairs{place, query.scale, query.weight}, out);
}

NibbleKernel find_nibbles(NibbleEnding ending) { return ending == NibbleEnding::Add ? add_nibbles : scale_nibbles; }

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
