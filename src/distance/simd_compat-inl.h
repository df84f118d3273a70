// Per-target part, included once for each instruction set: what Highway 1.0.3 lacks, and sums over vectors.

#if defined(DISKANN_DISTANCE_SIMD_COMPAT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DISKANN_DISTANCE_SIMD_COMPAT_INL_H_
#undef DISKANN_DISTANCE_SIMD_COMPAT_INL_H_
#else
#define DISKANN_DISTANCE_SIMD_COMPAT_INL_H_
#endif

#include <hwy/highway.h>

// Highway has no vectors worth the name for these: kernels are plain loops there.
#undef DISKANN_SIMD
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
#define DISKANN_SIMD 0
#else
#define DISKANN_SIMD 1
#endif

// Our part of a set's code: the namespace it stands in, that of Highway's vectors but for a set of ours, and what it is
// compiled for where that is not Highway's.
#undef DISKANN_NAMESPACE
#undef DISKANN_TARGET_STR
#undef DISKANN_VNNI
#define DISKANN_VNNI 0
#if DISKANN_FMA4 && DISKANN_FMA4_STAND_IN
#define DISKANN_NAMESPACE N_FMA4_STAND_IN
#define DISKANN_TARGET_STR "avx"
#elif DISKANN_FMA4
#define DISKANN_NAMESPACE N_FMA4
#define DISKANN_TARGET_STR "avx,fma4"
#elif DISKANN_SVE2
// On top of what the whole library is compiled for. Matrix products want ARMv8.2, which only its extensions show.
#if DISKANN_I8MM
#define DISKANN_NAMESPACE N_SVE2_I8MM
#if HWY_HAVE_RUNTIME_DISPATCH && defined(__ARM_FEATURE_DOTPROD)
#define DISKANN_TARGET_STR "+sve2+i8mm" HWY_TARGET_STR
#elif HWY_HAVE_RUNTIME_DISPATCH
#define DISKANN_TARGET_STR "arch=armv8.2-a+sve2+i8mm" HWY_TARGET_STR
#endif
#else
#define DISKANN_NAMESPACE N_SVE2
#if HWY_HAVE_RUNTIME_DISPATCH
#define DISKANN_TARGET_STR "+sve2" HWY_TARGET_STR
#endif
#endif
#elif DISKANN_DOTPROD
#define DISKANN_NAMESPACE N_NEON_DOTPROD
#if !defined(__ARM_FEATURE_DOTPROD)
#define DISKANN_TARGET_STR "arch=armv8.2-a+dotprod" HWY_TARGET_STR
#endif
#elif DISKANN_AMX
#define DISKANN_NAMESPACE DISKANN_AMX_NAMESPACE
#else
#define DISKANN_NAMESPACE HWY_NAMESPACE
#endif
#if HWY_TARGET == HWY_AVX3_DL && !DISKANN_FMA4
// Highway tests for AVX-512 VNNI before it chooses this set, but its target string names only AVX-VNNI, another
// encoding of the 128 and 256-bit forms that not all of these processors have. So the right one is added, and only
// 512-bit forms, which have no other encoding, are used.
#undef DISKANN_VNNI
#define DISKANN_VNNI 1
#define DISKANN_TARGET_STR HWY_TARGET_STR ",avx512vnni"
#endif

#undef DISKANN_BEFORE_NAMESPACE
#undef DISKANN_AFTER_NAMESPACE
#if defined(DISKANN_TARGET_STR)
#define DISKANN_BEFORE_NAMESPACE() HWY_PUSH_ATTRIBUTES(DISKANN_TARGET_STR) static_assert(true, "takes the semicolon")
#define DISKANN_AFTER_NAMESPACE() HWY_POP_ATTRIBUTES static_assert(true, "takes the semicolon")
#else
#define DISKANN_BEFORE_NAMESPACE() HWY_BEFORE_NAMESPACE()
#define DISKANN_AFTER_NAMESPACE() HWY_AFTER_NAMESPACE()
#endif

