// Dense tiles of every instruction set of this machine against the double-precision reference.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "distance/dispatch.hpp"
#include "distance/reference.hpp"
#include "tests/distance/tile_checks.hpp"

namespace diskann::distance {
namespace {

using namespace testing;

/// The tiles of a set for rows of form.rows, taken as form.query.
Products multiply(const std::string& isa, Distance metric, Form form, const Sides& sides) {
  return testing::multiply(tiles_for(isa, metric, form.rows, form.query), metric, sides);
}

void compare_with_reference(Form form, std::size_t dimension, std::size_t left, std::size_t right, std::uint64_t seed) {
  const Sides sides = random_sides(seed, form.rows, left, right, dimension);
  for (const Distance metric : kMetrics) {
    for (const std::string& isa : available_isas())
      ASSERT_EQ(first_wrong(tiles_for(isa, metric, form.rows, form.query), metric, form.query, sides), "")
          << isa << ", seed " << seed;
  }
}

class Tiles : public ::testing::TestWithParam<Form> {};

TEST_P(Tiles, AgreeAtEverySmallDimension) {
  for (std::size_t dimension = 1; dimension <= 70; ++dimension)
    ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), dimension, 3, 20, dimension));
}

TEST_P(Tiles, AgreeForEveryNumberOfRows) {
  for (std::size_t right = 1; right <= 67; ++right)
    ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), 40, 1 + right % 19, right, right));
}

TEST_P(Tiles, AgreeAtLargeDimensions) {
  for (const std::size_t dimension : {384u, 784u, 4096u})
    ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), dimension, 9, 17, dimension));
  ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), base::kMaxDimension, 1, 2, 1));
}

TEST_P(Tiles, DoNotDependOnWhatStandsBesideARow) {
  const Form form = GetParam();
  const Sides sides = random_sides(5, form.rows, 24, 70, 100);
  for (const Distance metric : kMetrics) {
    for (const std::string& isa : available_isas()) {
      SCOPED_TRACE(describe(isa, form, metric, 100));
      const Products all = multiply(isa, metric, form, sides);
      const TileKernels& kernels = tiles_for(isa, metric, form.rows, form.query);
      const bool cosine = metric == Distance::Cosine;
      // Some of the rows by slot, in another order, and left rows from the middle of the block.
      const std::vector<base::Slot> slots{69, 3, 41, 40, 7};
      TileBlock left, right;
      kernels.load({sides.left, cosine ? sides.left_inverses.data() : nullptr, nullptr, 0, 24}, false, left);
      kernels.load({sides.right, cosine ? sides.right_inverses.data() : nullptr, slots.data(), 0, slots.size()}, true,
                   right);
      std::vector<float> some(8 * right.padded_rows());
      kernels.multiply(left, 16, 5, right, some.data(), right.padded_rows());
      for (std::size_t i = 0; i < 5; ++i) {
        for (std::size_t j = 0; j < slots.size(); ++j) {
          ASSERT_EQ(some[i * right.padded_rows() + j], all.distances[(16 + i) * all.stride + slots[j]]);
        }
      }
    }
  }
}

