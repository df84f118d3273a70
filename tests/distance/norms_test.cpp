#include "distance/norms.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "distance/half.hpp"
#include "distance/reference.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann::distance {
namespace {

using namespace testing;

TEST(Norms, AgreeWithTheReference) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    for (const std::size_t dimension : {1u, 7u, 8u, 9u, 100u, 1000u}) {
      base::Random random(dimension);
      const base::RowStore store = random_rows(random, type, 5, dimension);
      std::vector<double> squares(3);
      std::vector<float> inverses(3);
      squared_norms(store, 2, 3, squares.data());
      inverse_norms(store, 2, 3, inverses.data());
      for (std::size_t i = 0; i < 3; ++i) {
        double expected = 0;
        for (std::size_t j = 0; j < dimension; ++j) {
          expected += std::pow(component(store.view().row(2 + i), type, j), 2);
        }
        EXPECT_NEAR(squares[i], expected, expected * 1e-13);
        EXPECT_FLOAT_EQ(inverses[i], static_cast<float>(1 / std::sqrt(expected)));
      }
    }
  }
}

TEST(Norms, OfRowsAreWhatTheirMetricWants) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    base::Random random(3);
    const base::RowStore store = random_rows(random, type, 5, 100);
    std::vector<float> inverses(3), found(3);
    inverse_norms(store, 2, 3, inverses.data());
    row_norms(Distance::Cosine, store, 2, 3, found.data());
    EXPECT_EQ(found, inverses);
    row_norms(Distance::InnerProduct, store, 2, 3, found.data());
    EXPECT_EQ(found, std::vector<float>(3));
    row_norms(Distance::L2, store, 2, 3, found.data());
    for (std::size_t i = 0; i < 3; ++i) {
      const bool integers = type == VectorType::U8 || type == VectorType::I8;
      const auto expected =
          integers ? static_cast<std::uint32_t>(squared_norm(store.view().row(2 + i), type, 100)) : 0u;
      EXPECT_EQ(std::bit_cast<std::uint32_t>(found[i]), expected) << to_string(type);
    }
  }
}

TEST(Norms, AreKeptWhereTheyPay) {
  constexpr std::uint64_t kMany = std::uint64_t{1} << 30;
  for (const VectorType type : {VectorType::U8, VectorType::I8}) {
    EXPECT_TRUE(has_norms(Distance::L2, type, 128, 1'000'000));
    EXPECT_FALSE(has_norms(Distance::L2, type, 128, kMany));
    EXPECT_TRUE(has_norms(Distance::L2, type, 784, kMany));
    EXPECT_TRUE(has_norms(Distance::Cosine, type, 128, kMany));
    EXPECT_FALSE(has_norms(Distance::InnerProduct, type, 128, 1000));
  }
  EXPECT_FALSE(has_norms(Distance::L2, VectorType::F32, 784, 1000));
  EXPECT_TRUE(has_norms(Distance::Cosine, VectorType::F32, 784, kMany));
}

TEST(Norms, OfZeroRowsHaveInverseZero) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    const base::RowStore store(type, 1, 10);
    float inverse = 5;
    inverse_norms(store, 0, 1, &inverse);
    EXPECT_EQ(inverse, 0.0f);
  }
}

TEST(Norms, OfTheLargestByteRowsAreExact) {
  for (const auto& [type, value, square] :
       {std::tuple{VectorType::U8, 255, 65025.0}, std::tuple{VectorType::I8, -128, 16384.0}}) {
    base::RowStore store(type, 1, base::kMaxDimension);
    std::fill_n(store.row(0), base::kMaxDimension, static_cast<std::byte>(value));
    double found = 0;
    squared_norms(store, 0, 1, &found);
    EXPECT_EQ(found, square * static_cast<double>(base::kMaxDimension));
  }
}

Error finite_error(const VectorView& rows, std::uint64_t first) {
  try {
    check_finite(rows, first);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorCode::Internal, "no error");
}

TEST(CheckFinite, NamesRowAndColumnOfTheFirst) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (std::size_t at = 0; at < 4 * 19; ++at) {
    for (const float bad : {nan, infinity, -infinity}) {
      std::vector<float> values(4 * 19, 1.0f);
      values[at] = bad;
      values.back() = at + 1 == values.size() ? bad : nan;
      std::vector<float16> halves;
      for (const float value : values) halves.emplace_back(value);
      const std::string expected =
          "row " + std::to_string(1000 + at / 19) + ", column " + std::to_string(at % 19) + ":";
      for (const Error& error : {finite_error(VectorView(values.data(), 4, 19), 1000),
                                 finite_error(VectorView(halves.data(), 4, 19), 1000)}) {
        ASSERT_EQ(error.code(), ErrorCode::InvalidArgument);
        ASSERT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
      }
    }
  }
}

TEST(CheckFinite, TakesEveryFiniteValueAndRefusesNormsBeyondF32) {
  const float big = std::sqrt(std::numeric_limits<float>::max()) * 0.999f;
  const std::vector<float> fine = {big, 0, std::numeric_limits<float>::denorm_min(), -0.0f};
  EXPECT_NO_THROW(check_finite(VectorView(fine.data(), 2, 2), 0));
  const std::vector<float16> halves = {float16::from_bits(0x7BFF), float16::from_bits(0xFBFF)};
  EXPECT_NO_THROW(check_finite(VectorView(halves), 0));
  const std::vector<float> beyond = {1, 1, big, big};
  const Error error = finite_error(VectorView(beyond.data(), 2, 2), 5);
  EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
  EXPECT_NE(std::string(error.what()).find("row 6: the squared norm overflows"), std::string::npos) << error.what();
  const std::vector<std::uint8_t> bytes(10, 255);
  EXPECT_NO_THROW(check_finite(VectorView(bytes.data(), 2, 5), 0));
}

TEST(Half, IsTheSameFloatAsFloat16) {
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if ((half & 0x7C00u) == 0x7C00u) continue;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(half_to_float(half)),
              std::bit_cast<std::uint32_t>(static_cast<float>(float16::from_bits(half))))
        << bits;
  }
}

TEST(Reference, IsTheDefinition) {
  const float a[] = {1, 2, 2}, b[] = {2, 4, 5}, zero[] = {0, 0, 0};
  const auto distance = [](Distance metric, const float* x, const float* y) {
    return reference_distance(metric, reinterpret_cast<const std::byte*>(x), VectorType::F32,
                              reinterpret_cast<const std::byte*>(y), VectorType::F32, 3);
  };
  EXPECT_EQ(distance(Distance::L2, a, b), 14);
  EXPECT_EQ(distance(Distance::InnerProduct, a, b), -20);
  EXPECT_DOUBLE_EQ(distance(Distance::Cosine, a, b), 1 - 20 / (3 * std::sqrt(45.0)));
  EXPECT_EQ(distance(Distance::Cosine, a, zero), 1);
  EXPECT_FALSE(std::signbit(distance(Distance::InnerProduct, a, zero)));
  const std::int8_t low[] = {-128, 127};
  const std::uint8_t high[] = {255, 0};
  EXPECT_EQ(reference_distance(Distance::L2, reinterpret_cast<const std::byte*>(low), VectorType::I8,
                               reinterpret_cast<const std::byte*>(high), VectorType::U8, 2),
            383.0 * 383 + 127 * 127);
}

}  // namespace
}  // namespace diskann::distance
