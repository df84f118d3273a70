// Codes of 4 bits against double precision.
#include "quantization/nibble_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "base/random.hpp"
#include "distance/kernels.hpp"
#include "distance/reference.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::quantization {
namespace {

double value(const base::RowsView& rows, std::size_t i, std::size_t j) {
  return distance::component(rows.row(i), rows.type, j);
}

unsigned code_of(const base::RowsView& codes, std::size_t i, std::size_t j) {
  const auto byte = std::to_integer<unsigned>(codes.row(i)[j / 128 * 64 + j % 64]);
  return j % 128 < 64 ? byte & 15u : byte >> 4;
}

base::RowStore rows_of(VectorType type, std::size_t dimension) {
  const VectorSet set = doubles::clustered(type, 700, dimension, 5);
  base::RowStore rows(type, set.rows(), dimension);
  for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set.view(), i, rows.row(i));
  return rows;
}

TEST(NibbleCodes, AreTheNearestPlacesAndKnowTheirProducts) {
  Execution two;
  two.threads = 2;
  base::ThreadTeam team(two);
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    for (const std::size_t dimension : {3u, 64u, 130u}) {
      const base::RowStore rows = rows_of(type, dimension);
      for (const bool unit : {false, true}) {
        std::vector<float> inverse(unit ? rows.view().rows : 0);
        if (unit) distance::inverse_norms(rows, 0, inverse.size(), inverse.data());
        const float* inverse_norms = unit ? inverse.data() : nullptr;
        const NibbleGrid grid = train_nibbles(rows, inverse_norms);
        ASSERT_GT(grid.step, 0);
        const NibbleCodes codes = encode_nibbles(grid, rows, inverse_norms, team);
        double squares = 0, errors = 0;
        for (std::size_t i = 0; i < rows.view().rows; ++i) {
          double product = 0, square = 0, along = 0, of_mean = 0;
          for (std::size_t j = 0; j < dimension; ++j) {
            const double scale = unit ? static_cast<double>(inverse[i]) : 1.0;
            const double y = value(rows, i, j) * scale - static_cast<double>(grid.mean[j]);
            const double steps = y / static_cast<double>(grid.step);
            const double mine = grid.places[code_of(codes.rows, i, j)];
            double nearest = std::numeric_limits<double>::infinity();
            for (const std::int8_t place : grid.places) nearest = std::min(nearest, std::abs(steps - place));
            // Rounded to a whole step first, which can only choose between two places that are about as near.
            ASSERT_LE(std::abs(steps - mine), nearest + 1.001) << i << ", " << j;
            product += y * mine * static_cast<double>(grid.step);
            square += y * y;
            along += y * static_cast<double>(grid.mean[j]);
            of_mean += std::pow(static_cast<double>(grid.mean[j]), 2);
            errors += (steps - mine) * (steps - mine);
            squares += steps * steps;
          }
          ASSERT_NEAR(codes.squares[i], square, 1e-4 * square + 1e-6);
          ASSERT_NEAR(codes.of_means[i], along / std::sqrt(of_mean), 1e-4 * std::sqrt(square) + 1e-6);
          ASSERT_NEAR(codes.products[i], product, 1e-4 * square + 1e-6);
        }
        // 16 places of the least squared error leave a hundredth of normal numbers, and more than half of nothing.
        EXPECT_LT(errors, 0.025 * squares) << to_string(type) << ", " << dimension;
        const NibbleCodes alone =
            encode_nibbles(grid, rows, inverse_norms, *std::make_unique<base::ThreadTeam>(Execution{1, {}, nullptr}));
        EXPECT_EQ(alone.products, codes.products);
      }
    }
  }
}

/// What a code stands for, in steps.
double place_of(const NibbleGrid& grid, const base::RowsView& codes, std::size_t i, std::size_t j) {
  if (j < grid.shape.bytes) return std::to_integer<int>(codes.row(i)[j]) - 64;
  const std::size_t behind = j - grid.shape.bytes;
  const auto byte = std::to_integer<unsigned>(codes.row(i)[grid.shape.bytes + behind / 128 * 64 + behind % 64]);
  return grid.places[behind % 128 < 64 ? byte & 15u : byte >> 4];
}

