// When comparing candidates with rows may end.
#include "index/rerank_rule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.hpp"

namespace diskann::index {
namespace {

/// Exact distances on a line over those by codes, with a spread; codes in rising order.
struct Line {
  double zero, slope, spread;
};

TEST(RerankRule, KnowsTheSpreadAroundTheLine) {
  base::Random random(3);
  for (const Line& line : {Line{0, 1, 0.01}, Line{-1e6, 2.5, 3}, Line{1e-12, 1e-9, 1e-13}, Line{7, 1e6, 1e3}}) {
    for (int round = 0; round < 50; ++round) {
      RerankRule rule;
      for (int i = 0; i < 30; ++i) {
        const double code = 100 + i;
        rule.add(static_cast<float>(code),
                 static_cast<float>(line.zero + line.slope * code + line.spread * random.normal()));
      }
      // At code 130 the line is at `there`: what is five spreads and more below it is out of reach, two are not.
      const double there = line.zero + line.slope * 130;
      EXPECT_FALSE(rule.may_be_near(130, static_cast<float>(there - 7 * line.spread)));
      EXPECT_TRUE(rule.may_be_near(130, static_cast<float>(there - 1.5 * line.spread)));
      EXPECT_TRUE(rule.may_be_near(130, static_cast<float>(there + line.spread)));
    }
  }
}

TEST(RerankRule, GoesOnWhereNothingIsKnown) {
  constexpr float kFar = std::numeric_limits<float>::infinity();
  RerankRule none, same, wild;
  EXPECT_TRUE(none.may_be_near(1, 1));
  for (int i = 0; i < 8; ++i) same.add(5, 7);
  EXPECT_TRUE(same.may_be_near(5, 7));
  for (int i = 0; i < 8; ++i) wild.add(i == 3 ? kFar : 1, 2);
  EXPECT_TRUE(wild.may_be_near(1, 1));
}

TEST(RerankRule, StartsWithMoreThanTheNeighboursWanted) {
  for (const std::size_t k : {1u, 7u, 10u, 100u, 1001u}) {
    EXPECT_GE(RerankRule::first(k), k + 2);
    EXPECT_GE(RerankRule::first(k), 8u);
    EXPECT_LE(RerankRule::first(k), k + 7);
    EXPECT_EQ(RerankRule::first(k) % 4, 0u);
  }
}

}  // namespace
}  // namespace diskann::index
