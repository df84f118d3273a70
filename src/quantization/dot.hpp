#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace diskann::quantization {

/// Of a multiple of 8 components, in 8 sums: vectors hold them, in the same order whatever their length.
inline float dot(const float* a, const float* b, std::size_t count) noexcept {
  std::array<float, 8> sums{};
  for (std::size_t i = 0; i < count; i += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// Of any number of them with themselves, in double precision.
inline float dot(const std::vector<float>& values) noexcept {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * static_cast<double>(value);
  return static_cast<float>(sum);
}

}  // namespace diskann::quantization
