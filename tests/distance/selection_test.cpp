// Choices of every instruction set of this machine against plain ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "distance/dispatch.hpp"

namespace diskann::distance {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Few values, so that there are ties; negative ones too; some columns with nothing to choose.
std::vector<float> random_distances(base::Random& random, std::size_t count) {
  std::vector<float> distances(count);
  for (float& distance : distances)
    distance = random.below(20) == 0 ? kInfinity : static_cast<float>(random.below(60)) - 20.0f;
  return distances;
}

TEST(Selection, ChoosesTheSmallestLowestColumnsFirst) {
  for (const std::string& isa : available_isas()) {
    const SelectionKernels& kernels = selection_for(isa);
    base::Random random(1);
    SelectionWork work;
    work.resize(1024);
    for (const std::size_t columns : {16u, 32u, 48u, 176u, 1024u}) {
      for (const std::size_t count : {1u, 2u, 3u, 5u, 8u, 17u, 200u}) {
        const std::vector<float> distances = random_distances(random, columns);
        std::vector<std::uint32_t> expected(columns), chosen(count);
        std::iota(expected.begin(), expected.end(), 0u);
        std::stable_sort(expected.begin(), expected.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return distances[a] < distances[b]; });
        std::erase_if(expected, [&](std::uint32_t column) { return distances[column] == kInfinity; });
        if (expected.size() > count) expected.resize(count);
        chosen.resize(kernels.smallest(distances.data(), columns, count, work, chosen.data()));
        EXPECT_EQ(chosen, expected) << isa << ", " << count << " of " << columns;
      }
    }
  }
}

TEST(Selection, ChoosesNothingWhereThereIsNothing) {
  const std::vector<float> nothing(64, kInfinity), undefined(64, std::numeric_limits<float>::quiet_NaN());
  std::vector<float> matrix(64 * 64, kInfinity);
  SelectionWork work;
  work.resize(64);
  std::uint32_t chosen[4];
  for (const std::string& isa : available_isas()) {
    const SelectionKernels& kernels = selection_for(isa);
    EXPECT_EQ(kernels.smallest(nothing.data(), 64, 4, work, chosen), 0u) << isa;
    EXPECT_EQ(kernels.smallest(undefined.data(), 64, 4, work, chosen), 0u) << isa;
    EXPECT_EQ(kernels.pick(matrix.data(), 64, 0, 64, 1.2f, 4, work, chosen), 0u) << isa;
    std::fill(matrix.begin(), matrix.end(), std::numeric_limits<float>::quiet_NaN());
    EXPECT_EQ(kernels.pick(matrix.data(), 64, 0, 64, 1.2f, 4, work, chosen), 0u) << isa;
    std::fill(matrix.begin(), matrix.end(), kInfinity);
  }
}

/// Picks one after another, looking at all columns each time.
std::vector<std::uint32_t> plain_picks(const std::vector<float>& matrix, std::size_t columns, std::size_t row,
                                       float alpha, std::size_t count) {
  std::vector<bool> left(columns);
  for (std::size_t column = 0; column < columns; ++column) left[column] = matrix[row * columns + column] < kInfinity;
  std::vector<std::uint32_t> picks;
  while (picks.size() < count) {
    std::size_t best = columns;
    for (std::size_t column = 0; column < columns; ++column) {
      if (left[column] && (best == columns || matrix[row * columns + column] < matrix[row * columns + best]))
        best = column;
    }
    if (best == columns) break;
    picks.push_back(static_cast<std::uint32_t>(best));
    for (std::size_t column = 0; column < columns; ++column) {
      if (column == best || alpha * matrix[best * columns + column] <= matrix[row * columns + column])
        left[column] = false;
    }
  }
  return picks;
}

