// Product quantization: k-means and codes against plain loops.
#include "quantization/product_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "distance/reference.hpp"
#include "quantization/kmeans.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::quantization {
namespace {

Execution on(unsigned threads) {
  Execution execution;
  execution.threads = threads;
  return execution;
}

struct Nearest {
  std::size_t index;
  double square;
};
/// In double precision, of centroids as learn_centroids() gives them.
Nearest nearest_to(const float* point, const std::vector<float>& centroids, std::size_t length, std::size_t count) {
  Nearest best{0, std::numeric_limits<double>::infinity()};
  for (std::size_t k = 0; k < count; ++k) {
    double square = 0;
    for (std::size_t j = 0; j < length; ++j)
      square += std::pow(static_cast<double>(point[j]) - static_cast<double>(centroids[j * count + k]), 2);
    if (square < best.square) best = {k, square};
  }
  return best;
}

double loss_of(const std::vector<float>& points, const std::vector<float>& centroids, std::size_t length,
               std::size_t count) {
  double lost = 0;
  for (std::size_t i = 0; i < points.size(); i += length)
    lost += nearest_to(points.data() + i, centroids, length, count).square;
  return lost;
}

TEST(KMeans, LosesLessThanPointsDrawnAtRandom) {
  base::Random random(3);
  std::vector<float> points(2 * 4000);
  for (std::size_t i = 0; i < points.size(); ++i)
    points[i] = static_cast<float>(100.0 * static_cast<double>(random.below(5)) + random.normal());
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    std::vector<float> centroids(2 * 16), drawn(2 * 16);
    learn_centroids(points.data(), 4000, 2, 16, seed, centroids.data());
    double of_drawn = 0;
    for (int round = 0; round < 5; ++round) {
      for (std::size_t k = 0; k < 16; ++k) {
        const std::size_t point = random.below(4000);
        drawn[k] = points[2 * point];
        drawn[16 + k] = points[2 * point + 1];
      }
      of_drawn += loss_of(points, drawn, 2, 16) / 5;
    }
    EXPECT_LT(loss_of(points, centroids, 2, 16), 0.9 * of_drawn) << seed;
  }
}

TEST(KMeans, MovesCentroidsThatNoPointIsNearestTo) {
  // Most of those that are drawn are the same point; the few others must all be found.
  std::vector<float> points(2000);
  for (std::size_t i = 0; i < 15; ++i) points[i * 133] = static_cast<float>(100 + 10 * i);
  std::vector<float> centroids(16);
  learn_centroids(points.data(), points.size(), 1, 16, 5, centroids.data());
  EXPECT_EQ(loss_of(points, centroids, 1, 16), 0);
}

TEST(KMeans, OfFewPointsIsThose) {
  for (const std::size_t rows : {1u, 2u, 15u, 16u, 100u, 256u}) {
    std::vector<float> points(rows);
    for (std::size_t i = 0; i < rows; ++i) points[i] = static_cast<float>(i);
    std::vector<float> centroids(256);
    learn_centroids(points.data(), rows, 1, 256, 9, centroids.data());
    for (const float& point : points) EXPECT_EQ(nearest_to(&point, centroids, 1, 256).square, 0) << rows;
    const std::vector<float> same(rows, 7.0f);
    learn_centroids(same.data(), rows, 1, 256, 9, centroids.data());
    for (const float centroid : centroids) EXPECT_EQ(centroid, 7.0f);
  }
}

class ProductCodesOf : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {};

