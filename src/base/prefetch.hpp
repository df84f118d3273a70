#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace diskann::base {

/// Starts fetching the cache lines of [at, at + bytes); `at` stands at the start of a line.
[[gnu::always_inline]] inline void prefetch(const std::byte* at, std::size_t bytes) noexcept {
  for (std::size_t line = 0; line < bytes; line += 64) {
    __builtin_prefetch(at + line);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // GCC 12 drops prefetches of a loop without it
  }
}

/// The same from anywhere in a line.
[[gnu::always_inline]] inline void prefetch_unaligned(const std::byte* at, std::size_t bytes) noexcept {
  const std::size_t into = reinterpret_cast<std::uintptr_t>(at) % 64;
  prefetch(at - into, bytes + into);
}

}  // namespace diskann::base
