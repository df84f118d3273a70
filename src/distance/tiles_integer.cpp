// Dense products of u8 rows and of i8 rows. Sums are exact modulo 2^32, and every total of at most 65,535 components
// fits 32 bits: squared distances and products of u8 as unsigned, products of i8 as signed.
#include "distance/targets.hpp"

#if !DISKANN_DOTPROD && !DISKANN_AMX
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/tiles_integer.cpp"
#include <hwy/foreach_target.h>
#endif
#include <hwy/highway.h>

#include "distance/tile_shapes-inl.h"
#if DISKANN_AMX
#include "distance/amx_blocks-inl.h"
#endif

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

/// Sum and sum of squares of a row, modulo 2^32.
struct RowSums {
  std::uint32_t sum, squares;
};

#if DISKANN_AMX

// Bytes as they are: both sides of a product have one sign here.
inline constexpr bool kFlips = false;
inline constexpr std::size_t kComponentBytes = 1;

#elif DISKANN_VNNI

// Byte products want one unsigned and one signed side: left rows are signed, panels unsigned. Flipping the top bit
// turns u8 into i8 - 128 and i8 into u8 + 128; what that adds to a product is 128 times the sum of the other row.
template <class RowType>
struct IntegerTile {
  using State = VI;
  static constexpr std::size_t kRegisters = 1;
  using Vector = VI;
  static HWY_INLINE VI zero() { return hn::Zero(D32()); }
  static HWY_INLINE VI load(const std::byte* at) { return hn::Load(D32(), reinterpret_cast<const std::int32_t*>(at)); }
  static HWY_INLINE VI broadcast(const std::byte* at) {
    return hn::Set(D32(), *reinterpret_cast<const std::int32_t*>(at));
  }
  static HWY_INLINE void add(VI& sum, VI right, VI left) { accumulate_byte_products(sum, right, left); }
  static HWY_INLINE VI total(VI sum) { return sum; }
};
inline constexpr bool kFlips = true;
inline constexpr std::size_t kComponentBytes = 1;

#endif

#if DISKANN_VNNI

/// Converts whole multiples of 64 bytes, with the zeros that rows end in: AMX multiplies those too.
template <class RowType>
HWY_INLINE RowSums convert_row(const std::byte* row, std::size_t dimension, std::byte* out) {
  const hn::ScalableTag<std::uint8_t> d;
  const Bytes top = hn::Set(d, 0x80), ones = hn::Set(d, 1);
  Sums sums = hn::Zero(hn::ScalableTag<std::int32_t>()), squares = sums;
  for (std::size_t i = 0; i < dimension; i += 64) {
    const Bytes value = hn::Load(d, reinterpret_cast<const std::uint8_t*>(row) + i);
    const Bytes flipped = hn::Xor(value, top);
    if constexpr (std::is_same_v<RowType, std::uint8_t>) {
      sums = add_byte_products(sums, value, ones);
      squares = add_byte_products(squares, value, flipped);  // of x and x - 128
      hn::Store(kFlips ? flipped : value, d, reinterpret_cast<std::uint8_t*>(out) + i);
    } else {
      sums = add_byte_products(sums, ones, value);
      squares = add_byte_products(squares, flipped, value);  // of x + 128 and x
      hn::Store(value, d, reinterpret_cast<std::uint8_t*>(out) + i);
    }
  }
  const hn::ScalableTag<std::int32_t> d32;
  const auto sum = static_cast<std::uint32_t>(hn::GetLane(hn::SumOfLanes(d32, sums)));
  const auto products = static_cast<std::uint32_t>(hn::GetLane(hn::SumOfLanes(d32, squares)));
  return {sum, std::is_same_v<RowType, std::uint8_t> ? products + 128 * sum : products - 128 * sum};
}

#elif DISKANN_AMX

/// Only tests compile this: on machines of any kind, with a model of the registers.
template <class RowType>
RowSums convert_row(const std::byte* row, std::size_t dimension, std::byte* out) {
  const auto* const from = reinterpret_cast<const RowType*>(row);
  std::copy_n(row, base::round_up(dimension, 64), out);
  std::uint32_t squares = 0;
  for (std::size_t i = 0; i < dimension; ++i) squares += static_cast<std::uint32_t>(from[i] * from[i]);
  return {0, squares};
}

#elif DISKANN_DOTPROD

/// Bytes as they are: both sides of a product have one sign here.
template <class RowType>
struct IntegerTile {
  using State = VI;
  static constexpr std::size_t kRegisters = 1;
  using Vector = Bytes;
  using D8 = hn::Repartition<std::uint8_t, D32>;
  static HWY_INLINE VI zero() { return hn::Zero(D32()); }
  static HWY_INLINE Bytes load(const std::byte* at) {
    return hn::Load(D8(), reinterpret_cast<const std::uint8_t*>(at));
  }
  static HWY_INLINE Bytes broadcast(const std::byte* at) {
    return hn::BitCast(D8(), hn::Set(D32(), *reinterpret_cast<const std::int32_t*>(at)));
  }
  static HWY_INLINE void add(VI& sum, Bytes right, Bytes left) {
    sum = add_byte_products<std::is_same_v<RowType, std::int8_t>>(sum, right, left);
  }
  static HWY_INLINE VI total(VI sum) { return sum; }
};
inline constexpr bool kFlips = false;
inline constexpr std::size_t kComponentBytes = 1;