TEST_P(Tiles, SquaresAreProductsOfABlockWithItself) {
  const Form form = GetParam();
  for (const std::size_t rows : {1u, 16u, 47u, 48u, 49u, 96u, 131u}) {
    const Sides sides = random_sides(rows, form.rows, rows, 1, 37);
    for (const Distance metric : kMetrics) {
      for (const std::string& isa : available_isas()) {
        const TileKernels& kernels = tiles_for(isa, metric, form.rows, form.query);
        TileBlock block;
        kernels.load({sides.left, metric == Distance::Cosine ? sides.left_inverses.data() : nullptr, nullptr, 0, rows},
                     true, block);
        const std::size_t stride = block.padded_rows() + 16;
        std::vector<float> products(block.padded_rows() * stride, -1.0f), squares = products;
        kernels.multiply(block, 0, rows, block, products.data(), stride);
        kernels.square(block, squares.data(), stride);
        for (std::size_t i = 0; i < rows; ++i) {
          for (std::size_t j = 0; j < stride; ++j)
            ASSERT_EQ(squares[i * stride + j], products[i * stride + j])
                << describe(isa, form, metric, 37) << ", " << i << ", " << j << " of " << rows;
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, Tiles, ::testing::ValuesIn(kForms), [](const auto& instance) {
  return std::string(to_string(instance.param.rows)) + "_rows_" + std::string(to_string(instance.param.query)) +
         "_form";
});

TEST(Tiles, AreExactAtTheExtremesOfIntegers) {
  for (const VectorType type : {VectorType::U8, VectorType::I8}) {
    const std::size_t dimension = base::kMaxDimension;
    Sides sides{base::RowStore(type, 1, dimension), base::RowStore(type, 2, dimension), {1}, {1, 1}};
    const int least = type == VectorType::U8 ? 0 : -128, most = type == VectorType::U8 ? 255 : 127;
    std::fill_n(sides.left.row(0), dimension, static_cast<std::byte>(most));
    std::fill_n(sides.right.row(0), dimension, static_cast<std::byte>(least));
    std::fill_n(sides.right.row(1), dimension, static_cast<std::byte>(most));
    const double n = static_cast<double>(dimension);
    for (const std::string& isa : available_isas()) {
      const Products l2 = multiply(isa, Distance::L2, {type, type}, sides);
      EXPECT_EQ(l2.distances[0], static_cast<float>(n * 255 * 255)) << isa;
      EXPECT_EQ(l2.distances[1], 0.0f) << isa;
      const Products ip = multiply(isa, Distance::InnerProduct, {type, type}, sides);
      EXPECT_EQ(ip.distances[0], static_cast<float>(-n * least * most)) << isa;
      EXPECT_EQ(ip.distances[1], static_cast<float>(-n * most * most)) << isa;
    }
  }
}

TEST(Tiles, KeepSmallDistancesBetweenRowsFarFromTheOriginWhenCentered) {
  const std::size_t dimension = 96, rows = 40;
  base::Random random(8);
  base::RowStore store(VectorType::F32, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dimension; ++j)
      reinterpret_cast<float*>(store.row(i))[j] = 1000.0f + static_cast<float>(random.normal());
  }
  const std::vector<float> center(base::round_up(dimension, 16), 1000.0f);
  TileBlock block;
  const TileKernels& kernels = tiles(Distance::L2, VectorType::F32, VectorType::F32);
  kernels.load({store, nullptr, nullptr, 0, rows, center.data()}, true, block);
  std::vector<float> found(block.padded_rows() * block.padded_rows());
  kernels.multiply(block, 0, rows, block, found.data(), block.padded_rows());
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < rows; ++j) {
      const double expected = reference_distance(Distance::L2, store.view().row(i), VectorType::F32,
                                                 store.view().row(j), VectorType::F32, dimension);
      ASSERT_NEAR(static_cast<double>(found[i * block.padded_rows() + j]), expected, 1e-3) << i << ", " << j;
    }
  }
}

/// Rows of f32 whose components are normal, times `scale`.
Sides scaled_sides(double left_scale, double right_scale, std::size_t rows, std::size_t dimension) {
  base::Random random(12);
  base::RowStore left(VectorType::F32, rows, dimension), right(VectorType::F32, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dimension; ++j) {
      reinterpret_cast<float*>(left.row(i))[j] = static_cast<float>(left_scale * random.normal());
      reinterpret_cast<float*>(right.row(i))[j] = static_cast<float>(right_scale * random.normal());
    }
  }
  return sides_of(std::move(left), std::move(right));
}

