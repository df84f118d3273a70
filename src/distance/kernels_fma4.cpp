// Queries in f32 against rows in f32 by AVX and FMA4: multiply-adds with four operands, which AMD's processors had from
// 2011 until Zen. Everything else is that of SSE4, which they have as well. Nobody here has such a processor, so the
// code is compiled on request (DISKANN_ENABLE_FMA4) and chosen by name; with DISKANN_FMA4_STAND_IN, a multiplication
// and an addition stand in for the instruction, for a test that runs anywhere.
#include "distance/targets.hpp"

#ifndef DISKANN_FMA4_STAND_IN
#define DISKANN_FMA4_STAND_IN 0
#endif

#if DISKANN_ENABLE_FMA4 && !DISKANN_HAS_FMA4
#error \
    "DISKANN_ENABLE_FMA4 is for builds that run on every x86-64 (SCALAR and SSE4 compiled in): turn it off for this one"
#endif

#if DISKANN_HAS_FMA4 || DISKANN_FMA4_STAND_IN
#undef DISKANN_FMA4
#define DISKANN_FMA4 1

#include <x86intrin.h>

#include "distance/kernel_shapes-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

HWY_INLINE __m256 multiply_add(__m256 a, __m256 b, __m256 sum) {
#if DISKANN_FMA4_STAND_IN
  return _mm256_add_ps(_mm256_mul_ps(a, b), sum);
#else
  return _mm256_macc_ps(a, b, sum);
#endif
}

/// SimdSums over what these processors have. Rows are whole cache lines, so two vectors are taken at once.
template <bool kSquares>
struct Fma4Sums {
  using Row = float;
  using Total = float;
  static constexpr std::size_t kLanes = 8;

  const float* query;
  const std::size_t components;
  Fma4Sums(const Query& q, std::size_t padded) : query(reinterpret_cast<const float*>(q.data)), components(padded) {}

  static HWY_INLINE __m256 add(__m256 sum, __m256 part, const std::byte* row, std::size_t i) {
    const __m256 value = _mm256_load_ps(reinterpret_cast<const float*>(row) + i);
    if constexpr (kSquares) {
      const __m256 difference = _mm256_sub_ps(value, part);
      return multiply_add(difference, difference, sum);
    } else {
      return multiply_add(value, part, sum);
    }
  }
  /// The lanes of four vectors by one transposition, in the same order for each.
  static HWY_INLINE void store(__m256 a, __m256 b, __m256 c, __m256 e, float* HWY_RESTRICT out) {
    const __m256 halves = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, e));
    _mm_store_ps(out, _mm_add_ps(_mm256_castps256_ps128(halves), _mm256_extractf128_ps(halves, 1)));
  }

  HWY_INLINE void four(const std::byte* a, const std::byte* b, const std::byte* c, const std::byte* e,
                       float* HWY_RESTRICT out) const {
    __m256 a0 = _mm256_setzero_ps(), b0 = a0, c0 = a0, e0 = a0, a1 = a0, b1 = a0, c1 = a0, e1 = a0;
    for (std::size_t i = 0; i < components; i += 2 * kLanes) {
      const std::size_t next = i + kLanes;
      const __m256 first = _mm256_load_ps(query + i), second = _mm256_load_ps(query + next);
      a0 = add(a0, first, a, i);
      b0 = add(b0, first, b, i);
      c0 = add(c0, first, c, i);
      e0 = add(e0, first, e, i);
      a1 = add(a1, second, a, next);
      b1 = add(b1, second, b, next);
      c1 = add(c1, second, c, next);
      e1 = add(e1, second, e, next);
    }
    store(_mm256_add_ps(a0, a1), _mm256_add_ps(b0, b1), _mm256_add_ps(c0, c1), _mm256_add_ps(e0, e1), out);
  }

  HWY_INLINE void one(const std::byte* a, float* HWY_RESTRICT out) const {
    __m256 a0 = _mm256_setzero_ps(), a1 = a0;
    for (std::size_t i = 0; i < components; i += 2 * kLanes) {
      a0 = add(a0, _mm256_load_ps(query + i), a, i);
      a1 = add(a1, _mm256_load_ps(query + i + kLanes), a, i + kLanes);
    }
    const __m256 sum = _mm256_add_ps(a0, a1);
    store(sum, sum, sum, sum, out);
  }
};

const KernelTable* find_float(Distance metric, VectorType rows) {
  if (rows == VectorType::F32) return find_metric<Fma4Sums<true>, Fma4Sums<false>>(metric);
  return N_SSE4::find_float(metric, rows);
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif
