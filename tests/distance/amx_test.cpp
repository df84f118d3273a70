// The tiles of AMX with a model in place of its registers: blocking, padding and everything around the instructions, on
// processors without them. Where a processor has them, the other tests of tiles take it like every set.
#include "distance/amx.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "distance/dispatch.hpp"
#include "distance/targets.hpp"
#include "tests/distance/amx_model.hpp"
#include "tests/distance/tile_checks.hpp"

#if DISKANN_HAS_AMX && defined(__linux__)
#include "tests/distance/amx_traps.hpp"
#endif

// The library's own code, once with the vectors that AMX has beside it, and once as any processor runs it.
#undef DISKANN_AMX
#define DISKANN_AMX 1
#define DISKANN_AMX_REGISTERS testing::AmxModel
#if HWY_TARGETS & HWY_AVX3_DL
#undef HWY_TARGET
#define HWY_TARGET HWY_AVX3_DL
#define DISKANN_AMX_NAMESPACE N_AMX_MODEL_AVX3_DL
#include "distance/tiles_integer.cpp"
#undef DISKANN_AMX_NAMESPACE
#undef HWY_TARGET
#define HWY_TARGET HWY_STATIC_TARGET
#ifdef HWY_TARGET_TOGGLE
#undef HWY_TARGET_TOGGLE
#else
#define HWY_TARGET_TOGGLE
#endif
#endif
#define DISKANN_AMX_NAMESPACE N_AMX_MODEL
#include "distance/tiles_integer.cpp"

