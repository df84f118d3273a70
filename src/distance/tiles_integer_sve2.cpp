// Dense products of u8 rows and of i8 rows by SVE2 with vectors of any length: what does not fill a vector is masked.
// Sums are exact modulo 2^32, as those of tiles_integer.cpp.
#include "distance/targets.hpp"

#if DISKANN_HAS_SVE2
#undef DISKANN_SVE2
#define DISKANN_SVE2 1

#include <arm_sve.h>

#include "distance/tile_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

inline constexpr std::size_t kComponentBytes = 1;

// Vectors that cannot be members or elements of anything: what a tile holds in registers has names, and a step over it
// is a function of all.
template <class RowType>
using BytesOf = std::conditional_t<std::is_same_v<RowType, std::int8_t>, svint8_t, svuint8_t>;
template <class RowType>
using SumOf = std::conditional_t<std::is_same_v<RowType, std::int8_t>, svint32_t, svuint32_t>;

template <class RowType>
HWY_INLINE SumOf<RowType> zero() {
  if constexpr (std::is_same_v<RowType, std::int8_t>) {
    return svdup_s32(0);
  } else {
    return svdup_u32(0);
  }
}

/// From the sums of one left row with the columns of a vector to distances.
template <class RowType, Distance kMetric>
struct SveFinish {
  const TileBlock::Layout left;  // copies, since stores could change what a reference leads to
  const TileBlock::Layout right;
  float* out;
  std::size_t stride, first;

  /// What the columns bring along: squared norms (L2) or the bits of scales (cosine).
  HWY_INLINE svuint32_t columns(std::size_t column, svbool_t lanes) const {
    if constexpr (kMetric == Distance::L2) {
      return svld1(lanes, reinterpret_cast<const std::uint32_t*>(right.right_terms) + column);
    } else if constexpr (kMetric == Distance::Cosine) {
      return svreinterpret_u32(svld1(lanes, right.scales + column));
    } else {
      return svdup_u32(0);
    }
  }
  HWY_INLINE svfloat32_t distances(std::size_t row, svuint32_t columns, SumOf<RowType> sum) const {
    const svbool_t all = svptrue_b32();
    if constexpr (kMetric == Distance::L2) {
      const svuint32_t norms = svadd_x(all, columns, static_cast<std::uint32_t>(left.left_terms[row]));
      return svcvt_f32_x(all, svsub_x(all, norms, svlsl_x(all, svreinterpret_u32(sum), 1)));
    } else if constexpr (kMetric == Distance::Cosine) {
      const svfloat32_t scales = svmul_x(all, svreinterpret_f32(columns), left.scales[row]);
      const svfloat32_t value = svsubr_x(all, svmul_x(all, svcvt_f32_x(all, sum), scales), 1.0f);
      return svmin_x(all, svmax_x(all, value, 0.0f), 2.0f);
    } else {
      return svsubr_x(all, svcvt_f32_x(all, sum), 0.0f);
    }
  }
  HWY_INLINE void operator()(std::size_t row, std::size_t column, svbool_t lanes, svuint32_t columns,
                             SumOf<RowType> sum) const {
    svst1(lanes, out + (row - first) * stride + column, distances(row, columns, sum));
  }
};

#if DISKANN_I8MM

/// Adds eight components: of two left rows, with those of the columns of up to four vectors, two columns in 128 bits.
template <bool kFour, class Bytes, class Sum>
HWY_INLINE void add_pair(Bytes rows, Bytes c0, Bytes c1, Bytes c2, Bytes c3, Sum& s0, Sum& s1, Sum& s2, Sum& s3) {
  s0 = svmmla(s0, rows, c0);
  s1 = svmmla(s1, rows, c1);
  if constexpr (kFour) {
    s2 = svmmla(s2, rows, c2);
    s3 = svmmla(s3, rows, c3);
  }
}

/// The sums of the first and of the second row of a pair with the columns of two vectors.
template <bool kSecond, class Sum>
HWY_INLINE Sum row_of_pair(Sum a, Sum b) {
  const svuint64_t low = svreinterpret_u64(a), high = svreinterpret_u64(b);
  const svuint64_t row = kSecond ? svuzp2(low, high) : svuzp1(low, high);
  if constexpr (std::is_same_v<Sum, svint32_t>) {
    return svreinterpret_s32(row);
  } else {
    return svreinterpret_u32(row);
  }
}

