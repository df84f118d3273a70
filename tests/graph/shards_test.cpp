#include "graph/shards.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"

namespace diskann::graph {
namespace {

std::vector<float> points_of(std::size_t rows, std::size_t length, std::uint64_t seed) {
  base::Random random(seed);
  std::vector<float> points(rows * length);
  for (float& value : points) value = static_cast<float>(random.uniform());
  return points;
}

TEST(ShardCenters, NearestAreThoseOfTheLeastDistanceInThatOrder) {
  constexpr std::size_t kRows = 500, kLength = 12, kCount = 32;
  const std::vector<float> points = points_of(kRows, kLength, 3);
  const ShardCenters centers(points.data(), kRows, kLength, kCount, 7);
  // A centre is nearest to itself, so that what it is can be told: the mean of the points that go to it, nearly.
  std::vector<double> means(kCount * kLength);
  std::vector<std::size_t> sizes(kCount);
  std::vector<float> work(kCount);
  for (std::size_t i = 0; i < kRows; ++i) {
    const ShardCenters::Near near = centers.nearest(points.data() + i * kLength, work.data());
    ASSERT_TRUE(std::is_sorted(near.begin(), near.end(), [&](auto a, auto b) { return work[a] < work[b]; }));
    for (std::size_t k = 0; k < kCount; ++k) {
      const bool among = std::find(near.begin(), near.end(), k) != near.end();
      EXPECT_TRUE(among || work[k] >= work[near.back()]);
    }
    ++sizes[near[0]];
    for (std::size_t j = 0; j < kLength; ++j) means[near[0] * kLength + j] += double{points[i * kLength + j]};
  }
  std::size_t misplaced = 0;
  for (std::size_t i = 0; i < kRows; ++i) {
    const auto first = centers.nearest(points.data() + i * kLength, work.data())[0];
    const auto square = [&](std::size_t k) {
      double sum = 0;
      for (std::size_t j = 0; j < kLength; ++j) {
        const double there = means[k * kLength + j] / static_cast<double>(sizes[k]);
        sum += (double{points[i * kLength + j]} - there) * (double{points[i * kLength + j]} - there);
      }
      return sum;
    };
    for (std::size_t k = 0; k < kCount; ++k)
      if (sizes[k] > 0 && square(k) < 0.8 * square(first)) {
        ++misplaced;
        break;
      }
  }
  EXPECT_LE(misplaced, kRows / 50);
}

TEST(ShardFill, NoShardTakesMoreThanItsCapacityAndNoRowTwoPlacesInOne) {
  constexpr std::size_t kShards = 16;
  for (const std::uint64_t rows : {1ull, 100ull, 999ull}) {
    const std::uint64_t capacity = 2 * rows / kShards + 1;
    ShardFill fill(kShards, capacity);
    std::vector<std::uint64_t> sizes(kShards);
    for (std::uint64_t row = 0; row < rows; ++row) {
      // All want the same shards.
      const ShardFill::Place place = fill.take({3, 1, 4, 15, 9, 2, 6, 5});
      ASSERT_LT(place.first, kShards);
      ASSERT_LT(place.second, kShards);
      ASSERT_NE(place.first, place.second);
      ++sizes[place.first];
      ++sizes[place.second];
    }
    EXPECT_LE(*std::max_element(sizes.begin(), sizes.end()), capacity + 1);  // one more where it is the only other
    EXPECT_EQ(fill.largest(), *std::max_element(sizes.begin(), sizes.end()));
    EXPECT_GE(sizes[3], std::min(rows, capacity));
  }
}

}  // namespace
}  // namespace diskann::graph
