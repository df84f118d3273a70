#include "quantization/eigenvectors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.hpp"

namespace diskann::quantization {
namespace {

using Rows = std::vector<std::vector<double>>;

/// Made of few products of random rows where `rank` is below the size: many eigenvalues are the same then.
Rows random_matrix(std::size_t size, std::size_t rank, std::uint64_t seed) {
  base::Random random(seed);
  Rows matrix(size, std::vector<double>(size));
  for (std::size_t r = 0; r < rank; ++r) {
    std::vector<double> row(size);
    for (double& value : row) value = random.normal();
    for (std::size_t i = 0; i < size; ++i)
      for (std::size_t j = 0; j < size; ++j) matrix[i][j] += row[i] * row[j] * (r % 3 == 0 ? -1 : 1);
  }
  return matrix;
}

void expect_eigenvectors(const Rows& matrix) {
  const std::size_t size = matrix.size();
  const Eigenvectors found = find_eigenvectors(matrix);
  ASSERT_EQ(found.values.size(), size);
  double trace = 0, sum = 0, scale = 1e-300;
  for (std::size_t i = 0; i < size; ++i) {
    trace += matrix[i][i];
    sum += found.values[i];
    scale = std::max(scale, std::abs(found.values[i]));
  }
  EXPECT_NEAR(trace, sum, 1e-12 * scale * static_cast<double>(size));
  for (std::size_t a = 0; a < size; ++a) {
    if (a > 0) {
      EXPECT_GE(found.values[a - 1], found.values[a]);
    }
    for (std::size_t b = 0; b <= a; ++b) {
      double product = 0;
      for (std::size_t i = 0; i < size; ++i) product += found.vectors[a][i] * found.vectors[b][i];
      EXPECT_NEAR(product, a == b ? 1 : 0, 1e-12);
    }
    for (std::size_t i = 0; i < size; ++i) {
      double moved = 0;
      for (std::size_t j = 0; j < size; ++j) moved += matrix[i][j] * found.vectors[a][j];
      EXPECT_NEAR(moved, found.values[a] * found.vectors[a][i], 1e-11 * scale);
    }
  }
}

TEST(Eigenvectors, AreThoseOfTheMatrix) {
  for (const std::size_t size : {1u, 2u, 3u, 5u, 16u, 61u})
    for (const std::size_t rank : {std::size_t{0}, std::size_t{1}, std::size_t{2}, size / 2, 2 * size})
      expect_eigenvectors(random_matrix(size, rank, 100 * size + rank));
}

TEST(Eigenvectors, OfMatricesThatFallIntoParts) {
  Rows matrix(12, std::vector<double>(12));
  for (std::size_t i = 0; i < 12; ++i) matrix[i][i] = static_cast<double>(i % 4);
  expect_eigenvectors(matrix);
  matrix[5][4] = matrix[4][5] = 1;
  matrix[11][0] = matrix[0][11] = -2;
  expect_eigenvectors(matrix);
  for (auto& row : matrix)
    for (double& value : row) value *= 1e-30;
  expect_eigenvectors(matrix);
}

}  // namespace
}  // namespace diskann::quantization
