// Per-target part, included once for each instruction set: the two shapes of a kernel over any way to form sums.

#if defined(DISKANN_DISTANCE_KERNEL_SHAPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DISKANN_DISTANCE_KERNEL_SHAPES_INL_H_
#undef DISKANN_DISTANCE_KERNEL_SHAPES_INL_H_
#else
#define DISKANN_DISTANCE_KERNEL_SHAPES_INL_H_
#endif

#include <algorithm>
#include <bit>

#include "base/prefetch.hpp"
#include "distance/kernels.hpp"
#include "distance/simd_compat-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

/// Sums over the components of rows, four rows at a time so that they share the loads of the query and one reduction.
/// kChains of 2 hides the latency of additions where a sum is one vector; the order of additions depends on the
/// dimension alone. Unit: kStep components are taken at once; Part is what it loads of the query, State a running sum.
template <class Unit>
struct SimdSums {
  using Total = typename Unit::Total;
  using Row = typename Unit::Row;

  const Unit unit;
  const std::size_t components;
  template <class AnyQuery>
  SimdSums(const AnyQuery& query, std::size_t padded) : unit(query, padded), components(padded) {}

  HWY_INLINE void four(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* e,
                       Total* HWY_RESTRICT out) const {
    auto a0 = start(a), b0 = start(b), c0 = start(c), e0 = start(e);
    auto a1 = Unit::zero(), b1 = Unit::zero(), c1 = Unit::zero(), e1 = Unit::zero();
    std::size_t i = 0;
    for (; i + 2 * Unit::kStep <= components; i += 2 * Unit::kStep) {
      const auto first = unit.part(i);
      unit.add(a0, first, a, i);
      unit.add(b0, first, b, i);
      unit.add(c0, first, c, i);
      unit.add(e0, first, e, i);
      const auto second = unit.part(i + Unit::kStep);
      unit.add(Unit::kChains == 2 ? a1 : a0, second, a, i + Unit::kStep);
      unit.add(Unit::kChains == 2 ? b1 : b0, second, b, i + Unit::kStep);
      unit.add(Unit::kChains == 2 ? c1 : c0, second, c, i + Unit::kStep);
      unit.add(Unit::kChains == 2 ? e1 : e0, second, e, i + Unit::kStep);
    }
    if (i < components) {
      const auto last = unit.part(i);
      unit.add(a0, last, a, i);
      unit.add(b0, last, b, i);
      unit.add(c0, last, c, i);
      unit.add(e0, last, e, i);
    }
    unit.store(Unit::join(a0, a1), Unit::join(b0, b1), Unit::join(c0, c1), Unit::join(e0, e1), out);
  }

  HWY_INLINE void one(const std::byte* a, Total* HWY_RESTRICT out) const {
    auto a0 = start(a), a1 = Unit::zero();
    std::size_t i = 0;
    for (; i + 2 * Unit::kStep <= components; i += 2 * Unit::kStep) {
      unit.add(a0, unit.part(i), a, i);
      unit.add(Unit::kChains == 2 ? a1 : a0, unit.part(i + Unit::kStep), a, i + Unit::kStep);
    }
    if (i < components) unit.add(a0, unit.part(i), a, i);
    const auto sum = Unit::join(a0, a1);
    unit.store(sum, sum, sum, sum, out);
  }

 private:
  /// A sum before the first step: zero, but where rows begin with something else than steps.
  HWY_INLINE auto start(const std::byte* row) const {
    if constexpr (requires { unit.start(row); }) {
      return unit.start(row);
    } else {
      return Unit::zero();
    }
  }
};

#else

/// The same for one row after the other in plain loops; a Unit sums 16 components at a time.
template <class Unit>
struct PlainSums {
  using Total = typename Unit::Total;
  using Row = typename Unit::Row;

  const Unit unit;
  const std::size_t components;
  template <class AnyQuery>
  PlainSums(const AnyQuery& query, std::size_t padded) : unit(query), components(padded) {}

  void four(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* e, Total* out) const {
    one(a, out);
    one(b, out + 1);
    one(c, out + 2);
    one(e, out + 3);
  }
  void one(const std::byte* a, Total* out) const { *out = unit.sum(a, components); }
};

#endif  // DISKANN_SIMD

/// From sums to distances.
enum class Ending { Sum, Negated, Cosine, SquaredDistance };

/// The subtraction from zero turns -0 into 0. SquaredDistance makes integer products |q - x|^2 = |q|^2 + |x|^2 - 2 qx,
/// modulo 2^32, which holds it.
template <Ending kEnding, class Total>
HWY_INLINE float finish(Total sum, float query_norm, float row_norm) {
  if constexpr (kEnding == Ending::SquaredDistance) {
    const auto norms = std::bit_cast<std::uint32_t>(query_norm) + std::bit_cast<std::uint32_t>(row_norm);
    return static_cast<float>(norms - 2 * static_cast<std::uint32_t>(sum));
  }
  const auto value = static_cast<float>(sum);
  if constexpr (kEnding == Ending::Negated) return 0.0f - value;
  if constexpr (kEnding == Ending::Cosine) {
    const float distance = 1.0f - value * query_norm * row_norm;
    return std::min(std::max(distance, 0.0f), 2.0f);  // NaN stays
  }
  return value;
}