namespace diskann::distance::DISKANN_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
}

#if DISKANN_SIMD

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

/// Adds the 128-bit blocks of a vector.
template <class D, class V>
HWY_INLINE auto sum_blocks(D d, V v) {
  if constexpr (hn::MaxLanes(d) * sizeof(hn::TFromD<D>) > 16) {
    const hn::Half<D> half;
    return sum_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  } else {
    return v;
  }
}

/// Sums of the lanes of four vectors by one transposition. Each sum is formed in the same order, so that a row's
/// result does not depend on its place among the four.
template <class D, class V>
HWY_INLINE hn::VFromD<hn::FixedTag<hn::TFromD<D>, 4>> four_lane_sums(D d, V a, V b, V c, V e) {
  const hn::RepartitionToWide<D> wide;
  const V ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const V ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto ab_wide = hn::BitCast(wide, ab), ce_wide = hn::BitCast(wide, ce);
  const V all = hn::Add(hn::BitCast(d, hn::InterleaveLower(wide, ab_wide, ce_wide)),
                        hn::BitCast(d, hn::InterleaveUpper(wide, ab_wide, ce_wide)));
  return sum_blocks(d, all);
}

/// Where many sums are in flight, GCC 12 forms the products of all before it adds the first, runs out of registers and
/// keeps a sum in memory: a step waits for it. Not past this.
template <class V>
HWY_INLINE void finish_now([[maybe_unused]] V& v) {
#if HWY_ARCH_X86
  asm volatile("" : "+v"(v.raw));
#endif
}

#if DISKANN_VNNI

using Bytes = hn::VFromD<hn::ScalableTag<std::uint8_t>>;
using Sums = hn::VFromD<hn::ScalableTag<std::int32_t>>;

/// sums[i] += four products of unsigned and signed bytes, modulo 2^32.
HWY_INLINE Sums add_byte_products(Sums sums, Bytes unsigned_bytes, Bytes signed_bytes) {
  return Sums{_mm512_dpbusd_epi32(sums.raw, unsigned_bytes.raw, signed_bytes.raw)};
}

/// The same in place, as an instruction: where many sums are in flight, GCC 12 copies each around the intrinsic.
template <class V>
HWY_INLINE void accumulate_byte_products(Sums& sums, V unsigned_bytes, V signed_bytes) {
  asm("vpdpbusd %2, %1, %0" : "+v"(sums.raw) : "v"(unsigned_bytes.raw), "v"(signed_bytes.raw));
}

#endif  // DISKANN_VNNI

#if DISKANN_DOTPROD

using Bytes = hn::VFromD<hn::ScalableTag<std::uint8_t>>;
using Sums = hn::VFromD<hn::ScalableTag<std::int32_t>>;

/// sums[i] += four products of bytes, both signed or both unsigned, modulo 2^32.
template <bool kSigned>
HWY_INLINE Sums add_byte_products(Sums sums, Bytes a, Bytes b) {
  if constexpr (kSigned) {
    return Sums{vdotq_s32(sums.raw, vreinterpretq_s8_u8(a.raw), vreinterpretq_s8_u8(b.raw))};
  } else {
    return Sums{vreinterpretq_s32_u32(vdotq_u32(vreinterpretq_u32_s32(sums.raw), a.raw, b.raw))};
  }
}

/// |a - b| as unsigned bytes, of signed or of unsigned ones.
template <bool kSigned>
HWY_INLINE Bytes byte_differences(Bytes a, Bytes b) {
  if constexpr (kSigned) {
    return Bytes{vreinterpretq_u8_s8(vabdq_s8(vreinterpretq_s8_u8(a.raw), vreinterpretq_s8_u8(b.raw)))};
  } else {
    return Bytes{vabdq_u8(a.raw, b.raw)};
  }
}

#endif  // DISKANN_DOTPROD

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif  // DISKANN_SIMD

#endif  // per target
