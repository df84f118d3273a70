#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "diskann/types.hpp"

namespace diskann {
namespace {

/// The value of a half by its definition.
double defined_value(std::uint16_t bits) {
  const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const double magnitude = exponent == 0    ? std::ldexp(fraction, -24)
                           : exponent != 31 ? std::ldexp(1024 + fraction, exponent - 25)
                           : fraction == 0  ? std::numeric_limits<double>::infinity()
                                            : std::numeric_limits<double>::quiet_NaN();
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

/// Nearest half, ties to even, by comparing with the neighbours.
std::uint16_t defined_rounding(float value) {
  const std::uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  const double magnitude = std::abs(static_cast<double>(value));
  std::uint32_t low = 0, high = 0x7C00;  // the largest half not above, by bisection over positive bits
  while (high - low > 1) {
    const std::uint32_t middle = (low + high) / 2;
    (defined_value(static_cast<std::uint16_t>(middle)) <= magnitude ? low : high) = middle;
  }
  const double below = defined_value(static_cast<std::uint16_t>(low));
  const double above = high == 0x7C00 ? 65536.0 : defined_value(static_cast<std::uint16_t>(high));
  const double down = magnitude - below, up = above - magnitude;
  const bool take_low = down < up || (down == up && low % 2 == 0);
  return static_cast<std::uint16_t>(sign | (take_low ? low : high));
}

TEST(Float16, HasTheDefinedValueForEveryPattern) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const auto half = float16::from_bits(static_cast<std::uint16_t>(bits));
    const double expected = defined_value(static_cast<std::uint16_t>(bits));
    const auto found = static_cast<double>(static_cast<float>(half));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(found)) << bits;
    } else {
      ASSERT_EQ(found, expected) << bits;
      ASSERT_EQ(std::signbit(found), std::signbit(expected)) << bits;
    }
  }
}

TEST(Float16, ComesBackFromFloatForEveryPattern) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const float value = float16::from_bits(static_cast<std::uint16_t>(bits));
    if (std::isnan(value)) {
      ASSERT_TRUE(std::isnan(static_cast<float>(float16(value)))) << bits;
    } else {
      ASSERT_EQ(float16(value).bits(), bits);
    }
  }
}

TEST(Float16, RoundsToTheNearestAndTiesToEven) {
  // Around every half and every point in the middle between two.
  for (std::uint32_t bits = 0; bits < 0x7C00u; ++bits) {
    const auto low = static_cast<float>(defined_value(static_cast<std::uint16_t>(bits)));
    const float high =
        bits == 0x7BFFu ? 65536.0f : static_cast<float>(defined_value(static_cast<std::uint16_t>(bits + 1)));
    const float middle = low + (high - low) / 2;
    for (const float value : {low, middle, std::nextafter(middle, 0.0f), std::nextafter(middle, 1e9f)}) {
      ASSERT_EQ(float16(value).bits(), defined_rounding(value)) << value;
      ASSERT_EQ(float16(-value).bits(), defined_rounding(-value)) << -value;
    }
  }
}

TEST(Float16, RoundsRandomFloatsAsDefined) {
  base::Random random(17);
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    if (std::isnan(value)) continue;
    const std::uint16_t expected = std::abs(value) >= 65520.0f
                                       ? static_cast<std::uint16_t>(std::signbit(value) ? 0xFC00 : 0x7C00)
                                       : defined_rounding(value);
    ASSERT_EQ(float16(value).bits(), expected) << value << " (seed 17)";
  }
}

}  // namespace
}  // namespace diskann