TEST(Selection, PicksWhatNoOtherPickOccludes) {
  base::Random random(2);
  std::size_t occluded = 0;
  for (const std::size_t points : {2u, 15u, 16u, 47u, 200u}) {
    // Points of a plane, some of them equal.
    std::vector<std::pair<float, float>> places(points);
    for (auto& [x, y] : places) {
      x = static_cast<float>(random.below(20));
      y = static_cast<float>(random.below(20));
    }
    const std::size_t columns = (points + 15) / 16 * 16;
    std::vector<float> matrix(columns * columns, kInfinity);
    SelectionWork work;
    work.resize(columns);
    for (std::size_t i = 0; i < points; ++i) {
      for (std::size_t j = 0; j < points; ++j) {
        const float x = places[i].first - places[j].first, y = places[i].second - places[j].second;
        matrix[i * columns + j] = i == j ? -kInfinity : x * x + y * y;
      }
    }
    for (std::size_t row = 0; row < points; ++row) {
      matrix[row * columns + row] = kInfinity;
      for (const std::size_t count : {1u, 3u, 12u, 300u}) {
        const std::vector<std::uint32_t> expected = plain_picks(matrix, columns, row, 1.2f, count);
        if (count == 300) occluded += points - 1 - expected.size();
        for (const std::string& isa : available_isas()) {
          std::vector<std::uint32_t> chosen(count);
          chosen.resize(
              selection_for(isa).pick(matrix.data(), columns, row, columns, 1.2f, count, work, chosen.data()));
          EXPECT_EQ(chosen, expected) << isa << ", row " << row << " of " << points << ", " << count;
        }
      }
      matrix[row * columns + row] = -kInfinity;
    }
  }
  EXPECT_GT(occluded, 40'000u);
}

TEST(Selection, AugmentedDistancesAreThoseOfRowsWithAComponentMore) {
  constexpr std::size_t kRows = 32, kDimension = 5;
  base::Random random(6);
  std::vector<std::vector<double>> rows(kRows, std::vector<double>(kDimension));
  double squared_length = 0;
  for (auto& row : rows) {
    for (double& value : row) value = static_cast<double>(random.normal());
    squared_length = std::max(squared_length, std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
  }
  std::vector<float> components(kRows);
  for (std::size_t i = 0; i < kRows; ++i) {
    const double norm = std::inner_product(rows[i].begin(), rows[i].end(), rows[i].begin(), 0.0);
    components[i] = static_cast<float>(std::sqrt(squared_length - norm));
  }
  for (const std::string& isa : available_isas()) {
    for (std::size_t i = 0; i < kRows; ++i) {
      std::vector<float> found(kRows + 16, kInfinity);
      std::vector<double> expected(kRows);
      for (std::size_t j = 0; j < kRows; ++j) {
        found[j] = -static_cast<float>(std::inner_product(rows[i].begin(), rows[i].end(), rows[j].begin(), 0.0));
        const double more = static_cast<double>(components[i]) - static_cast<double>(components[j]);
        expected[j] = more * more;
        for (std::size_t k = 0; k < kDimension; ++k) expected[j] += std::pow(rows[i][k] - rows[j][k], 2);
      }
      std::vector<float> padded = components;
      padded.resize(kRows + 16);
      selection_for(isa).augment(found.data(), kRows + 16, components[i], padded.data(),
                                 static_cast<float>(squared_length));
      for (std::size_t j = 0; j < kRows; ++j) ASSERT_NEAR(static_cast<double>(found[j]), expected[j], 1e-5) << isa;
      EXPECT_GE(*std::min_element(found.begin(), found.end()), 0.0f) << isa;
      EXPECT_EQ(found[kRows], kInfinity) << isa;
    }
  }
}

TEST(Selection, ChoosesExactlyTheColumnsWithinALimit) {
  base::Random random(5);
  for (const std::string& isa : available_isas()) {
    const SelectionKernels& kernels = selection_for(isa);
    for (std::size_t columns = 0; columns <= 150; ++columns) {
      const std::vector<float> distances = random_distances(random, columns);
      for (const float limit : {-kInfinity, -20.0f, -17.0f, 0.0f, 39.0f, kInfinity}) {
        std::vector<std::uint32_t> expected;
        for (std::uint32_t i = 0; i < columns; ++i)
          if (distances[i] <= limit) expected.push_back(i);
        std::vector<std::uint32_t> chosen(columns + 17, 77);
        const std::size_t size = kernels.within(distances.data(), columns, limit, chosen.data());
        ASSERT_EQ(chosen.back(), 77u) << isa << " wrote beyond its room";
        chosen.resize(size);
        ASSERT_EQ(chosen, expected) << isa << ", " << columns << " columns up to " << limit;
      }
    }
  }
}

}  // namespace
}  // namespace diskann::distance
