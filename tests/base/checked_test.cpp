#include "base/checked.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "base/random.hpp"

namespace diskann::base {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

template <class Call>
void expect_overflow(const Call& call, ErrorCode code) {
  try {
    call();
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code);
    EXPECT_NE(std::string(error.what()).find("section"), std::string::npos) << error.what();
  }
}

TEST(Checked, ProductsAtTheEdgeOf64Bits) {
  EXPECT_EQ(checked_multiply(kMost, 1, "section"), kMost);
  EXPECT_EQ(checked_multiply(0, kMost, "section"), 0u);
  EXPECT_EQ(checked_multiply(0xFFFFFFFF, 0x100000001, "section"), kMost);
  expect_overflow([] { checked_multiply(0x100000000, 0x100000000, "section"); }, ErrorCode::Corrupt);
  expect_overflow([] { checked_multiply(kMost, 2, "section", ErrorCode::OutOfMemory); }, ErrorCode::OutOfMemory);
}

TEST(Checked, SumsAtTheEdgeOf64Bits) {
  EXPECT_EQ(checked_add(kMost, 0, "section"), kMost);
  EXPECT_EQ(checked_add(kMost - 5, 5, "section"), kMost);
  expect_overflow([] { checked_add(kMost, 1, "section"); }, ErrorCode::Corrupt);
  expect_overflow([] { checked_add(kMost, kMost, "section", ErrorCode::InvalidArgument); }, ErrorCode::InvalidArgument);
}

TEST(Checked, AgreesWith128Bits) {
  __extension__ typedef unsigned __int128 Wide;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random(mix(seed));
    const std::uint64_t a = random.next() >> random.below(64), b = random.next() >> random.below(64);
    const Wide product = static_cast<Wide>(a) * b, sum = static_cast<Wide>(a) + b;
    if (product > kMost) {
      EXPECT_THROW(checked_multiply(a, b, "section"), Error) << "seed " << seed;
    } else {
      EXPECT_EQ(checked_multiply(a, b, "section"), static_cast<std::uint64_t>(product)) << "seed " << seed;
    }
    if (sum > kMost) {
      EXPECT_THROW(checked_add(a, b, "section"), Error) << "seed " << seed;
    } else {
      EXPECT_EQ(checked_add(a, b, "section"), static_cast<std::uint64_t>(sum)) << "seed " << seed;
    }
  }
}

TEST(Checked, RoundsUpToAMultiple) {
  EXPECT_EQ(round_up(0, 64), 0u);
  EXPECT_EQ(round_up(1, 64), 64u);
  EXPECT_EQ(round_up(64, 64), 64u);
  EXPECT_EQ(round_up(65, 64), 128u);
  EXPECT_EQ(round_up(10, 3), 12u);
}

}  // namespace
}  // namespace diskann::base