template <class RowType>
HWY_INLINE RowSums convert_row(const std::byte* row, std::size_t dimension, std::byte* out) {
  const hn::ScalableTag<std::uint8_t> d;
  Sums squares = hn::Zero(hn::ScalableTag<std::int32_t>());
  for (std::size_t i = 0; i < dimension; i += 16) {  // rows are padded with zeros
    const Bytes value = hn::Load(d, reinterpret_cast<const std::uint8_t*>(row) + i);
    squares = add_byte_products<std::is_same_v<RowType, std::int8_t>>(squares, value, value);
    hn::Store(value, d, reinterpret_cast<std::uint8_t*>(out) + i);
  }
  const hn::ScalableTag<std::int32_t> d32;
  return {0, static_cast<std::uint32_t>(hn::GetLane(hn::SumOfLanes(d32, squares)))};
}

#elif DISKANN_SIMD

/// 16-bit components in pairs: exact on every instruction set.
template <class RowType>
struct IntegerTile {
  using D16 = hn::Repartition<std::int16_t, D32>;
  using Vector = hn::VFromD<D16>;
  struct State {
    HWY_INLINE State() {}  // written out, since an implicit one is not of this instruction set
    HWY_INLINE State(VI a, VI b) : low(a), high(b) {}
    VI low, high;
  };
  static constexpr std::size_t kRegisters = HWY_ARCH_X86 ? 1 : 2;  // x86 leaves the upper sums alone
  static HWY_INLINE State zero() { return {hn::Zero(D32()), hn::Zero(D32())}; }
  static HWY_INLINE Vector load(const std::byte* at) {
    return hn::Load(D16(), reinterpret_cast<const std::int16_t*>(at));
  }
  static HWY_INLINE Vector broadcast(const std::byte* at) {
    return hn::BitCast(D16(), hn::Set(D32(), *reinterpret_cast<const std::int32_t*>(at)));
  }
  static HWY_INLINE void add(State& sum, Vector right, Vector left) {
    sum.low = hn::ReorderWidenMulAccumulate(D32(), right, left, sum.low, sum.high);
    finish_now(sum.low);
  }
  static HWY_INLINE VI total(const State& sum) { return hn::RearrangeToOddPlusEven(sum.low, sum.high); }
};

#endif

#if !DISKANN_VNNI && !DISKANN_DOTPROD && !DISKANN_AMX

inline constexpr bool kFlips = false;
inline constexpr std::size_t kComponentBytes = 2;

template <class RowType>
HWY_INLINE RowSums convert_row(const std::byte* row, std::size_t dimension, std::byte* out) {
  const auto* HWY_RESTRICT from = reinterpret_cast<const RowType*>(row);
  auto* HWY_RESTRICT to = reinterpret_cast<std::int16_t*>(out);
  std::uint32_t squares = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    to[i] = from[i];
    squares += static_cast<std::uint32_t>(from[i] * from[i]);
  }
  return {0, squares};  // the sum serves flipped components alone
}

#endif

/// 32 bits to float, rounded once. Totals that may pass 2^31 are taken in halves, of which one is exact.
template <bool kUnsigned>
HWY_INLINE float to_float(std::uint32_t total) {
  return kUnsigned ? static_cast<float>(total) : static_cast<float>(static_cast<std::int32_t>(total));
}

#if DISKANN_SIMD

template <bool kUnsigned>
HWY_INLINE VF to_float(VI total, bool beyond_signed) {
  const DF d;
  if (!kUnsigned || !beyond_signed) return hn::ConvertTo(d, total);
  const hn::RebindToUnsigned<D32> unsigned_d;
  const auto bits = hn::BitCast(unsigned_d, total);
  const VF high = hn::ConvertTo(d, hn::BitCast(D32(), hn::ShiftRight<16>(bits)));
  const VF low = hn::ConvertTo(d, hn::And(total, hn::Set(D32(), 0xFFFF)));
  return hn::MulAdd(high, hn::Set(d, 65536.0f), low);
}

#endif

