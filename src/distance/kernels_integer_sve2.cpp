// Queries in u8 and i8 against rows of the same type, by SVE2 with vectors of any length: loops step by the length that
// the processor has. Sums are exact modulo 2^32, as those of kernels_integer.cpp.
#include "distance/targets.hpp"

#if DISKANN_HAS_SVE2
#undef DISKANN_SVE2
#define DISKANN_SVE2 1

#include <arm_sve.h>

#include "distance/kernel_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

/// SimdSums over vectors that cannot be members of anything, so its steps are functions of them.
template <class RowType, bool kSquares>
struct SveSums {
  using Row = RowType;
  static constexpr bool kSigned = std::is_same_v<RowType, std::int8_t> && !kSquares;
  using Total = std::conditional_t<kSigned, std::int32_t, std::uint32_t>;
  using Sum = std::conditional_t<kSigned, svint32_t, svuint32_t>;
  using Bytes = std::conditional_t<std::is_same_v<RowType, std::int8_t>, svint8_t, svuint8_t>;

  const RowType* query;
  const std::size_t bytes;
  SveSums(const Query& q, std::size_t padded) : query(reinterpret_cast<const RowType*>(q.data)), bytes(padded) {}

  static HWY_INLINE Sum zero() {
    if constexpr (kSigned) {
      return svdup_s32(0);
    } else {
      return svdup_u32(0);
    }
  }
  /// Lanes beyond `some` are zero on both sides and add nothing.
  static HWY_INLINE Sum add(Sum sum, Bytes part, svbool_t some, const std::byte* row, std::size_t i) {
    const Bytes value = svld1(some, reinterpret_cast<const RowType*>(row) + i);
    if constexpr (!kSquares) {
      return svdot(sum, value, part);
    } else if constexpr (std::is_same_v<RowType, std::int8_t>) {
      const svuint8_t difference = svreinterpret_u8(svabd_x(svptrue_b8(), value, part));
      return svdot(sum, difference, difference);
    } else {
      const svuint8_t difference = svabd_x(svptrue_b8(), value, part);
      return svdot(sum, difference, difference);
    }
  }
  /// The lanes of four vectors by one transposition, which leaves four sums in every 128 bits.
  static HWY_INLINE void store(Sum a, Sum b, Sum c, Sum e, Total* HWY_RESTRICT out) {
    const svbool_t all = svptrue_b32();
    const svuint64_t ab = svreinterpret_u64(svaddp_x(all, a, b)), ce = svreinterpret_u64(svaddp_x(all, c, e));
    svuint32_t sums = svadd_x(all, svreinterpret_u32(svtrn1(ab, ce)), svreinterpret_u32(svtrn2(ab, ce)));
    svuint32_t rest = sums;
    for (std::size_t lane = 4; lane < svcntw(); lane += 4) {
      rest = svext(rest, rest, 4);
      sums = svadd_x(all, sums, rest);
    }
    svst1(svptrue_pat_b32(SV_VL4), reinterpret_cast<std::uint32_t*>(out), sums);
  }

  HWY_INLINE void four(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* e,
                       Total* HWY_RESTRICT out) const {
    Sum a0 = zero(), b0 = zero(), c0 = zero(), e0 = zero(), a1 = zero(), b1 = zero(), c1 = zero(), e1 = zero();
    const svbool_t all = svptrue_b8();
    const std::size_t step = svcntb();
    const auto last_pair = static_cast<std::ptrdiff_t>(bytes - 2 * step);  // below 0: not even one
    std::size_t i = 0;
    for (; static_cast<std::ptrdiff_t>(i) <= last_pair; i += 2 * step) {
      std::size_t next = i + step;
      asm("" : "+r"(next));  // else GCC makes two pointers of each row, which cost more than this index
      const Bytes first = svld1(all, query + i), second = svld1(all, query + next);
      a0 = add(a0, first, all, a, i);
      b0 = add(b0, first, all, b, i);
      c0 = add(c0, first, all, c, i);
      e0 = add(e0, first, all, e, i);
      a1 = add(a1, second, all, a, next);
      b1 = add(b1, second, all, b, next);
      c1 = add(c1, second, all, c, next);
      e1 = add(e1, second, all, e, next);
    }
    for (; i < bytes; i += step) {
      const svbool_t some = svwhilelt_b8(i, bytes);
      const Bytes last = svld1(some, query + i);
      a0 = add(a0, last, some, a, i);
      b0 = add(b0, last, some, b, i);
      c0 = add(c0, last, some, c, i);
      e0 = add(e0, last, some, e, i);
    }
    store(svadd_x(all, a0, a1), svadd_x(all, b0, b1), svadd_x(all, c0, c1), svadd_x(all, e0, e1), out);
  }

  HWY_INLINE void one(const std::byte* a, Total* HWY_RESTRICT out) const {
    Sum a0 = zero(), a1 = zero();
    const svbool_t all = svptrue_b8();
    const std::size_t step = svcntb();
    std::size_t i = 0;
    for (; i + 2 * step <= bytes; i += 2 * step) {
      a0 = add(a0, svld1(all, query + i), all, a, i);
      a1 = add(a1, svld1(all, query + i + step), all, a, i + step);
    }
    for (; i < bytes; i += step) {
      const svbool_t some = svwhilelt_b8(i, bytes);
      a0 = add(a0, svld1(some, query + i), some, a, i);
    }
    *out = static_cast<Total>(svaddv(all, svadd_x(all, a0, a1)));
  }
};

template <class RowType>
const KernelTable* find_integer_of(Distance metric) {
  return find_metric<SveSums<RowType, true>, SveSums<RowType, false>>(metric);
}

const KernelTable* find_integer(Distance metric, VectorType rows) {
  switch (rows) {
    case VectorType::U8: return find_integer_of<std::uint8_t>(metric);
    case VectorType::I8: return find_integer_of<std::int8_t>(metric);
    case VectorType::F32:
    case VectorType::F16: break;
  }
  return nullptr;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif
