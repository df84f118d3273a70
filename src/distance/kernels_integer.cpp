// Queries in u8 and i8 against rows of the same type. Sums are exact modulo 2^32, and every total of at most 65,535
// components fits 32 bits: squared distances and products of u8 as unsigned, products of i8 as signed.
#include "distance/targets.hpp"

#if !DISKANN_DOTPROD
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/kernels_integer.cpp"
#include <hwy/foreach_target.h>
#endif
#include <hwy/highway.h>

#include "distance/kernel_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

template <class RowType, bool kSquares>
using TotalOf = std::conditional_t<kSquares || std::is_same_v<RowType, std::uint8_t>, std::uint32_t, std::int32_t>;

#if DISKANN_SIMD

using Four = hn::FixedTag<std::int32_t, 4>;

template <class Total>
HWY_INLINE void store_four(hn::VFromD<Four> sums, Total* HWY_RESTRICT out) {
  hn::Store(sums, Four(), reinterpret_cast<std::int32_t*>(out));
}

/// Widens to 16 bits and multiplies pairs.
template <class RowType, bool kSquares>
struct WideningUnit {
  using D32 = hn::ScalableTag<std::int32_t>;
  using D16 = hn::ScalableTag<std::int16_t>;
  using V32 = hn::VFromD<D32>;
  using V16 = hn::VFromD<D16>;
  using Row = RowType;
  using Total = TotalOf<RowType, kSquares>;
  static constexpr std::size_t kStep = hn::MaxLanes(D16());
  static constexpr int kChains = 2;
  struct State {
    V32 low, high;
  };

  const std::byte* query;
  WideningUnit(const Query& q, std::size_t) : query(q.data) {}

  static HWY_INLINE State zero() { return {hn::Zero(D32()), hn::Zero(D32())}; }
  static HWY_INLINE V32 join(const State& a, const State& b) {
    return hn::Add(hn::Add(a.low, a.high), hn::Add(b.low, b.high));
  }
  static HWY_INLINE V16 load(const std::byte* row, std::size_t i) {
    return hn::PromoteTo(D16(), hn::Load(hn::Rebind<RowType, D16>(), reinterpret_cast<const RowType*>(row) + i));
  }
  HWY_INLINE V16 part(std::size_t i) const { return load(query, i); }
  HWY_INLINE void add(State& sum, V16 part, const std::byte* row, std::size_t i) const {
    const V16 value = load(row, i);
    const V16 difference = hn::Sub(value, part);
    sum.low = hn::ReorderWidenMulAccumulate(D32(), kSquares ? difference : value, kSquares ? difference : part, sum.low,
                                            sum.high);
  }
  HWY_INLINE void store(V32 a, V32 b, V32 c, V32 e, Total* HWY_RESTRICT out) const {
    store_four(four_lane_sums(D32(), a, b, c, e), out);
  }
};

#if DISKANN_VNNI

/// With d = |a - b| as an unsigned byte, d * d = d * (d - 128) + 128 * d, and d - 128 fits a signed byte.
template <class RowType>
struct VnniSquares {
  using D8 = hn::ScalableTag<std::uint8_t>;
  using D32 = hn::ScalableTag<std::int32_t>;
  using Row = RowType;
  using Total = std::uint32_t;
  static constexpr std::size_t kStep = 64;
  static constexpr int kChains = 1;
  struct State {
    Sums products, differences;
  };

  const std::uint8_t* query;
  VnniSquares(const Query& q, std::size_t) : query(reinterpret_cast<const std::uint8_t*>(q.data)) {}

  static HWY_INLINE State zero() { return {hn::Zero(D32()), hn::Zero(D32())}; }
  static HWY_INLINE Sums join(const State& a, const State&) {
    return hn::Add(a.products, hn::ShiftLeft<7>(a.differences));
  }
  HWY_INLINE Bytes part(std::size_t i) const { return hn::Load(D8(), query + i); }
  HWY_INLINE void add(State& sum, Bytes part, const std::byte* row, std::size_t i) const {
    const hn::ScalableTag<RowType> d;
    const auto a = hn::Load(d, reinterpret_cast<const RowType*>(row) + i);
    const auto b = hn::BitCast(d, part);
    const Bytes difference = hn::BitCast(D8(), hn::Sub(hn::Max(a, b), hn::Min(a, b)));
    accumulate_byte_products(sum.products, difference, hn::Xor(difference, hn::Set(D8(), 0x80)));
    accumulate_byte_products(sum.differences, difference, hn::Set(D8(), 1));
  }
  HWY_INLINE void store(Sums a, Sums b, Sums c, Sums e, Total* HWY_RESTRICT out) const {
    store_four(four_lane_sums(D32(), a, b, c, e), out);
  }
};

/// Byte products want one unsigned and one signed side. Flipping the top bit of the row's bytes turns u8 into
/// i8 - 128 and i8 into u8 + 128; what that adds to the product is 128 times the sum of the query.
template <class RowType>
struct VnniProducts {
  using D8 = hn::ScalableTag<std::uint8_t>;
  using D32 = hn::ScalableTag<std::int32_t>;
  using Row = RowType;
  using Total = TotalOf<RowType, false>;
  static constexpr std::size_t kStep = 64;
  static constexpr int kChains = 1;
  static constexpr bool kSigned = std::is_same_v<RowType, std::int8_t>;