template <class RowType, Distance kMetric>
struct IntegerFinish {
  static constexpr bool kUnsigned = kMetric == Distance::L2 || std::is_same_v<RowType, std::uint8_t>;
  const TileBlock::Layout& left;
  const TileBlock::Layout& right;
  float* out;
  std::size_t stride, first;
  bool beyond_signed;

#if DISKANN_SIMD
  HWY_INLINE void operator()(std::size_t row, std::size_t column, VI sum) const {
    const DF d;
    const VI terms = hn::Add(hn::Set(D32(), left.left_terms[row]), hn::Load(D32(), right.right_terms + column));
    VF value;
    if constexpr (kMetric == Distance::L2) {
      value = to_float<kUnsigned>(hn::Sub(terms, hn::Add(sum, sum)), beyond_signed);
    } else if constexpr (kMetric == Distance::Cosine) {
      const VF scale = hn::Mul(hn::Set(d, left.scales[row]), hn::Load(d, right.scales + column));
      value = hn::Sub(hn::Set(d, 1.0f), hn::Mul(to_float<kUnsigned>(hn::Add(terms, sum), beyond_signed), scale));
      value = hn::Min(hn::Max(value, hn::Zero(d)), hn::Set(d, 2.0f));
    } else {
      value = hn::Sub(hn::Zero(d), to_float<kUnsigned>(hn::Add(terms, sum), beyond_signed));
    }
    hn::StoreU(value, d, out + (row - first) * stride + column);
  }
#else
  void operator()(std::size_t row, std::size_t column, std::uint32_t sum) const {
    const auto terms =
        static_cast<std::uint32_t>(left.left_terms[row]) + static_cast<std::uint32_t>(right.right_terms[column]);
    float value = 0;
    if constexpr (kMetric == Distance::L2) {
      value = to_float<kUnsigned>(terms - 2 * sum);
    } else if constexpr (kMetric == Distance::Cosine) {
      const float product = to_float<kUnsigned>(terms + sum);
      value = std::min(std::max(1.0f - product * (left.scales[row] * right.scales[column]), 0.0f), 2.0f);
    } else {
      value = 0.0f - to_float<kUnsigned>(terms + sum);
    }
    out[(row - first) * stride + column] = value;
  }
#endif
};

/// TileKernels::multiply from a panel of the right side on.
template <class RowType, Distance kMetric>
void multiply_from(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right,
                   std::size_t panel, float* out, std::size_t stride) {
  const TileBlock::Layout& a = left.layout();
  const TileBlock::Layout& b = right.layout();
  const bool beyond_signed = a.groups * (4 / kComponentBytes) > 33'000;  // x 255^2 > 2^31
  const IntegerFinish<RowType, kMetric> finish{a, b, out, stride, first, beyond_signed};
#if DISKANN_AMX
  multiply_with_tiles<DISKANN_AMX_REGISTERS, std::is_same_v<RowType, std::int8_t>>(
      left, first, count, right, panel, [&](std::size_t row, std::size_t column, const std::int32_t* sums) {
#if DISKANN_SIMD
        for (std::size_t v = 0; v < kPanel; v += kLanes) finish(row, column + v, hn::LoadU(D32(), sums + v));
#else
        for (std::size_t i = 0; i < kPanel; ++i) finish(row, column + i, static_cast<std::uint32_t>(sums[i]));
#endif
      });
#elif DISKANN_SIMD
  multiply_block<IntegerTile<RowType>>(a, first, first + count, b, panel, right.padded_rows() / kPanel, finish);
#else
  std::uint32_t sums[kPanel];
  for (std::size_t row = first; row < first + count; ++row) {
    for (std::size_t column = panel * kPanel; column < right.rows(); ++column) {
      if (column % kPanel == 0) plain_products<std::int16_t, std::uint32_t, 2>(a, row, b, column / kPanel, sums);
      finish(row, column, sums[column % kPanel]);
    }
  }
#endif
  close_columns(right.rows(), right.padded_rows(), count, out, stride);
}

template <class RowType, Distance kMetric>
void load_integers(const TileSource& source, bool panels, TileBlock& block) {
  constexpr bool kSigned = std::is_same_v<RowType, std::int8_t>;
  const std::size_t bytes = source.rows.dimension * kComponentBytes;
  TileBlock::Layout& layout = block.reset(source.count, base::round_up(bytes, 64), panels);
  layout.groups = (bytes + 3) / 4;
  std::uint32_t largest = 0;
  load_rows(source, panels, kFlips ? 0x80808080u : 0, layout, [&](std::size_t i, const std::byte* row, std::byte* out) {
    const RowSums sums = convert_row<RowType>(row, source.rows.dimension, out);
    const std::uint32_t flips = kFlips ? 128 * sums.sum : 0;  // what the other side's flips add to products
    std::uint32_t as_left = kSigned ? 0u - flips : 0, as_right = kSigned ? 0 : flips;
    if constexpr (kMetric == Distance::L2) {
      as_left = sums.squares - 2 * as_left;
      as_right = sums.squares - 2 * as_right;
    }
    layout.left_terms[i] = static_cast<std::int32_t>(as_left);
    layout.right_terms[i] = static_cast<std::int32_t>(as_right);
    layout.norms[i] = static_cast<float>(sums.squares);
    largest = std::max(largest, sums.squares);
  });
  block.set_largest_squared_norm(static_cast<double>(largest));
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#include "distance/tiles_integer_ends-inl.h"

#if HWY_ONCE && !DISKANN_DOTPROD && !DISKANN_AMX
namespace diskann::distance {

std::span<const TargetTiles> integer_tile_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##tiles::find_integer_tiles},
  static constexpr TargetTiles kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