/// Eight left rows, as four pairs, against four vectors of a panel's columns, or two where these hold it all: 16 sums,
/// 4 vectors of columns and a pair at a time in 32 registers.
template <class RowType, Distance kMetric, bool kShort>
HWY_INLINE void multiply_eight(const SveFinish<RowType, kMetric>& finish, std::size_t row, std::size_t panel,
                               std::size_t column) {
  using Bytes = BytesOf<RowType>;
  using Sum = SumOf<RowType>;
  const svbool_t all = svptrue_b8();
  const std::size_t lanes = svcntw(), step = svcntb(), stride = finish.left.stride;
  const auto within = [&](std::size_t vector) { return svwhilelt_b8(8 * column + vector * step, 8 * kPanel); };
  const svbool_t in0 = kShort ? all : within(0), in1 = kShort ? all : within(1), in2 = within(2), in3 = within(3);
  const auto* left = reinterpret_cast<const RowType*>(finish.left.left) + row * stride;
  const auto* right = reinterpret_cast<const RowType*>(finish.right.panels) + panel * kPanel * stride + 8 * column;
  Sum a0 = zero<RowType>(), a1 = a0, a2 = a0, a3 = a0, b0 = a0, b1 = a0, b2 = a0, b3 = a0;
  Sum c0 = a0, c1 = a0, c2 = a0, c3 = a0, e0 = a0, e1 = a0, e2 = a0, e3 = a0;
  for (std::size_t group = 0; group < finish.left.groups; group += 4) {  // rows and panels end in zeros
    const auto add = [&](std::size_t eight) {
      const RowType* at = right + eight * 8 * kPanel;
      const Bytes v0 = svld1(in0, at), v1 = svld1(in1, at + step);
      const Bytes v2 = kShort ? svld1(in2, at + 2 * step) : v0, v3 = kShort ? svld1(in3, at + 3 * step) : v0;
      const RowType* rows = left + eight * 16;
      add_pair<kShort>(svld1rq(all, rows), v0, v1, v2, v3, a0, a1, a2, a3);
      add_pair<kShort>(svld1rq(all, rows + 2 * stride), v0, v1, v2, v3, b0, b1, b2, b3);
      add_pair<kShort>(svld1rq(all, rows + 4 * stride), v0, v1, v2, v3, c0, c1, c2, c3);
      add_pair<kShort>(svld1rq(all, rows + 6 * stride), v0, v1, v2, v3, e0, e1, e2, e3);
    };
    add(0);
    add(1);
    left += 32;
    right += 16 * kPanel;
  }
  const auto close = [&](std::size_t from, Sum a, Sum a_next, Sum b, Sum b_next, Sum c, Sum c_next, Sum e, Sum e_next) {
    const svbool_t inside = svwhilelt_b32(from, kPanel);
    const std::size_t place = panel * kPanel + from;
    const svuint32_t columns = finish.columns(place, inside);
    finish(row, place, inside, columns, row_of_pair<false>(a, a_next));
    finish(row + 1, place, inside, columns, row_of_pair<true>(a, a_next));
    finish(row + 2, place, inside, columns, row_of_pair<false>(b, b_next));
    finish(row + 3, place, inside, columns, row_of_pair<true>(b, b_next));
    finish(row + 4, place, inside, columns, row_of_pair<false>(c, c_next));
    finish(row + 5, place, inside, columns, row_of_pair<true>(c, c_next));
    finish(row + 6, place, inside, columns, row_of_pair<false>(e, e_next));
    finish(row + 7, place, inside, columns, row_of_pair<true>(e, e_next));
  };
  close(column, a0, a1, b0, b1, c0, c1, e0, e1);
  if constexpr (kShort) close(column + lanes, a2, a3, b2, b3, c2, c3, e2, e3);
}

/// Two left rows stand side by side, eight components of each in turn, and so do those of a panel.
inline constexpr bool kPairs = true;