TEST_P(ProductCodesOf, AreThoseOfTheNearestCentroids) {
  const auto [dimension, bits] = GetParam();
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    const VectorSet set = doubles::clustered(type, 300, dimension, 3);
    const base::RowStore rows = doubles::store_of(set);
    for (const std::size_t chunks : {product_shape(dimension, bits).chunks, std::size_t{1}, (dimension + 2) / 3}) {
      const ProductShape shape{dimension, chunks, bits};
      ASSERT_EQ(shape.begin(0), 0u);
      ASSERT_EQ(shape.begin(chunks), dimension);
      base::ThreadTeam one(on(1)), three(on(3));
      const ProductGrid grid = train_product(shape, rows, nullptr, one);
      EXPECT_EQ(train_product(shape, rows, nullptr, three).values, grid.values);
      const ProductCodes codes = encode_product(grid, rows, nullptr, one);
      const ProductCodes same = encode_product(grid, rows, nullptr, three);
      ASSERT_EQ(codes.rows.view().stride, (chunks * bits + 7) / 8);
      std::vector<float> decoded(dimension);
      for (std::size_t i = 0; i < set.rows(); i += 7) {
        ASSERT_TRUE(std::equal(codes.rows.view().row(i), codes.rows.view().row(i) + shape.row_bytes(),
                               same.rows.view().row(i)));
        decode_product(grid, codes.rows.view().row(i), decoded.data());
        double products = 0, squares = 0;
        for (std::size_t c = 0; c < chunks; ++c) {
          ASSERT_GE(shape.length(c), dimension / chunks);
          ASSERT_LE(shape.length(c), dimension / chunks + 1);
          std::vector<float> point;
          double lost = 0;
          for (std::size_t j = shape.begin(c); j < shape.begin(c + 1); ++j) {
            point.push_back(static_cast<float>(distance::component(set.row(i), type, j)) - grid.mean[j]);
            const double value = point.back(), coded = decoded[j] - grid.mean[j];
            lost += std::pow(value - coded, 2);
            products += value * coded;
            squares += value * value;
          }
          const auto first = grid.values.begin() + static_cast<std::ptrdiff_t>(shape.begin(c) * shape.centroids());
          const std::vector<float> centroids(first,
                                             first + static_cast<std::ptrdiff_t>(shape.length(c) * shape.centroids()));
          const Nearest nearest = nearest_to(point.data(), centroids, shape.length(c), shape.centroids());
          ASSERT_NEAR(lost, nearest.square, 1e-4 * (1 + nearest.square));
        }
        ASSERT_NEAR(codes.products[i], products, 1e-4 * (1 + squares));
        ASSERT_NEAR(codes.squares[i], squares, 1e-4 * (1 + squares));
      }
      // What tables say is added up.
      base::Random random(5);
      std::vector<float> tables(chunks * shape.centroids());
      for (float& value : tables) value = static_cast<float>(random.normal());
      std::vector<base::Slot> slots(23);
      for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(300));
      for (std::size_t count = 0; count <= slots.size(); ++count) {
        std::vector<float> out(count + 1, -1.0f);
        look_up(shape, tables.data(), codes.rows, slots.data(), count, out.data());
        for (std::size_t i = 0; i < count; ++i) {
          double sum = 0;
          for (std::size_t c = 0; c < chunks; ++c) {
            const auto byte = std::to_integer<unsigned>(codes.rows.view().row(slots[i])[c * bits / 8]);
            const unsigned code = bits == 8 ? byte : byte >> (c % 2 * 4) & 15u;
            sum += static_cast<double>(tables[c * shape.centroids() + code]);
          }
          ASSERT_NEAR(out[i], sum, 1e-4);
        }
        ASSERT_EQ(out[count], -1.0f);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, ProductCodesOf,
                         ::testing::Combine(::testing::Values(1, 2, 7, 33, 128), ::testing::Values(4, 8)));

TEST(ProductCodes, AreThoseOfScaledRows) {
  const VectorSet set = doubles::clustered(VectorType::F32, 300, 9, 3);
  VectorSet halved(VectorType::F32, 300, 9);
  for (std::size_t i = 0; i < 300; ++i)
    for (std::size_t j = 0; j < 9; ++j)
      diskann::testing::set_component(halved, i, j, distance::component(set.row(i), VectorType::F32, j) / 2);
  const std::vector<float> halves(300, 0.5f);
  base::ThreadTeam team(Execution{});
  const base::RowStore rows = doubles::store_of(set), of_halved = doubles::store_of(halved);
  const ProductShape shape = product_shape(9, 8);
  EXPECT_EQ(train_product(shape, rows, halves.data(), team).values,
            train_product(shape, of_halved, nullptr, team).values);
}

/// What codes lose of the squares of rows, less the means.
double part_lost(const ProductGrid& grid, const base::RowStore& rows) {
  base::ThreadTeam team(Execution{});
  const ProductCodes codes = encode_product(grid, rows, nullptr, team);
  std::vector<float> decoded(rows.view().dimension);
  double lost = 0, all = 0;
  for (std::size_t i = 0; i < rows.view().rows; ++i) {
    decode_product(grid, codes.rows.view().row(i), decoded.data());
    double product = 0, square = 0;
    const auto* row = reinterpret_cast<const float*>(rows.view().row(i));
    for (std::size_t j = 0; j < decoded.size(); ++j) {
      const double value = row[j] - grid.mean[j], coded = decoded[j] - grid.mean[j];
      lost += (value - coded) * (value - coded);
      product += value * coded;
      square += value * value;
    }
    EXPECT_NEAR(codes.products[i], product, 0.02 * square);
    EXPECT_NEAR(codes.squares[i], square, 1e-4 * square);
    all += square;
  }
  return lost / all;
}

/// Rows that vary along few directions, which no component lies on; `fall`: each by so much less than the one before.
base::RowStore turned_rows(std::size_t rows, std::size_t dimension, double fall) {
  base::Random random(8);
  std::vector<std::vector<double>> directions(dimension, std::vector<double>(dimension));
  for (auto& direction : directions)
    for (double& value : direction) value = random.normal();
  base::RowStore store(VectorType::F32, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) {
    std::vector<double> sums(dimension);
    double size = 1;
    for (const auto& direction : directions) {
      const double along = size * random.normal();
      for (std::size_t j = 0; j < dimension; ++j) sums[j] += along * direction[j];
      size *= fall;
    }
    std::copy(sums.begin(), sums.end(), reinterpret_cast<float*>(store.row(i)));
  }
  return store;
}

TEST(ProductCodes, LoseLessAlongDirections) {
  for (const double fall : {0.8, 0.95}) {
    const base::RowStore rows = turned_rows(2000, 48, fall);
    for (const std::size_t bits : {4u, 8u}) {
      for (const std::size_t chunks : {std::size_t{0}, std::size_t{6}}) {
        SCOPED_TRACE(std::to_string(fall) + ", " + std::to_string(bits) + " bits, chunks " + std::to_string(chunks));
        const ProductShape wanted = product_shape(48, bits, chunks);
        ASSERT_TRUE(wanted.along_directions);
        base::ThreadTeam one(on(1)), three(on(3));
        const ProductGrid grid = train_product(wanted, rows, nullptr, one),
                          same = train_product(wanted, rows, nullptr, three);
        EXPECT_EQ(grid.values, same.values);
        EXPECT_EQ(grid.shape.starts, same.shape.starts);
        const ProductShape& shape = grid.shape;
        ASSERT_NE(grid.projection, nullptr);
        ASSERT_EQ(grid.projection->count(), shape.dimension);
        ASSERT_EQ(shape.begin(0), 0u);
        ASSERT_EQ(shape.begin(shape.chunks), shape.dimension);
        for (std::size_t chunk = 0; chunk < shape.chunks; ++chunk) EXPECT_GE(shape.length(chunk), 1u);
        const ProductGrid plain = train_product({48, shape.chunks, bits}, rows, nullptr, one);
        EXPECT_LT(part_lost(grid, rows), 0.9 * part_lost(plain, rows));
      }
    }
  }
}

TEST(ProductCodes, KeepToComponentsWhereDirectionsSeeTooLittle) {
  const base::RowStore rows = turned_rows(1000, 100, 1);
  const ProductShape wanted = product_shape(100, 8, 5);
  ASSERT_EQ(wanted.dimension, 40u);
  base::ThreadTeam team(Execution{});
  const ProductGrid grid = train_product(wanted, rows, nullptr, team);
  EXPECT_EQ(grid.projection, nullptr);
  EXPECT_EQ(grid.shape.dimension, 100u);
  EXPECT_FALSE(grid.shape.along_directions);
  EXPECT_LT(part_lost(grid, rows), 1);
}

}  // namespace
}  // namespace diskann::quantization
