#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

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
  /// Standard normal, by Box and Muller.
  double normal() noexcept {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace diskann::base