/// How many results are farther from those of KernelTable than the bound says.
std::size_t count_beyond_bound(const std::string& isa, Distance metric, const Sides& sides) {
  const base::RowsView& left = sides.left.view();
  const base::RowsView& right = sides.right.view();
  const Products found = multiply(isa, metric, {VectorType::F32, VectorType::F32}, sides);
  const float bound = tile_error_bound(metric, VectorType::F32, left.dimension, found.left_norm, found.right_norm);
  std::vector<float> direct(right.rows);
  std::size_t beyond = 0;
  for (std::size_t i = 0; i < left.rows; ++i) {
    const Query query{left.row(i), VectorType::F32, sides.left_inverses[i]};
    kernels_for(isa, metric, VectorType::F32, VectorType::F32)
        .block(query, right, sides.right_inverses.data(), 0, right.rows, direct.data());
    for (std::size_t j = 0; j < right.rows; ++j) {
      const float apart = std::abs(found.distances[i * found.stride + j] - direct[j]);
      if (!(apart <= bound)) ++beyond;
    }
  }
  return beyond;
}

TEST(Tiles, StayWithinTheBoundWhereProductsUnderflow) {
  // Squares of 1e-20 are below the smallest normal float, those of 1e-23 below the smallest of all.
  for (const double scale : {1.0, 1e-19, 1e-20, 1e-21, 1e-22, 1e-23, 1e-30}) {
    for (const double other : {1.0, scale}) {
      const Sides sides = scaled_sides(scale, other, 20, 100);
      for (const std::string& isa : available_isas()) {
        for (const Distance metric : {Distance::L2, Distance::InnerProduct}) {
          EXPECT_EQ(count_beyond_bound(isa, metric, sides), 0u) << isa << " " << to_string(metric) << " " << scale;
        }
      }
    }
  }
}

TEST(Tiles, StayWithinTheBoundOfCosinesForNormsThatTheyHold) {
  for (const double scale : {1e-15, 1e-12, 1.0, 1e12, 1e13}) {
    const Sides sides = scaled_sides(scale, 1 / scale, 20, 100), both = scaled_sides(scale, scale, 20, 100);
    for (const float inverse : both.left_inverses) ASSERT_TRUE(tiles_hold_cosines(inverse)) << inverse;
    for (const std::string& isa : available_isas()) {
      EXPECT_EQ(count_beyond_bound(isa, Distance::Cosine, sides), 0u) << isa << " " << scale;
      EXPECT_EQ(count_beyond_bound(isa, Distance::Cosine, both), 0u) << isa << " " << scale;
    }
  }
  // What they do not hold is wrong indeed: the inverses of these multiply to infinity.
  const Sides tiny = scaled_sides(1e-22, 1e-22, 20, 100);
  EXPECT_FALSE(tiles_hold_cosines(tiny.left_inverses[0]));
  EXPECT_GT(count_beyond_bound(isa(), Distance::Cosine, tiny), 0u);
  EXPECT_TRUE(tiles_hold_cosines(0));
}

TEST(Tiles, HaveNoBoundWhereSumsMayOverflow) {
  const float infinity = std::numeric_limits<float>::infinity();
  for (const Distance metric : {Distance::L2, Distance::InnerProduct}) {
    EXPECT_EQ(tile_error_bound(metric, VectorType::F32, 8, 3e38, 1), infinity);
    EXPECT_EQ(tile_error_bound(metric, VectorType::F32, 8, 1, static_cast<double>(infinity)), infinity);
    EXPECT_EQ(tile_error_bound(metric, VectorType::F32, 8, std::nan(""), 1), infinity);
    EXPECT_LT(tile_error_bound(metric, VectorType::F32, 8, 1e37, 1e37), infinity);
    EXPECT_GT(tile_error_bound(metric, VectorType::F32, 8, 0, 0), 0.0f);
    EXPECT_EQ(tile_error_bound(metric, VectorType::U8, 8, 1e9, 1e9), 0.0f);
  }
}

}  // namespace
}  // namespace diskann::distance
