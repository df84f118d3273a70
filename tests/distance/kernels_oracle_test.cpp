// Every kernel of every instruction set of this machine against the double-precision reference.
#include <gtest/gtest.h>

#include <bit>
#include <vector>

#include "distance/dispatch.hpp"
#include "distance/reference.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann::distance {
namespace {

using namespace testing;

constexpr double kUnit = 0x1p-24;  // half of the distance from 1 to the next float

/// Largest error that summing in f32, in any order, can make: each of the terms and partial sums is rounded by a few
/// units, relative to the sum of the magnitudes.
double error_bound(Distance metric, const std::byte* a, VectorType a_type, const std::byte* b, VectorType b_type,
                   std::size_t dimension, double inverses) {
  double magnitudes = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    const double x = component(a, a_type, i), y = component(b, b_type, i);
    magnitudes += metric == Distance::L2 ? (x - y) * (x - y) : std::abs(x * y);
  }
  const double sum_error = static_cast<double>(dimension + 8) * kUnit * magnitudes;
  return metric == Distance::Cosine ? sum_error * inverses + 16 * kUnit : sum_error;
}

bool integers(Form form) { return form.query != VectorType::F32; }

void compare_with_reference(Form form, std::size_t dimension, std::size_t rows, std::uint64_t seed) {
  base::Random random(seed);
  base::RowStore store = random_rows(random, form.rows, rows, dimension);
  std::fill_n(store.row(rows - 1), dimension * size_of(form.rows), std::byte{0});  // a zero vector among them
  const PaddedQuery padded_query(random, form, dimension);
  const Query& query = padded_query.query();
  std::vector<float> inverses(rows);
  inverse_norms(store, 0, rows, inverses.data());
  for (const Distance metric : kMetrics) {
    std::vector<float> norms(rows);
    row_norms(metric, store, 0, rows, norms.data());
    std::vector<double> expected(rows), bound(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::byte* row = store.view().row(i);
      expected[i] = reference_distance(metric, query.data, form.query, row, form.rows, dimension);
      bound[i] = error_bound(metric, query.data, form.query, row, form.rows, dimension,
                             static_cast<double>(inverses[i]) * static_cast<double>(query.inverse_norm));
    }
    for (const std::string& isa : available_isas()) {
      SCOPED_TRACE(describe(isa, form, metric, dimension) + ", seed " + std::to_string(seed));
      for (const bool with_norms : {true, false}) {
        if (metric == Distance::Cosine && !with_norms) continue;
        SCOPED_TRACE(with_norms ? "norms given" : "no norms");
        std::vector<float> found(rows, -1.0f);
        kernels_for(isa, metric, form.rows, form.query)
            .block(query, store, with_norms ? norms.data() : nullptr, 0, rows, found.data());
        for (std::size_t i = 0; i < rows; ++i) {
          if (integers(form) && metric != Distance::Cosine) {
            ASSERT_EQ(found[i], static_cast<float>(expected[i])) << "row " << i;
          } else {
            ASSERT_NEAR(static_cast<double>(found[i]), expected[i], bound[i]) << "row " << i;
          }
          ASSERT_FALSE(std::signbit(found[i]) && found[i] == 0) << "row " << i << " has distance -0";
        }
        if (metric == Distance::Cosine) {
          ASSERT_EQ(found[rows - 1], 1.0f) << "distance to a zero vector";
        }
      }
    }
  }
}

class Oracle : public ::testing::TestWithParam<Form> {};

TEST_P(Oracle, AgreesAtEverySmallDimension) {
  for (std::size_t dimension = 1; dimension <= 130; ++dimension) {
    ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), dimension, 7, 100 + dimension));
  }
}

TEST_P(Oracle, AgreesAtLargeDimensions) {
  for (const std::size_t dimension : {255u, 256u, 257u, 384u, 784u, 1000u, 4096u}) {
    ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), dimension, 6, dimension));
  }
}

TEST_P(Oracle, AgreesAtTheLargestDimension) {
  ASSERT_NO_FATAL_FAILURE(compare_with_reference(GetParam(), base::kMaxDimension, 5, 9));
}