#if DISKANN_SIMD

using FourFloats = hn::FixedTag<float, 4>;
using FourIntegers = hn::FixedTag<std::int32_t, 4>;

/// 32 bits without a sign to float, rounded once: both halves are exact.
HWY_INLINE hn::VFromD<FourFloats> unsigned_to_float(hn::VFromD<FourIntegers> bits) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return hn::VFromD<FourFloats>{_mm_cvtepu32_ps(bits.raw)};
#else
  const FourFloats d;
  const FourIntegers d32;
  const hn::RebindToUnsigned<FourIntegers> unsigned_d;
  const auto high = hn::BitCast(d32, hn::ShiftRight<16>(hn::BitCast(unsigned_d, bits)));
  const auto low = hn::And(bits, hn::Set(d32, 0xFFFF));
  return hn::MulAdd(hn::ConvertTo(d, high), hn::Set(d, 65536.0f), hn::ConvertTo(d, low));
#endif
}

/// finish() of four sums, the same to the bit.
template <Ending kEnding, class Total>
HWY_INLINE void finish_four(const Total* HWY_RESTRICT sums, float query_norm, hn::VFromD<FourFloats> row_norms,
                            float* HWY_RESTRICT out) {
  const FourFloats d;
  hn::VFromD<FourFloats> value;
  if constexpr (std::is_same_v<Total, float>) {
    value = hn::Load(d, sums);
  } else {
    const FourIntegers d32;
    auto bits = hn::Load(d32, reinterpret_cast<const std::int32_t*>(sums));
    if constexpr (kEnding == Ending::SquaredDistance) {
      const auto norms = hn::Add(hn::Set(d32, std::bit_cast<std::int32_t>(query_norm)), hn::BitCast(d32, row_norms));
      bits = hn::Sub(norms, hn::Add(bits, bits));
    }
    if constexpr (std::is_signed_v<Total> && kEnding != Ending::SquaredDistance) {
      value = hn::ConvertTo(d, bits);
    } else {
      value = unsigned_to_float(bits);
    }
  }
  if constexpr (kEnding == Ending::Negated) value = hn::Sub(hn::Zero(d), value);
  if constexpr (kEnding == Ending::Cosine) {
    value = hn::Sub(hn::Set(d, 1.0f), hn::Mul(hn::Mul(value, hn::Set(d, query_norm)), row_norms));
    // NaN stays, which Min and Max keep on some processors only.
    const auto zero = hn::Zero(d), two = hn::Set(d, 2.0f);
    value = hn::IfThenElse(hn::Lt(value, zero), zero, value);
    value = hn::IfThenElse(hn::Lt(two, value), two, value);
  }
  hn::StoreU(value, d, out);
}

#endif  // DISKANN_SIMD

/// Rows on their way while others are compared: enough to keep the memory busy, few enough to stay in its queues.
inline constexpr std::size_t kBytesAhead = 2048;

/// Where the i-th row of a call stands.
struct Gathered {
  static constexpr bool kPrefetch = true;
  const base::RowsView& rows;
  const float* norms;
  const base::Slot* slots;
  HWY_INLINE const std::byte* row(std::size_t i) const { return rows.row(slots[i]); }
  HWY_INLINE float norm(std::size_t i) const { return norms[slots[i]]; }
  template <bool kNorms>
  HWY_INLINE void prefetch(std::size_t i, std::size_t bytes) const {
    base::prefetch(row(i), bytes);
    if constexpr (kNorms) base::prefetch(reinterpret_cast<const std::byte*>(norms + slots[i]), sizeof(float));
  }
#if DISKANN_SIMD
  HWY_INLINE hn::VFromD<FourFloats> four_norms(std::size_t i) const {
    const FourIntegers d32;
    return hn::GatherIndex(FourFloats(), norms, hn::LoadU(d32, reinterpret_cast<const std::int32_t*>(slots + i)));
  }
#endif
};
struct Consecutive {
  static constexpr bool kPrefetch = false;
  const base::RowsView& rows;
  const float* norms;
  std::size_t first;
  HWY_INLINE const std::byte* row(std::size_t i) const { return rows.row(first + i); }
  HWY_INLINE float norm(std::size_t i) const { return norms[i]; }
#if DISKANN_SIMD
  HWY_INLINE hn::VFromD<FourFloats> four_norms(std::size_t i) const { return hn::LoadU(FourFloats(), norms + i); }
#endif
};

