#include "base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace diskann::base {
namespace {

TEST(Random, FollowsThePublishedSequence) {
  // splitmix64 from state 0: files and figures depend on these numbers.
  Random random(0);
  EXPECT_EQ(random.next(), 0xE220A8397B1DCDAFu);
  EXPECT_EQ(random.next(), 0x6E789E6AA1B965F4u);
  EXPECT_EQ(random.next(), 0x06C45D188009454Fu);
  static_assert(mix(0) == 0xE220A8397B1DCDAFu);
}

TEST(Random, BelowFillsItsRangeEvenly) {
  Random random(1);
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) {
    const std::uint64_t value = random.below(7);
    ASSERT_LT(value, 7u);
    ++counts[value];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);  // five standard deviations
  for (int i = 0; i < 100; ++i) EXPECT_EQ(random.below(1), 0u);
  const std::uint64_t huge = std::uint64_t{1} << 63;
  bool upper_half = false;
  for (int i = 0; i < 100; ++i) upper_half = upper_half || random.below(huge) >= huge / 2;
  EXPECT_TRUE(upper_half);
}

TEST(Random, UniformStaysBelowOne) {
  Random random(2);
  double sum = 0, smallest = 1, largest = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double value = random.uniform();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
  }
  EXPECT_NEAR(sum / 100'000, 0.5, 0.005);
  EXPECT_LT(smallest, 0.001);
  EXPECT_GT(largest, 0.999);
}

TEST(Random, NormalHasTheMomentsAndTheTailsOfOne) {
  Random random(3);
  constexpr int kDraws = 400'000;
  double sum = 0, squares = 0, cubes = 0;
  int beyond_one = 0, beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.normal();
    ASSERT_LE(std::fabs(value), 6.0);
    sum += value;
    squares += value * value;
    cubes += value * value * value;
    beyond_one += std::fabs(value) > 1 ? 1 : 0;
    beyond_two += std::fabs(value) > 2 ? 1 : 0;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.01);
  EXPECT_NEAR(squares / kDraws, 1, 0.015);
  EXPECT_NEAR(cubes / kDraws, 0, 0.03);
  EXPECT_NEAR(beyond_one / static_cast<double>(kDraws), 0.3173, 0.01);
  EXPECT_NEAR(beyond_two / static_cast<double>(kDraws), 0.0455, 0.004);
}

TEST(Random, StreamsOfNeighbouringSeedsAreDifferent) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    Random random(mix(seed));
    for (int i = 0; i < 100; ++i) EXPECT_TRUE(seen.insert(random.next()).second) << "seed " << seed;
  }
}

}  // namespace
}  // namespace diskann::base
