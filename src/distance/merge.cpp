// Sorted lists kept in registers.
#include "distance/merge.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/merge.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <array>
#include <bit>
#include <utility>

#include "distance/simd_compat-inl.h"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL

/// Half of all registers: longer lists leave them, and plain code is as fast.
constexpr std::size_t kMostWords = 16;

/// A list in kWords registers. A new entry is compared with all others at once; those above it move up by one, across
/// registers, and it takes the place that comes free: no sorting, no branch that depends on where it goes, and no
/// store before the end, so that no wide load waits for a narrow store.
template <std::size_t kWords>
Merged merge(std::uint64_t* HWY_RESTRICT list, std::size_t capacity, const float* HWY_RESTRICT distances,
             const std::uint32_t* HWY_RESTRICT slots, std::size_t count) {
  __m512i words[kWords];
#pragma GCC unroll 16
  for (std::size_t w = 0; w < kWords; ++w) words[w] = _mm512_load_si512(list + 8 * w);
  const __m512i limit = _mm512_set1_epi32(static_cast<int>(list[capacity - 1] >> 32));
  Merged merged;
  alignas(64) std::uint32_t keys[16];
  for (std::size_t i = 0; i < count; i += 16) {
    const auto there = static_cast<__mmask16>((1u << std::min<std::size_t>(16, count - i)) - 1);
    const __m512 plain = _mm512_add_ps(_mm512_maskz_loadu_ps(there, distances + i), _mm512_setzero_ps());
    const __m512i bits = _mm512_castps_si512(plain);
    const __m512i flips = _mm512_or_si512(_mm512_srai_epi32(bits, 31), _mm512_set1_epi32(static_cast<int>(1u << 31)));
    const __m512i key = _mm512_xor_si512(bits, flips);
    _mm512_store_si512(keys, key);
    // What is no nearer than the last entry, by its slot, moves behind it below.
    unsigned near = _mm512_mask_cmple_epu32_mask(there, key, limit);
    merged.added += static_cast<std::size_t>(std::popcount(near));
    for (; near != 0; near &= near - 1) {
      const auto j = static_cast<std::size_t>(std::countr_zero(near));
      const std::uint64_t candidate = std::uint64_t{keys[j]} << 32 | std::uint64_t{slots[i + j]} << 1;
      const __m512i word = _mm512_set1_epi64(static_cast<long long>(candidate));
      __m512i below = _mm512_setzero_si512();
      unsigned carry = 1;
#pragma GCC unroll 16
      for (std::size_t w = 0; w < kWords; ++w) {
        const unsigned less = _mm512_cmplt_epu64_mask(words[w], word);
        const __m512i moved =
            _mm512_mask_mov_epi64(_mm512_alignr_epi64(words[w], below, 7), static_cast<__mmask8>(less), words[w]);
        below = words[w];
        words[w] = _mm512_mask_mov_epi64(moved, static_cast<__mmask8>((less << 1 | carry) & ~less), word);
        carry = less >> 7;
      }
    }
  }
  const std::size_t inside = capacity - 8 * (kWords - 1);  // of the last register
  words[kWords - 1] =
      _mm512_mask_mov_epi64(_mm512_set1_epi64(-1), static_cast<__mmask8>((1u << inside) - 1), words[kWords - 1]);
  merged.open = capacity;
#pragma GCC unroll 16
  for (std::size_t w = kWords; w-- > 0;) {
    _mm512_store_si512(list + 8 * w, words[w]);
    const unsigned open = _mm512_testn_epi64_mask(words[w], _mm512_set1_epi64(1));
    if (open != 0) merged.open = 8 * w + static_cast<std::size_t>(std::countr_zero(open));
  }
  return merged;
}

template <std::size_t... kWords>
constexpr std::array<Merge, sizeof...(kWords)> all_merges(std::index_sequence<kWords...>) {
  return {merge<kWords + 1>...};
}

Merge find_merge(std::size_t capacity) noexcept {
  static constexpr auto kMerges = all_merges(std::make_index_sequence<kMostWords>());
  const std::size_t words = (capacity + 7) / 8;
  return words == 0 || words > kMostWords ? nullptr : kMerges[words - 1];
}

#else

Merge find_merge(std::size_t) noexcept { return nullptr; }

#endif

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetMerge> merge_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_merge},
  static constexpr TargetMerge kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