TEST_P(Oracle, GivesDistanceOneForAZeroQuery) {
  base::Random random(4);
  const base::RowStore store = random_rows(random, GetParam().rows, 5, 70);
  PaddedQuery query(random, GetParam(), 70);
  std::fill_n(query.row(), 70 * size_of(GetParam().query), std::byte{0});
  query.refresh();
  std::vector<float> inverses(5), found(5);
  inverse_norms(store, 0, 5, inverses.data());
  for (const std::string& isa : available_isas()) {
    kernels_for(isa, Distance::Cosine, GetParam().rows, GetParam().query)
        .block(query.query(), store, inverses.data(), 0, 5, found.data());
    for (const float distance : found) EXPECT_EQ(distance, 1.0f) << isa;
  }
}

TEST_P(Oracle, HasNoDistanceBelowZeroBetweenParallelVectors) {
  base::Random random(6);
  for (std::size_t dimension = 1; dimension < 100; ++dimension) {
    const Form form{GetParam().rows, GetParam().rows};
    base::RowStore store = random_rows(random, form.rows, 4, dimension);
    QueryBuffer buffer(dimension);
    std::vector<float> inverses(4), found(4);
    inverse_norms(store, 0, 4, inverses.data());
    const Query query = buffer.prepare_stored(store, 2, inverses[2]);
    for (const std::string& isa : available_isas()) {
      SCOPED_TRACE(describe(isa, form, Distance::Cosine, dimension));
      kernels_for(isa, Distance::Cosine, form.rows, query.form)
          .block(query, store, inverses.data(), 0, 4, found.data());
      for (const float distance : found) EXPECT_TRUE(distance >= 0 && distance <= 2) << distance;
      EXPECT_LE(found[2], static_cast<float>(dimension + 8) * 0x1p-23f);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, Oracle, ::testing::ValuesIn(kForms), [](const auto& instance) {
  return std::string(to_string(instance.param.rows)) + "_rows_" + std::string(to_string(instance.param.query)) +
         "_query";
});

/// Rows and query of one value each, at the largest dimension.
float constant_distance(const std::string& isa, Distance metric, VectorType type, int query_value, int row_value) {
  base::RowStore store(type, 5, base::kMaxDimension), query(type, 1, base::kMaxDimension);
  for (std::size_t i = 0; i < 5; ++i) {
    std::fill_n(store.row(i), base::kMaxDimension, static_cast<std::byte>(row_value));
  }
  std::fill_n(query.row(0), base::kMaxDimension, static_cast<std::byte>(query_value));
  float out[5], norms[5], again[5];
  row_norms(metric, store, 0, 5, norms);
  kernels_for(isa, metric, type, type).block({query.row(0), type, 0}, store, nullptr, 0, 5, out);
  const auto query_norm = static_cast<std::uint32_t>(squared_norm(query.row(0), type, base::kMaxDimension));
  kernels_for(isa, metric, type, type).block({query.row(0), type, 0, query_norm}, store, norms, 0, 5, again);
  for (const float distance : out) EXPECT_EQ(distance, out[0]);
  for (const float distance : again) EXPECT_EQ(distance, out[0]) << "with norms";
  return out[0];
}

TEST(IntegerExtremes, AreExactAtTheLargestDimension) {
  const auto n = static_cast<double>(base::kMaxDimension);
  const auto exact = [n](double product) { return static_cast<float>(n * product); };
  for (const std::string& isa : available_isas()) {
    SCOPED_TRACE(isa);
    EXPECT_EQ(constant_distance(isa, Distance::L2, VectorType::U8, 255, 0), exact(255 * 255));
    EXPECT_EQ(constant_distance(isa, Distance::L2, VectorType::U8, 0, 255), exact(255 * 255));
    EXPECT_EQ(constant_distance(isa, Distance::L2, VectorType::I8, -128, 127), exact(255 * 255));
    EXPECT_EQ(constant_distance(isa, Distance::L2, VectorType::I8, 127, -128), exact(255 * 255));
    EXPECT_EQ(constant_distance(isa, Distance::L2, VectorType::I8, -128, -128), 0.0f);
    EXPECT_EQ(constant_distance(isa, Distance::InnerProduct, VectorType::U8, 255, 255), -exact(255 * 255));
    EXPECT_EQ(constant_distance(isa, Distance::InnerProduct, VectorType::I8, -128, -128), -exact(128 * 128));
    EXPECT_EQ(constant_distance(isa, Distance::InnerProduct, VectorType::I8, -128, 127), exact(128 * 127));
    EXPECT_EQ(constant_distance(isa, Distance::InnerProduct, VectorType::I8, 127, -128), exact(128 * 127));
    EXPECT_EQ(constant_distance(isa, Distance::InnerProduct, VectorType::U8, 255, 0), 0.0f);
  }
}

TEST(IntegerExtremes, KeepTheirSignByCosine) {
  constexpr std::size_t kDimension = base::kMaxDimension;
  for (const auto& [type, value] : {std::pair{VectorType::U8, 255}, std::pair{VectorType::I8, -128}}) {
    base::RowStore store(type, 5, kDimension);  // sums of u8 pass 2^31
    for (std::size_t i = 0; i < 5; ++i) std::fill_n(store.row(i), kDimension, static_cast<std::byte>(value));
    float norms[5], found[5];
    row_norms(Distance::Cosine, store, 0, 5, norms);
    for (const std::string& isa : available_isas()) {
      kernels_for(isa, Distance::Cosine, type, type).block({store.row(0), type, norms[0]}, store, norms, 0, 5, found);
      for (const float distance : found) EXPECT_NEAR(distance, 0.0f, 1e-6f) << isa << " " << to_string(type);
    }
  }
}

TEST(IntegerForms, AreTheSameBitForBitOnEveryInstructionSet) {
  for (const VectorType type : {VectorType::U8, VectorType::I8}) {
    for (const std::size_t dimension : {1u, 63u, 64u, 65u, 100u, 784u, 4099u}) {
      base::Random random(dimension);
      const base::RowStore store = random_rows(random, type, 9, dimension);
      const PaddedQuery query(random, {type, type}, dimension);
      for (const Distance metric : kMetrics) {
        std::vector<float> norms(9), first;
        row_norms(metric, store, 0, 9, norms.data());
        for (const std::string& isa : available_isas()) {
          std::vector<float> found(9);
          kernels_for(isa, metric, type, type).block(query.query(), store, norms.data(), 0, 9, found.data());
          if (first.empty()) first = found;
          for (std::size_t i = 0; i < 9; ++i) {
            ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i]), std::bit_cast<std::uint32_t>(first[i]))
                << describe(isa, {type, type}, metric, dimension) << ", row " << i;
          }
        }
      }
    }
  }
}

TEST(HalfRows, TakeEveryFiniteHalf) {
  // One component a row: the inner product with 1 is the half itself.
  const std::size_t halves = 1 << 16;
  base::RowStore store(VectorType::F16, halves, 1), one(VectorType::F32, 1, 32);
  for (std::size_t bits = 0; bits < halves; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if ((half & 0x7C00u) != 0x7C00u) std::memcpy(store.row(bits), &half, 2);
  }
  const float value = 1;
  std::memcpy(one.row(0), &value, 4);
  std::vector<float> found(halves);
  for (const std::string& isa : available_isas()) {
    kernels_for(isa, Distance::InnerProduct, VectorType::F16, VectorType::F32)
        .block({one.row(0), VectorType::F32, 1}, store, nullptr, 0, halves, found.data());
    for (std::size_t bits = 0; bits < halves; ++bits) {
      const auto half = static_cast<std::uint16_t>((bits & 0x7C00u) != 0x7C00u ? bits : 0);
      ASSERT_EQ(found[bits], 0.0f - static_cast<float>(float16::from_bits(half))) << isa << ", half " << bits;
    }
  }
}

}  // namespace
}  // namespace diskann::distance
