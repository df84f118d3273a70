#pragma once

#include <bit>
#include <cstdint>

namespace diskann::distance {

/// Value of a finite half, as float16 has it; written without branches so that loops over it vectorise.
inline float half_to_float(std::uint16_t bits) noexcept {
  const std::uint32_t magnitude = bits & 0x7FFFu;
  const float normal = std::bit_cast<float>((magnitude << 13) + 0x38000000u);
  const float subnormal = static_cast<float>(static_cast<std::int32_t>(magnitude)) * 0x1p-24f;
  const auto value = std::bit_cast<std::uint32_t>(magnitude < 0x0400u ? subnormal : normal);
  return std::bit_cast<float>(value | (static_cast<std::uint32_t>(bits & 0x8000u) << 16));
}

}  // namespace diskann::distance