namespace diskann::distance {
namespace {

using namespace testing;
using Fault = AmxModel::Fault;

constexpr VectorType kTypes[] = {VectorType::U8, VectorType::I8};

struct ModelTiles {
  std::string name;
  const TileKernels* (*find)(Distance metric, VectorType rows);
};

/// Those whose vectors this processor has.
std::vector<ModelTiles> model_tiles() {
  std::vector<ModelTiles> tiles{{"any vectors", N_AMX_MODEL::find_integer_tiles}};
#if HWY_TARGETS & HWY_AVX3_DL
  if (has_target<HWY_AVX3_DL>()) tiles.push_back({"AVX3_DL", N_AMX_MODEL_AVX3_DL::find_integer_tiles});
#endif
  return tiles;
}

class Amx : public ::testing::Test {
 protected:
  void SetUp() override { AmxModel::reset(); }
  void TearDown() override {
    EXPECT_EQ(AmxModel::refused, "");
    AmxModel::reset();
  }
};

void compare_with_reference(VectorType type, const Sides& sides) {
  for (const ModelTiles& tiles : model_tiles()) {
    for (const Distance metric : kMetrics)
      ASSERT_EQ(first_wrong(*tiles.find(metric, type), metric, type, sides), "") << tiles.name;
  }
}

TEST_F(Amx, AgreesForEveryNumberOfRows) {
  for (const VectorType type : kTypes) {
    for (std::size_t rows = 1; rows <= 70; ++rows) {
      // Left and right sides of different sizes, so that every block of tiles meets every other.
      const std::size_t right = 1 + rows * 29 % 70;
      ASSERT_NO_FATAL_FAILURE(compare_with_reference(type, random_sides(rows, type, rows, right, 65)));
    }
  }
}

TEST_F(Amx, AgreesAtEveryKindOfDimension) {
  for (const VectorType type : kTypes) {
    for (const std::size_t dimension : {1u, 2u, 3u, 4u, 5u, 60u, 61u, 63u, 64u, 65u, 100u, 127u, 128u, 129u}) {
      for (const auto& [left, right] : {std::pair(1u, 1u), {16u, 17u}, {17u, 32u}, {33u, 49u}, {70u, 20u}})
        ASSERT_NO_FATAL_FAILURE(compare_with_reference(type, random_sides(dimension, type, left, right, dimension)));
    }
    for (const std::size_t dimension : {784u, 4096u})
      ASSERT_NO_FATAL_FAILURE(compare_with_reference(type, random_sides(1, type, 17, 33, dimension)));
  }
}

/// Rows of the extremes alone: one of each, and one of both by turns.
base::RowStore extreme_rows(VectorType type, std::size_t dimension) {
  const bool is_signed = type == VectorType::I8;
  const std::byte least{static_cast<unsigned char>(is_signed ? 0x80 : 0)};
  const std::byte most{static_cast<unsigned char>(is_signed ? 0x7F : 0xFF)};
  base::RowStore rows(type, 3, dimension);
  std::fill_n(rows.row(0), dimension, least);
  std::fill_n(rows.row(1), dimension, most);
  for (std::size_t i = 0; i < dimension; ++i) rows.row(2)[i] = i % 2 == 0 ? least : most;
  return rows;
}

TEST_F(Amx, IsExactAtTheExtremesOfIntegers) {
  for (const VectorType type : kTypes) {
    for (const std::size_t dimension : {std::size_t{1}, std::size_t{64}, std::size_t{100}, base::kMaxDimension})
      ASSERT_NO_FATAL_FAILURE(
          compare_with_reference(type, sides_of(extreme_rows(type, dimension), extreme_rows(type, dimension))));
  }
}

TEST_F(Amx, ReadsAndWritesWhatItMay) {
  constexpr std::size_t kRight = 37;
  for (const ModelTiles& tiles : model_tiles()) {
    const TileKernels& kernels = *tiles.find(Distance::L2, VectorType::U8);
    // Blocks that were larger before: what stands behind their rows and components must not matter.
    TileBlock left, right;
    const Sides full = random_sides(1, VectorType::U8, 80, 80, 192);
    kernels.load({full.left, nullptr, nullptr, 0, 80}, false, left);
    kernels.load({full.right, nullptr, nullptr, 0, 80}, true, right);
    for (const std::size_t rows : {80u, 80u, 48u, 41u, 9u}) {
      const Sides sides = random_sides(rows, VectorType::U8, rows, kRight, 130);
      kernels.load({sides.left, nullptr, nullptr, 0, rows}, false, left);
      kernels.load({sides.right, nullptr, nullptr, 0, kRight}, true, right);
      const TileBlock::Layout &a = left.layout(), &b = right.layout();
      AmxModel::readable = {{a.left, a.left + left.padded_rows() * a.stride},
                            {b.panels, b.panels + right.padded_rows() * b.stride}};
      const std::size_t stride = right.padded_rows() + 16;
      for (std::size_t first = 0; first < rows; first += 5) {
        for (const std::size_t count : {std::size_t{1}, std::size_t{8}, std::size_t{16}, std::size_t{19}, rows}) {
          if (first + count > rows) continue;
          std::vector<float> out((base::round_up(count, 8) + 8) * stride, -1.0f);
          kernels.multiply(left, first, count, right, out.data(), stride);
          for (std::size_t i = 0; i < out.size(); ++i) {
            const std::size_t row = i / stride, column = i % stride;
            if (row >= count || column >= right.padded_rows()) {
              ASSERT_EQ(out[i], -1.0f) << "written: row " << row << " of " << count << ", column " << column;
            } else if (column < kRight) {
              ASSERT_EQ(static_cast<double>(out[i]),
                        reference_distance(Distance::L2, sides.left.view().row(first + row), VectorType::U8,
                                           sides.right.view().row(column), VectorType::U8, 130));
            }
          }
        }
      }
    }
  }
}

TEST_F(Amx, SquaresAreProductsOfABlockWithItself) {
  for (const ModelTiles& tiles : model_tiles()) {
    for (const std::size_t rows : {1u, 16u, 33u, 48u, 49u, 96u, 131u}) {
      const Sides sides = random_sides(rows, VectorType::I8, rows, 1, 70);
      const TileKernels& kernels = *tiles.find(Distance::InnerProduct, VectorType::I8);
      TileBlock block;
      kernels.load({sides.left, nullptr, nullptr, 0, rows}, true, block);
      const std::size_t stride = block.padded_rows();
      std::vector<float> products(stride * stride), squares = products;
      kernels.multiply(block, 0, rows, block, products.data(), stride);
      kernels.square(block, squares.data(), stride);
      products.resize(rows * stride);
      squares.resize(rows * stride);
      ASSERT_EQ(squares, products) << tiles.name << ", " << rows;
    }
  }
}

TEST_F(Amx, MultipliesEveryTileOnce) {
  for (const auto& [left, right] : {std::pair(32u, 32u), {33u, 48u}, {70u, 17u}}) {
    const Sides sides = random_sides(1, VectorType::U8, left, right, 200);
    AmxModel::products = 0;
    multiply(*N_AMX_MODEL::find_integer_tiles(Distance::L2, VectorType::U8), Distance::L2, sides);
    EXPECT_EQ(AmxModel::products, (left + 15) / 16 * ((right + 15) / 16) * 4) << left << " x " << right;
  }
}

// That the comparisons above and the one at the start of a process would see a processor that computes something else.
TEST_F(Amx, IsSeenToBeWrongWhereItIs) {
  const auto as_expected = [](Fault fault, VectorType type) {
    AmxModel::fault = fault;
    bool all_right = true;
    for (const ModelTiles& tiles : model_tiles()) {
      const TileKernels& found = *tiles.find(Distance::L2, type);
      const TileKernels& expected = tiles_for(available_isas().back(), Distance::L2, type, type);
      const bool right = same_integer_tiles(found, expected, type);
      const Sides sides = random_sides(1, type, 40, 40, 100);
      EXPECT_EQ(right, first_wrong(found, Distance::L2, type, sides).empty()) << tiles.name;
      all_right &= right;
    }
    AmxModel::fault = Fault::None;
    return all_right;
  };
  for (const VectorType type : kTypes) {
    EXPECT_TRUE(as_expected(Fault::None, type));
    for (const Fault fault : {Fault::OtherSign, Fault::OneSideSigned, Fault::KeepsSums, Fault::LosesLastRow,
                              Fault::LosesLastGroup, Fault::SwapsSides, Fault::SharesTiles, Fault::IgnoresStride})
      EXPECT_FALSE(as_expected(fault, type)) << static_cast<int>(fault) << " " << to_string(type);
  }
  // Sums beyond 2^31 take long rows.
  AmxModel::fault = Fault::Saturates;
  const Sides extremes =
      sides_of(extreme_rows(VectorType::U8, base::kMaxDimension), extreme_rows(VectorType::U8, base::kMaxDimension));
  for (const ModelTiles& tiles : model_tiles()) {
    const TileKernels& found = *tiles.find(Distance::InnerProduct, VectorType::U8);
    EXPECT_NE(first_wrong(found, Distance::InnerProduct, VectorType::U8, extremes), "");
  }
}

TEST_F(Amx, ModelRefusesWhatAProcessorWould) {
  const auto refusal = [](auto use) {
    AmxModel::refused.clear();
    use();
    return std::exchange(AmxModel::refused, "");
  };
  std::byte memory[1024] = {};
  const auto configured = [&](const AmxConfiguration& configuration) {
    return refusal([&] {
      AmxModel model;
      model.configure(configuration);
      model.release();
    });
  };
  EXPECT_EQ(configured(full_amx_tiles()), "");
  for (const std::size_t byte : {0u, 2u, 15u, 17u, 32u, 47u, 48u, 56u, 63u}) {
    AmxConfiguration wrong = full_amx_tiles();
    reinterpret_cast<unsigned char*>(&wrong)[byte] = 200;
    EXPECT_NE(configured(wrong), "") << byte;
  }
  EXPECT_NE(refusal([&] { AmxModel().load<0>(memory, 64); }), "") << "not configured";
  EXPECT_NE(refusal([&] { AmxModel().configure(full_amx_tiles()); }), "") << "not released";
  AmxConfiguration small = full_amx_tiles();
  small.rows[4] = 8;
  EXPECT_NE(refusal([&] {
              AmxModel model;
              model.configure(small);
              model.add_unsigned_products<0, 4, 6>();
              model.release();
            }),
            "")
      << "eight left rows, sixteen of sums";
  AmxModel::readable = {{memory, memory + 1023}};
  EXPECT_NE(refusal([&] {
              AmxModel model;
              model.configure(full_amx_tiles());
              model.load<0>(memory, 64);
              model.release();
            }),
            "")
      << "beyond the end";
}

#if DISKANN_HAS_AMX && defined(__linux__)
// The library's own tiles of AMX, as they were compiled.
TEST_F(Amx, InstructionsDoWhatTheModelDoes) {
  if (!AmxTraps::possible() || !has_target<HWY_AVX3_DL>()) GTEST_SKIP() << "tiles_test runs them, or nothing can";
  AmxTraps traps;
  for (const VectorType type : kTypes) {
    for (const auto& [left, right] : {std::pair(1u, 1u), {16u, 17u}, {40u, 33u}, {33u, 64u}, {70u, 20u}}) {
      for (const std::size_t dimension : {3u, 64u, 100u, 784u}) {
        const Sides sides = random_sides(dimension, type, left, right, dimension);
        for (const Distance metric : kMetrics) {
          const std::size_t before = traps.executed();
          ASSERT_EQ(first_wrong(*N_AMX::find_integer_tiles(metric, type), metric, type, sides), "");
          ASSERT_GE(traps.executed() - before,
                    2 + (left + 15) / 16 * ((right + 15) / 16) * (2 + (dimension + 63) / 64));
        }
      }
    }
    const TileKernels& right = tiles_for("AVX3_DL", Distance::L2, type, type);
    EXPECT_TRUE(same_integer_tiles(*N_AMX::find_integer_tiles(Distance::L2, type), right, type));
    AmxModel::fault = Fault::SwapsSides;
    EXPECT_FALSE(same_integer_tiles(*N_AMX::find_integer_tiles(Distance::L2, type), right, type));
    AmxModel::fault = Fault::None;
  }
}
#endif

#if DISKANN_HAS_AMX
TEST_F(Amx, IsOfferedWhereTheProcessorHasIt) {
  EXPECT_EQ(compiled_isas().front(), "AMX");
  const auto available = available_isas();
  EXPECT_EQ(std::ranges::count(available, "AMX"), has_amx() ? 1 : 0);
  EXPECT_TRUE(!has_amx() || has_target<HWY_AVX3_DL>());
}
#endif

}  // namespace
}  // namespace diskann::distance