#else

/// Adds a group of four components: of a vector of columns, and of 16 bytes of each left row the kGroup-th four.
template <int kGroup, class Bytes, class Sum>
HWY_INLINE void add_group(Bytes columns, Bytes r0, Bytes r1, Bytes r2, Bytes r3, Bytes r4, Bytes r5, Bytes r6, Bytes r7,
                          Sum& s0, Sum& s1, Sum& s2, Sum& s3, Sum& s4, Sum& s5, Sum& s6, Sum& s7) {
  s0 = svdot_lane(s0, columns, r0, kGroup);
  s1 = svdot_lane(s1, columns, r1, kGroup);
  s2 = svdot_lane(s2, columns, r2, kGroup);
  s3 = svdot_lane(s3, columns, r3, kGroup);
  s4 = svdot_lane(s4, columns, r4, kGroup);
  s5 = svdot_lane(s5, columns, r5, kGroup);
  s6 = svdot_lane(s6, columns, r6, kGroup);
  s7 = svdot_lane(s7, columns, r7, kGroup);
}

/// Eight left rows against two vectors of a panel's columns, or one where that holds it all: 16 sums, 8 parts of rows
/// and 2 of columns in 32 registers. Left rows are taken 16 bytes at a time, which one load spreads over a vector of
/// any length.
template <class RowType, Distance kMetric, bool kShort>
HWY_INLINE void multiply_eight(const SveFinish<RowType, kMetric>& finish, std::size_t row, std::size_t panel,
                               std::size_t column) {
  using Bytes = BytesOf<RowType>;
  using Sum = SumOf<RowType>;
  const svbool_t all = svptrue_b8();
  const std::size_t lanes = svcntw(), stride = finish.left.stride;
  const svbool_t some = kShort ? all : svwhilelt_b8(4 * column, 4 * kPanel);
  const svbool_t more = svwhilelt_b8(4 * (column + lanes), 4 * kPanel);
  const auto* left = reinterpret_cast<const RowType*>(finish.left.left) + row * stride;
  const auto* right = reinterpret_cast<const RowType*>(finish.right.panels) + panel * kPanel * stride + 4 * column;
  Sum a0 = zero<RowType>(), a1 = a0, a2 = a0, a3 = a0, a4 = a0, a5 = a0, a6 = a0, a7 = a0;
  Sum b0 = a0, b1 = a0, b2 = a0, b3 = a0, b4 = a0, b5 = a0, b6 = a0, b7 = a0;
  for (std::size_t group = 0; group < finish.left.groups; group += 4) {  // rows and panels end in zeros
    const Bytes r0 = svld1rq(all, left), r1 = svld1rq(all, left + stride), r2 = svld1rq(all, left + 2 * stride);
    const Bytes r3 = svld1rq(all, left + 3 * stride), r4 = svld1rq(all, left + 4 * stride);
    const Bytes r5 = svld1rq(all, left + 5 * stride), r6 = svld1rq(all, left + 6 * stride);
    const Bytes r7 = svld1rq(all, left + 7 * stride);
    const auto add = [&]<int kGroup>() {
      const RowType* at = right + kGroup * 4 * kPanel;
      add_group<kGroup>(svld1(some, at), r0, r1, r2, r3, r4, r5, r6, r7, a0, a1, a2, a3, a4, a5, a6, a7);
      if constexpr (kShort)
        add_group<kGroup>(svld1(more, at + 4 * lanes), r0, r1, r2, r3, r4, r5, r6, r7, b0, b1, b2, b3, b4, b5, b6, b7);
    };
    add.template operator()<0>();
    add.template operator()<1>();
    add.template operator()<2>();
    add.template operator()<3>();
    left += 16;
    right += 16 * kPanel;
  }
  const auto close = [&](std::size_t from, Sum s0, Sum s1, Sum s2, Sum s3, Sum s4, Sum s5, Sum s6, Sum s7) {
    const svbool_t inside = svwhilelt_b32(from, kPanel);
    const std::size_t place = panel * kPanel + from;
    const svuint32_t columns = finish.columns(place, inside);
    finish(row, place, inside, columns, s0);
    finish(row + 1, place, inside, columns, s1);
    finish(row + 2, place, inside, columns, s2);
    finish(row + 3, place, inside, columns, s3);
    finish(row + 4, place, inside, columns, s4);
    finish(row + 5, place, inside, columns, s5);
    finish(row + 6, place, inside, columns, s6);
    finish(row + 7, place, inside, columns, s7);
  };
  close(column, a0, a1, a2, a3, a4, a5, a6, a7);
  if constexpr (kShort) close(column + lanes, b0, b1, b2, b3, b4, b5, b6, b7);
}

