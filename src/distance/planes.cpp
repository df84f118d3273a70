// Queries in 8 bits against rows of 1 to 8 bits a component, in planes.
#include "distance/planes.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/planes.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstring>

#include "distance/code_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

/// The query's components where bits of a row are set are added up, plane after plane, twice what was added before.
struct PlaneSums {
  using Total = std::int32_t;
  static constexpr std::size_t kStep = hn::MaxLanes(SignedBytes());

  const PlaneQuery& query;

  HWY_INLINE void four(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* e,
                       Total* HWY_RESTRICT out) const {
    auto a0 = hn::Zero(SumLanes()), b0 = a0, c0 = a0, e0 = a0;
    std::size_t at = 0;
    for (std::size_t bit = 0; bit < query.bits; ++bit) {
      a0 = hn::Add(a0, a0);
      b0 = hn::Add(b0, b0);
      c0 = hn::Add(c0, c0);
      e0 = hn::Add(e0, e0);
      for (std::size_t j = 0; j < query.count; j += kStep, at += kStep / 8) {
        const auto part = hn::Load(SignedBytes(), query.components + j);
        a0 = add(a0, part, a + at);
        b0 = add(b0, part, b + at);
        c0 = add(c0, part, c + at);
        e0 = add(e0, part, e + at);
      }
    }
    using Four = hn::FixedTag<std::int32_t, 4>;
    const auto sums = four_lane_sums(SumLanes(), a0, b0, c0, e0);
    hn::Store(hn::Sub(hn::Add(sums, sums), hn::Set(Four(), query.shift)), Four(), out);
  }
  HWY_INLINE void one(const std::byte* a, Total* HWY_RESTRICT out) const { four(a, a, a, a, out); }

 private:
  static HWY_INLINE SumVector add(SumVector sums, ByteVector part, const std::byte* bits) {
    std::uint8_t set[8] = {};
    std::memcpy(set, bits, kStep / 8);
    const auto chosen = hn::IfThenElseZero(hn::LoadMaskBits(SignedBytes(), set), part);
    return add_products(sums, hn::Set(SignedBytes(), 1), chosen);
  }
};

#else

struct PlaneSums {
  using Total = std::int32_t;

  const PlaneQuery& query;

  void four(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* e, Total* out) const {
    one(a, out);
    one(b, out + 1);
    one(c, out + 2);
    one(e, out + 3);
  }
  void one(const std::byte* a, Total* out) const {
    Total total = 0;
    for (std::size_t bit = 0; bit < query.bits; ++bit) {
      total *= 2;
      for (std::size_t j = 0; j < query.count; j += 8, ++a)
        for (std::size_t k = 0; k < 8; ++k)
          total += std::to_integer<int>(*a >> k & std::byte{1}) * query.components[j + k];
    }
    *out = 2 * total - query.shift;
  }
};

#endif  // DISKANN_SIMD

void compare_planes(const PlaneQuery& query, const base::RowsView& rows, const float* factors, const base::Slot* slots,
                    std::size_t count, float* out) {
  const GatheredPairs place{rows, factors, slots};
  compare_rows<true>(PlaneSums{query}, plane_row_bytes(query.count, query.bits), place, count,
                     EndPairs{place, query.scale, query.weight}, out);
}

PlaneKernel find_planes() { return compare_planes; }

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

PlaneQuery make_plane_query(const std::int8_t* components, std::size_t count, std::size_t bits, float step,
                            float weight) noexcept {
  std::int32_t sum = 0;
  for (std::size_t j = 0; j < count; ++j) sum += components[j];
  return {components, count, bits, ((1 << bits) - 1) * sum, step / 2, weight};
}

std::span<const TargetPlanes> plane_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_planes},
  static constexpr TargetPlanes kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