/// Rows with most of what they are in the first of many components that were turned.
base::RowStore turned_rows(std::size_t dimension, std::size_t strong) {
  base::Random random(21);
  std::vector<std::vector<double>> directions(strong, std::vector<double>(dimension));
  for (auto& direction : directions)
    for (double& x : direction) x = random.normal() / std::sqrt(static_cast<double>(dimension));
  base::RowStore rows(VectorType::F32, 900, dimension);
  for (std::size_t i = 0; i < 900; ++i) {
    auto* row = reinterpret_cast<float*>(rows.row(i));
    for (std::size_t j = 0; j < dimension; ++j) row[j] = static_cast<float>(3 + 0.02 * random.normal());
    for (std::size_t s = 0; s < strong; ++s) {
      const double along = random.normal() * (s < 20 ? 4 : 1);
      for (std::size_t j = 0; j < dimension; ++j) row[j] += static_cast<float>(along * directions[s][j]);
    }
  }
  return rows;
}

TEST(MixedCodes, SeeWhatRowsAreAlongTheirStrongestDirections) {
  base::ThreadTeam team(Execution{2, {}, nullptr}), alone(Execution{1, {}, nullptr});
  for (const std::size_t dimension : {40u, 100u, 600u, 1100u}) {
    const base::RowStore rows = turned_rows(dimension, 30);
    const NibbleGrid grid = train_mixed(rows, nullptr, team);
    const std::size_t count = directions_of(grid.shape, dimension);
    EXPECT_EQ(count, dimension == 1100 ? 64 + 256 : std::min<std::size_t>(dimension, 192));
    ASSERT_EQ(grid.projection->count(), count);
    const NibbleCodes codes = encode_nibbles(grid, rows, nullptr, team);
    double all = 0, kept = 0;
    for (std::size_t i = 0; i < rows.view().rows; ++i) {
      double square = 0, product = 0;
      for (std::size_t j = 0; j < dimension; ++j) {
        const double y = value(rows, i, j) - static_cast<double>(grid.mean[j]);
        square += y * y;
      }
      for (std::size_t c = 0; c < count; ++c) {
        double along = 0;
        for (std::size_t j = 0; j < dimension; ++j)
          along += (value(rows, i, j) - static_cast<double>(grid.mean[j])) *
                   static_cast<double>(grid.projection->scales[c]) * value(grid.projection->directions, c, j);
        product += along * place_of(grid, codes.rows, i, c) * static_cast<double>(grid.step);
        kept += along * along;
      }
      all += square;
      ASSERT_NEAR(codes.squares[i], square, 1e-4 * square);
      ASSERT_NEAR(codes.products[i], product, 0.02 * square);  // of values in 8 bits
    }
    EXPECT_GT(kept, 0.97 * all) << dimension;
    EXPECT_LT(kept, 1.01 * all) << dimension;  // directions are at right angles
    const NibbleGrid again = train_mixed(rows, nullptr, alone);
    EXPECT_EQ(again.projection->scales, grid.projection->scales);
    EXPECT_EQ(again.shared, grid.shared);
    EXPECT_EQ(encode_nibbles(again, rows, nullptr, alone).products, codes.products);
  }
}

TEST(MixedCodes, OfRowsThatAreAllTheSameHaveNoStep) {
  base::ThreadTeam team(Execution{1, {}, nullptr});
  EXPECT_EQ(train_mixed(base::RowStore(VectorType::F32, 9, 4), nullptr, team).step, 0);
}

TEST(NibbleCodes, HaveMeansOfTheRowsAndNoStepWhereAllAreTheSame) {
  const base::RowStore rows = rows_of(VectorType::F32, 20);
  const NibbleGrid grid = train_nibbles(rows, nullptr);
  for (std::size_t j = 0; j < 20; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 700; ++i) sum += value(rows, i, j);
    EXPECT_NEAR(grid.mean[j], sum / 700, 1e-5);
  }
  EXPECT_EQ(train_nibbles(base::RowStore(VectorType::F32, 9, 4), nullptr).step, 0);
}

}  // namespace
}  // namespace diskann::quantization