inline constexpr bool kPairs = false;

#endif  // DISKANN_I8MM

/// TileKernels::multiply from a panel of the right side on.
template <class RowType, Distance kMetric>
void multiply_from(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right,
                   std::size_t panel, float* out, std::size_t stride) {
  const SveFinish<RowType, kMetric> finish{left.layout(), right.layout(), out, stride, first};
  const std::size_t lanes = svcntw();
  for (; panel < right.padded_rows() / kPanel; ++panel) {
    for (std::size_t row = first; row < first + count; row += 8) {
      if (lanes >= kPanel) {
        multiply_eight<RowType, kMetric, false>(finish, row, panel, 0);
        continue;
      }
      for (std::size_t column = 0; column < kPanel; column += 2 * lanes)
        multiply_eight<RowType, kMetric, true>(finish, row, panel, column);
    }
  }
  close_columns(right.rows(), right.padded_rows(), count, out, stride);
}

/// Copies a row, in pieces of eight where it shares its place with another; returns its squared norm.
template <class RowType>
HWY_INLINE std::uint32_t copy_row(const RowType* row, std::size_t bytes, RowType* out) {
  SumOf<RowType> squares = zero<RowType>();
  for (std::size_t i = 0; i < bytes; i += svcntb()) {
    const svbool_t some = svwhilelt_b8(i, bytes);
    const BytesOf<RowType> value = svld1(some, row + i);
    squares = svdot(squares, value, value);
    if constexpr (!kPairs) svst1(some, out + i, value);
  }
  for (std::size_t i = 0; kPairs && i < bytes; i += 8) std::memcpy(out + 2 * i, row + i, 8);
  return static_cast<std::uint32_t>(svaddv(svptrue_b32(), squares));
}

/// The panels of left rows that stand in pairs.
HWY_INLINE void load_panels_of_pairs(const TileBlock::Layout& layout, std::size_t rows) {
  for (std::size_t first = 0; first < rows; first += kPanel) {
    const std::byte* pairs = layout.left + first * layout.stride;
    std::byte* out = layout.panels + first * layout.stride;
    for (std::size_t at = 0; at < 2 * layout.stride; at += 16)
      for (std::size_t pair = 0; pair < kPanel / 2; ++pair, out += 16)
        std::memcpy(out, pairs + pair * 2 * layout.stride + at, 16);
  }
}

template <class RowType, Distance kMetric>
void load_integers(const TileSource& source, bool panels, TileBlock& block) {
  const std::size_t bytes = base::round_up(source.rows.dimension, 64);
  TileBlock::Layout& layout = block.reset(source.count, bytes, panels);
  layout.groups = (source.rows.dimension + 3) / 4;
  std::uint32_t largest = 0;
  load_rows(source, panels && !kPairs, 0, layout, [&](std::size_t i, const std::byte* row, std::byte* out) {
    if (kPairs && i % 2 == 1) out -= bytes - 8;
    const std::uint32_t squares =
        copy_row(reinterpret_cast<const RowType*>(row), bytes, reinterpret_cast<RowType*>(out));
    layout.left_terms[i] = layout.right_terms[i] = static_cast<std::int32_t>(squares);  // for L2 alone
    layout.norms[i] = static_cast<float>(squares);
    largest = std::max(largest, squares);
  });
  if (kPairs && panels) load_panels_of_pairs(layout, source.count);
  block.set_largest_squared_norm(static_cast<double>(largest));
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#include "distance/tiles_integer_ends-inl.h"

#endif
