// Codes of rows that are turned at random, against double precision.
#include "quantization/plane_codes.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "base/random.hpp"
#include "distance/kernels.hpp"
#include "distance/reference.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::quantization {
namespace {

std::vector<float> some_values(std::size_t dimension, std::size_t padded, base::Random& random) {
  std::vector<float> values(padded);
  for (std::size_t j = 0; j < dimension; ++j) values[j] = static_cast<float>(random.normal());
  return values;
}

double product(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return sum;
}

TEST(Rotation, KeepsLengthsAndAngles) {
  base::Random random(5);
  for (const std::size_t dimension : {1u, 3u, 64u, 65u, 100u, 128u, 384u, 784u, 1000u, 4096u}) {
    const Rotation rotation(dimension);
    EXPECT_GE(rotation.padded(), dimension);
    EXPECT_EQ(rotation.padded() % 64, 0u);
    std::vector<float> a = some_values(dimension, rotation.padded(), random),
                       b = some_values(dimension, rotation.padded(), random);
    const double aa = product(a, a), ab = product(a, b);
    const std::vector<float> before = a;
    rotation.apply(a.data());
    rotation.revert(a.data());
    for (std::size_t j = 0; j < a.size(); ++j) ASSERT_NEAR(a[j], before[j], 1e-5) << dimension;
    rotation.apply(a.data());
    rotation.apply(b.data());
    EXPECT_NEAR(product(a, a), aa, 1e-5 * aa) << dimension;
    EXPECT_NEAR(product(a, b), ab, 1e-5 * (aa + std::abs(ab))) << dimension;
  }
}

/// As docs/format.md says, in double precision.
TEST(Rotation, IsThatOfTheFileFormat) {
  constexpr std::size_t kDimension = 150, kPadded = 192, kBlock = 128;
  std::uint64_t state = 0x726F74617465u;
  const auto draw = [&] {  // splitmix64
    std::uint64_t z = state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  };
  base::Random random(5);
  const Rotation rotation(kDimension);
  ASSERT_EQ(rotation.padded(), kPadded);
  std::vector<float> values = some_values(kDimension, kPadded, random);
  std::vector<double> right(values.begin(), values.end());
  rotation.apply(values.data());
  for (int round = 1; round <= 4; ++round) {
    for (double& value : right) value *= draw() < std::uint64_t{1} << 63 ? 1 : -1;
    const std::size_t first = round % 2 == 1 ? 0 : kPadded - kBlock;
    std::vector<double> mixed(kBlock);
    for (std::size_t i = 0; i < kBlock; ++i)
      for (std::size_t j = 0; j < kBlock; ++j)
        mixed[i] += (std::popcount(i & j) % 2 == 0 ? 1 : -1) * right[first + j] / std::sqrt(double{kBlock});
    std::copy(mixed.begin(), mixed.end(), right.begin() + static_cast<std::ptrdiff_t>(first));
    for (std::size_t i = 0; i < kPadded / 2; ++i) {
      const double a = right[i], b = right[i + kPadded / 2];
      right[i] = (a + b) * std::sqrt(0.5);
      right[i + kPadded / 2] = (a - b) * std::sqrt(0.5);
    }
  }
  for (std::size_t i = 0; i < kPadded; ++i) ASSERT_NEAR(values[i], right[i], 1e-5) << i;
}

TEST(Rotation, SpreadsEachComponentOverAll) {
  for (const std::size_t dimension : {100u, 128u, 384u, 784u, 1000u}) {
    const Rotation rotation(dimension);
    double worst = 0;
    for (std::size_t j = 0; j < dimension; j += 7) {
      std::vector<float> values(rotation.padded());
      values[j] = 1;
      rotation.apply(values.data());
      for (const float value : values) worst = std::max(worst, std::abs(static_cast<double>(value)));
    }
    // Of components drawn from a sphere the greatest of so many is some four times the usual one; turns of few rounds
    // are rougher.
    EXPECT_LT(worst, 12 / std::sqrt(static_cast<double>(rotation.padded()))) << dimension;
  }
}

double place_of(const PlaneGrid& grid, const base::RowsView& codes, std::size_t i, std::size_t j) {
  unsigned code = 0;
  for (std::size_t bit = 0; bit < grid.bits; ++bit)
    code =
        2 * code + (std::to_integer<unsigned>(codes.row(i)[bit * grid.rotation.padded() / 8 + j / 8]) >> (j % 8) & 1u);
  return code - (std::exp2(static_cast<double>(grid.bits)) - 1) / 2;
}

TEST(PlaneCodes, KnowTheirProductsAndTellProductsOfQueriesWithinTheirBound) {
  base::ThreadTeam team(Execution{2, {}, nullptr});
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    const std::size_t dimension = 200;
    const VectorSet set = doubles::clustered(type, 300, dimension, 5);
    base::RowStore rows(type, set.rows(), dimension);
    for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set.view(), i, rows.row(i));
    std::vector<float> inverse(set.rows());
    distance::inverse_norms(rows, 0, inverse.size(), inverse.data());
    for (const float* inverse_norms : {static_cast<const float*>(nullptr), static_cast<const float*>(inverse.data())}) {
      for (std::size_t bits = 1; bits <= 8; ++bits) {
        const PlaneGrid grid = train_planes(rows, inverse_norms, bits);
        const PlaneCodes codes = encode_planes(grid, rows, inverse_norms, team);
        base::Random random(3);
        const std::size_t padded = grid.rotation.padded();
        double within = 0, error = 0, tried = 0;
        for (std::size_t i = 0; i < set.rows(); ++i) {
          std::vector<float> row(padded);
          for (std::size_t j = 0; j < dimension; ++j)
            row[j] = static_cast<float>(distance::component(rows.row(i), type, j) *
                                        (inverse_norms != nullptr ? static_cast<double>(inverse[i]) : 1.0)) -
                     grid.mean[j];
          std::vector<float> query = some_values(dimension, padded, random);
          const double exact = product(row, query), square = product(row, row);
          grid.rotation.apply(row.data());
          grid.rotation.apply(query.data());
          double with_row = 0, with_query = 0, length = 0;
          for (std::size_t j = 0; j < padded; ++j) {
            const double place = place_of(grid, codes.rows, i, j);
            with_row += place * static_cast<double>(row[j]);
            with_query += place * static_cast<double>(query[j]);
            length += place * place;
          }
          ASSERT_NEAR(codes.squares[i], square, 1e-4 * square);
          ASSERT_NEAR(codes.products[i], with_row, 1e-3 * with_row) << bits;
          // The bound of RaBitQ: what lies outside the plane of row and code, of a random direction.
          const double estimate = square / with_row * with_query, cosine = with_row / std::sqrt(square * length);
          const double spread =
              std::sqrt(square * product(query, query) * (1 / (cosine * cosine) - 1) / static_cast<double>(padded - 1));
          within += std::abs(estimate - exact) < 1.9 * spread ? 1 : 0;
          error += 1 - cosine * cosine;
          ++tried;
        }
        EXPECT_GT(within / tried, 0.9) << bits;
        // What even grids lose of normal numbers: 36 % of their squares by 1 bit, then 12, 3.7, 1.2, 0.35 ... %.
        const double lost[] = {0, 0.363, 0.119, 0.0374, 0.0115, 0.0035, 0.00104, 0.0003, 0.0000868};
        EXPECT_LT(error / tried, 1.15 * lost[bits]) << bits << " " << to_string(type);
        EXPECT_GT(error / tried, 0.5 * lost[bits]) << bits << " " << to_string(type);
        base::ThreadTeam alone(Execution{1, {}, nullptr});
        EXPECT_EQ(encode_planes(grid, rows, inverse_norms, alone).products, codes.products);
      }
    }
  }
}

TEST(PlaneCodes, OfRowsThatAreTheMeanAreNothing) {
  base::ThreadTeam team(Execution{1, {}, nullptr});
  const base::RowStore rows(VectorType::F32, 9, 4);
  const PlaneGrid grid = train_planes(rows, nullptr, 3);
  const PlaneCodes codes = encode_planes(grid, rows, nullptr, team);
  EXPECT_EQ(codes.products, std::vector<float>(9, 0.0f));
  EXPECT_EQ(codes.squares, std::vector<float>(9, 0.0f));
}

}  // namespace
}  // namespace diskann::quantization