  const std::uint8_t* query;
  hn::VFromD<Four> correction;
  VnniProducts(const Query& q, std::size_t padded) : query(reinterpret_cast<const std::uint8_t*>(q.data)) {
    const Bytes ones = hn::Set(D8(), 1);
    Sums sums = zero();
    for (std::size_t i = 0; i < padded; i += kStep)
      sums = kSigned ? add_byte_products(sums, ones, part(i)) : add_byte_products(sums, part(i), ones);
    const auto all = hn::ShiftLeft<7>(four_lane_sums(D32(), sums, sums, sums, sums));
    correction = kSigned ? hn::Sub(hn::Zero(Four()), all) : all;
  }

  static HWY_INLINE Sums zero() { return hn::Zero(D32()); }
  static HWY_INLINE Sums join(Sums a, Sums) { return a; }
  HWY_INLINE Bytes part(std::size_t i) const { return hn::Load(D8(), query + i); }
  HWY_INLINE void add(Sums& sum, Bytes part, const std::byte* row, std::size_t i) const {
    const Bytes value = hn::Load(D8(), reinterpret_cast<const std::uint8_t*>(row) + i);
    const Bytes flipped = hn::Xor(value, hn::Set(D8(), 0x80));
    accumulate_byte_products(sum, kSigned ? flipped : part, kSigned ? part : flipped);
  }
  HWY_INLINE void store(Sums a, Sums b, Sums c, Sums e, Total* HWY_RESTRICT out) const {
    store_four(hn::Add(four_lane_sums(D32(), a, b, c, e), correction), out);
  }
};

template <class RowType>
using Squares = SimdSums<VnniSquares<RowType>>;
template <class RowType>
using Products = SimdSums<VnniProducts<RowType>>;

#elif DISKANN_DOTPROD

/// Both sides of a product have one sign here, and differences are unsigned.
template <class RowType, bool kSquares>
struct DotUnit {
  using D8 = hn::ScalableTag<std::uint8_t>;
  using D32 = hn::ScalableTag<std::int32_t>;
  using Row = RowType;
  using Total = TotalOf<RowType, kSquares>;
  static constexpr std::size_t kStep = 16;
  static constexpr int kChains = 2;
  static constexpr bool kSigned = std::is_same_v<RowType, std::int8_t>;

  const std::uint8_t* query;
  DotUnit(const Query& q, std::size_t) : query(reinterpret_cast<const std::uint8_t*>(q.data)) {}

  static HWY_INLINE Sums zero() { return hn::Zero(D32()); }
  static HWY_INLINE Sums join(Sums a, Sums b) { return hn::Add(a, b); }
  HWY_INLINE Bytes part(std::size_t i) const { return hn::Load(D8(), query + i); }
  HWY_INLINE void add(Sums& sum, Bytes part, const std::byte* row, std::size_t i) const {
    const Bytes value = hn::Load(D8(), reinterpret_cast<const std::uint8_t*>(row) + i);
    if constexpr (kSquares) {
      const Bytes difference = byte_differences<kSigned>(value, part);
      sum = add_byte_products<false>(sum, difference, difference);
    } else {
      sum = add_byte_products<kSigned>(sum, value, part);
    }
  }
  HWY_INLINE void store(Sums a, Sums b, Sums c, Sums e, Total* HWY_RESTRICT out) const {
    store_four(four_lane_sums(D32(), a, b, c, e), out);
  }
};

template <class RowType>
using Squares = SimdSums<DotUnit<RowType, true>>;
template <class RowType>
using Products = SimdSums<DotUnit<RowType, false>>;

#else

template <class RowType>
using Squares = SimdSums<WideningUnit<RowType, true>>;
template <class RowType>
using Products = SimdSums<WideningUnit<RowType, false>>;

#endif  // DISKANN_VNNI

#else

template <class RowType, bool kSquares>
struct PlainIntegerUnit {
  using Row = RowType;
  using Total = TotalOf<RowType, kSquares>;

  const RowType* query;
  explicit PlainIntegerUnit(const Query& q) : query(reinterpret_cast<const RowType*>(q.data)) {}

  Total sum(const std::byte* bytes, std::size_t components) const {
    const auto* row = reinterpret_cast<const RowType*>(bytes);
    std::uint32_t total = 0;  // wraps as the vector forms do
    for (std::size_t i = 0; i < components; ++i) {
      const int difference = row[i] - query[i];
      total += static_cast<std::uint32_t>(kSquares ? difference * difference : row[i] * query[i]);
    }
    return static_cast<Total>(total);
  }
};

template <class RowType>
using Squares = PlainSums<PlainIntegerUnit<RowType, true>>;
template <class RowType>
using Products = PlainSums<PlainIntegerUnit<RowType, false>>;

#endif  // DISKANN_SIMD

const KernelTable* find_integer(Distance metric, VectorType rows) {
  switch (rows) {
    case VectorType::U8: return find_metric<Squares<std::uint8_t>, Products<std::uint8_t>>(metric);
    case VectorType::I8: return find_metric<Squares<std::int8_t>, Products<std::int8_t>>(metric);
    case VectorType::F32:
    case VectorType::F16: break;
  }
  return nullptr;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE && !DISKANN_DOTPROD
namespace diskann::distance {

std::span<const TargetKernels> integer_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {runs_here, name, N_##kernels::find_integer},
  static constexpr TargetKernels kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