/// Sums of rows, four at a time while others are on their way, and what `ending` makes of them: one(sum, at) and
/// four(sums, first, out).
template <bool kNorms, class Sums_, class Place, class End>
HWY_INLINE void compare_rows(const Sums_& sums, std::size_t bytes, const Place& place, std::size_t count,
                             const End& ending, float* HWY_RESTRICT out) {
  constexpr bool kPrefetch = Place::kPrefetch;
  const std::size_t ahead = kPrefetch ? std::max<std::size_t>(4, base::round_up(kBytesAhead / bytes, 4)) : 0;
  if constexpr (kPrefetch) {
    for (std::size_t i = 0; i < std::min(ahead, count); ++i) place.template prefetch<kNorms>(i, bytes);
  }
  alignas(16) typename Sums_::Total totals[4];
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4) {
    if constexpr (kPrefetch) {
      for (std::size_t next = i + ahead; next < std::min(i + ahead + 4, count); ++next) {
        place.template prefetch<kNorms>(next, bytes);
      }
    }
    sums.four(place.row(i), place.row(i + 1), place.row(i + 2), place.row(i + 3), totals);
#if DISKANN_SIMD
    ending.four(totals, i, out + i);
#else
    for (std::size_t k = 0; k < 4; ++k) out[i + k] = ending.one(totals[k], i + k);
#endif
  }
  const std::size_t rest = count - i;
  if (rest == 0) return;
  // Two or three rows at the end: the last stands in for those that are missing.
  const std::size_t last = count - 1;
  if (rest == 1) {
    sums.one(place.row(i), totals);
  } else {
    sums.four(place.row(i), place.row(i + 1), place.row(last), place.row(last), totals);
  }
  for (std::size_t k = 0; k < rest; ++k) out[i + k] = ending.one(totals[k], i + k);
}

template <Ending kEnding, class Total, class Place>
struct Finish {
  static constexpr bool kNorms = kEnding == Ending::Cosine || kEnding == Ending::SquaredDistance;
  const Place& place;
  float query_norm;
  HWY_INLINE float one(Total total, std::size_t at) const {
    return finish<kEnding>(total, query_norm, kNorms ? place.norm(at) : 0);
  }
#if DISKANN_SIMD
  HWY_INLINE void four(const Total* totals, std::size_t first, float* HWY_RESTRICT out) const {
    if constexpr (kNorms) {
      finish_four<kEnding>(totals, query_norm, place.four_norms(first), out);
    } else {
      finish_four<kEnding>(totals, 0, hn::Zero(FourFloats()), out);
    }
  }
#endif
};

template <class Sums_, Ending kEnding, class Place>
HWY_INLINE void compare(const Query& query, const Place& place, std::size_t count, float* HWY_RESTRICT out) {
  using End = Finish<kEnding, typename Sums_::Total, Place>;
  const std::size_t bytes = base::round_up(place.rows.dimension * sizeof(typename Sums_::Row), 64);
  const float query_norm =
      kEnding == Ending::SquaredDistance ? std::bit_cast<float>(query.squared_norm) : query.inverse_norm;
  compare_rows<End::kNorms>(Sums_(query, bytes / sizeof(typename Sums_::Row)), bytes, place, count,
                            End{place, query_norm}, out);
}

/// L2 sums other things than the two that need a dot product, but for integers whose norms are known.
template <class Squares, class Products, Distance kMetric, class Place>
HWY_INLINE void compare_by(const Query& query, const Place& place, std::size_t count, float* out) {
  if constexpr (kMetric == Distance::L2) {
    if constexpr (std::is_integral_v<typename Products::Total>) {
      if (place.norms != nullptr) return compare<Products, Ending::SquaredDistance>(query, place, count, out);
    }
    compare<Squares, Ending::Sum>(query, place, count, out);
  } else {
    compare<Products, kMetric == Distance::Cosine ? Ending::Cosine : Ending::Negated>(query, place, count, out);
  }
}

template <class Squares, class Products, Distance kMetric>
void many(const Query& query, const base::RowsView& rows, const float* norms, const base::Slot* slots,
          std::size_t count, float* out) {
  compare_by<Squares, Products, kMetric>(query, Gathered{rows, norms, slots}, count, out);
}

template <class Squares, class Products, Distance kMetric>
void block(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first, std::size_t count,
           float* out) {
  compare_by<Squares, Products, kMetric>(query, Consecutive{rows, norms, first}, count, out);
}

/// The kernels of one pair of query form and row type.
template <class Squares, class Products>
const KernelTable* find_metric(Distance metric) {
  static constexpr KernelTable kL2 = {many<Squares, Products, Distance::L2>, block<Squares, Products, Distance::L2>};
  static constexpr KernelTable kCosine = {many<Squares, Products, Distance::Cosine>,
                                          block<Squares, Products, Distance::Cosine>};
  static constexpr KernelTable kInnerProduct = {many<Squares, Products, Distance::InnerProduct>,
                                                block<Squares, Products, Distance::InnerProduct>};
  return of_metric(metric, kL2, kCosine, kInnerProduct);
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif  // per target
