#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace diskann::base {

/// Spreads a seed over 64 bits (splitmix64, Steele, Lea and Flood 2014). mix(seed + i) gives independent streams.
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

/// Small deterministic generator; the standard distributions differ between libraries, these do not.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    const std::uint64_t value = mix(state_);
    state_ += 0x9E3779B97F4A7C15u;
    return value;
  }
  /// In [0, bound), bound > 0 (Lemire's multiply-shift; the bias is below 2^-32 for our sizes).
  std::uint64_t below(std::uint64_t bound) noexcept {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::uint64_t>((static_cast<Wide>(next()) * bound) >> 64);
  }
  /// In [0, 1).
  double uniform() noexcept { return static_cast<double>(next() >> 11) * 0x1p-53; }
  /// Close to standard normal: the sum of twelve uniform numbers of 16 bits, in [-6, 6] with a step of 2^-16. Whole
  /// numbers all the way, since log and cos of the usual transforms differ between C libraries.
  double normal() noexcept {
    std::int64_t sum = -12 * 65'535 / 2;
    for (int draw = 0; draw < 3; ++draw) {
      const std::uint64_t bits = next();
      for (int shift = 0; shift < 64; shift += 16) sum += static_cast<std::int64_t>((bits >> shift) & 0xFFFFu);
    }
    return static_cast<double>(sum) * 0x1p-16;
  }

 private:
  std::uint64_t state_;
};

/// Up to `count` different numbers below `bound`, each set of them as likely as another, in rising order.
inline std::vector<std::uint32_t> sample(std::size_t bound, std::size_t count, Random random) {
  std::vector<std::uint32_t> drawn;
  drawn.reserve(count < bound ? count : bound);
  for (std::size_t i = 0; i < bound && drawn.size() < count; ++i)
    if (random.below(bound - i) < count - drawn.size()) drawn.push_back(static_cast<std::uint32_t>(i));
  return drawn;
}

}  // namespace diskann::base
