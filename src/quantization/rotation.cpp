#include "quantization/rotation.hpp"

#include <bit>
#include <cmath>
#include <numbers>

#include "base/random.hpp"

namespace diskann::quantization {
namespace {

constexpr std::size_t kRounds = 4;
constexpr std::uint64_t kSeed = 0x726F74617465u;

/// Of a power of two, not below 4, scaled to keep lengths. Loops become vectors.
void hadamard(float* values, std::size_t count, float scale) noexcept {
  for (std::size_t half = 1; half < count; half *= 2) {
    const float factor = 2 * half == count ? scale : 1.0f;
    for (std::size_t begin = 0; begin < count; begin += 2 * half) {
      float* __restrict const low = values + begin;
      float* __restrict const high = low + half;
      for (std::size_t i = 0; i < half; ++i) {
        const float a = low[i], b = high[i];
        low[i] = (a + b) * factor;
        high[i] = (a - b) * factor;
      }
    }
  }
}

}  // namespace

Rotation::Rotation(std::size_t dimension)
    : padded_(base::round_up(dimension, 64)), block_(std::bit_floor(padded_)), signs_(kRounds * padded_) {
  base::Random random(kSeed);
  for (float& sign : signs_) sign = random.below(2) == 0 ? 1.0f : -1.0f;
}

void Rotation::change_signs(std::size_t round, float* values) const noexcept {
  const float* const signs = signs_.data() + round * padded_;
  for (std::size_t i = 0; i < padded_; ++i) values[i] *= signs[i];
}

void Rotation::mix(std::size_t round, float* values) const noexcept {
  const float scale = 1.0f / std::sqrt(static_cast<float>(block_));
  hadamard(round % 2 == 0 ? values : values + (padded_ - block_), block_, scale);
}

void Rotation::turn(float* values) const noexcept {
  if (block_ == padded_) return;
  constexpr float kTurn = std::numbers::sqrt2_v<float> / 2;
  float* __restrict const first = values;
  float* __restrict const second = values + padded_ / 2;
  for (std::size_t i = 0; i < padded_ / 2; ++i) {
    const float a = first[i], b = second[i];
    first[i] = (a + b) * kTurn;
    second[i] = (a - b) * kTurn;
  }
}

void Rotation::apply(float* values) const noexcept {
  for (std::size_t round = 0; round < kRounds; ++round) {
    change_signs(round, values);
    mix(round, values);
    turn(values);
  }
}

/// Each step is its own inverse.
void Rotation::revert(float* values) const noexcept {
  for (std::size_t round = kRounds; round-- > 0;) {
    turn(values);
    mix(round, values);
    change_signs(round, values);
  }
}

}  // namespace diskann::quantization
