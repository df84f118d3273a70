// Codes of 4 bits against double precision.
#include "quantization/nibble_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

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
        const NibbleGrid grid = train_nibbles(rows, inverse_norms, true);
        ASSERT_GT(grid.step, 0);
        const NibbleCodes codes = encode_nibbles(grid, rows, inverse_norms, team);
        double squares = 0, errors = 0;
        for (std::size_t i = 0; i < rows.view().rows; ++i) {
          double product = 0, square = 0;
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
            errors += (steps - mine) * (steps - mine);
            squares += steps * steps;
          }
          ASSERT_NEAR(codes.squares[i], square, 1e-4 * square + 1e-6);
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

TEST(NibbleCodes, HaveMeansOfTheRowsAndNoStepWhereAllAreTheSame) {
  const base::RowStore rows = rows_of(VectorType::F32, 20);
  const NibbleGrid grid = train_nibbles(rows, nullptr, true), at_zero = train_nibbles(rows, nullptr, false);
  for (std::size_t j = 0; j < 20; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < 700; ++i) sum += value(rows, i, j);
    EXPECT_NEAR(grid.mean[j], sum / 700, 1e-5);
    EXPECT_EQ(at_zero.mean[j], 0);
  }
  EXPECT_EQ(train_nibbles(base::RowStore(VectorType::F32, 9, 4), nullptr, true).step, 0);
}

}  // namespace
}  // namespace diskann::quantization
