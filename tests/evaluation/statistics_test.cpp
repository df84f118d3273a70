#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "diskann/evaluation.hpp"
#include "distance/reference.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann {
namespace {

TEST(Statistics, OfAHandMadeSetAreExact) {
  const auto set = VectorSet::from_rows<float>({{3, 4}, {0, 0}, {-3, -4}, {3, 4}, {3, 4}, {0, 0}});
  const VectorStatistics statistics = analyze_vectors(set);
  EXPECT_EQ(statistics.smallest, -4);
  EXPECT_EQ(statistics.largest, 4);
  EXPECT_NEAR(statistics.mean, 14.0 / 12, 1e-12);
  EXPECT_NEAR(statistics.standard_deviation, std::sqrt(100.0 / 12 - (14.0 / 12) * (14.0 / 12)), 1e-12);
  EXPECT_EQ(statistics.smallest_norm, 0);
  EXPECT_EQ(statistics.largest_norm, 5);
  EXPECT_NEAR(statistics.mean_norm, 20.0 / 6, 1e-12);
  EXPECT_EQ(statistics.zero_vectors, 2u);
  EXPECT_EQ(statistics.duplicates, 3u);
  EXPECT_EQ(statistics.not_finite, 0u);
  EXPECT_EQ(statistics.first_not_finite_row, kNoId);
  EXPECT_TRUE(statistics.integral);
}

TEST(Statistics, AgreeWithTwoPlainPasses) {
  for (const VectorType type : testing::kTypes) {
    const VectorSet set = testing::random_vectors(type, 1500, 31, 5);  // several chunks
    double sum = 0, squares = 0, norms = 0;
    for (std::size_t i = 0; i < 1500; ++i) {
      double norm = 0;
      for (std::size_t d = 0; d < 31; ++d) {
        const double value = distance::component(set.row(i), type, d);
        sum += value;
        norm += value * value;
      }
      norms += std::sqrt(norm);
    }
    const double mean = sum / (1500 * 31);
    for (std::size_t i = 0; i < 1500; ++i) {
      for (std::size_t d = 0; d < 31; ++d) squares += std::pow(distance::component(set.row(i), type, d) - mean, 2);
    }
    const VectorStatistics statistics = analyze_vectors(set);
    const double scale = std::max(std::fabs(statistics.smallest), statistics.largest);
    EXPECT_NEAR(statistics.mean, mean, 1e-12 * scale) << to_string(type);
    EXPECT_NEAR(statistics.standard_deviation, std::sqrt(squares / (1500 * 31)), 1e-12 * scale);
    EXPECT_NEAR(statistics.mean_norm, norms / 1500, 1e-10 * scale);
    EXPECT_EQ(statistics.integral, size_of(type) == 1);
  }
}

TEST(Statistics, KeepTheSpreadOfLargeNumbersThatLieTogether) {
  std::vector<float> row(1000);
  for (std::size_t i = 0; i < row.size(); ++i) row[i] = 16'000'000.0f + static_cast<float>(i % 2);
  EXPECT_NEAR(analyze_vectors(VectorView(row.data(), 100, 10)).standard_deviation, 0.5, 1e-9);
}

TEST(StatisticsThreads, DoNotChangeTheFigures) {
  const VectorSet set = testing::random_vectors(VectorType::F32, 5000, 17, 6);
  Execution execution;
  execution.threads = 1;
  const VectorStatistics one = analyze_vectors(set, execution);
  for (const unsigned threads : {2u, 3u, 5u}) {
    execution.threads = threads;
    const VectorStatistics many = analyze_vectors(set, execution);
    EXPECT_EQ(one.mean, many.mean);
    EXPECT_EQ(one.standard_deviation, many.standard_deviation);
    EXPECT_EQ(one.mean_norm, many.mean_norm);
    EXPECT_EQ(one.duplicates, many.duplicates);
  }
}

TEST(Statistics, LeaveRowsOutThatAreNotFinite) {
  auto set = VectorSet::from_rows<float>({{1, 2}, {3, 4}, {5, 6}, {7, 8}});
  testing::set_component(set, 1, 1, std::numeric_limits<double>::quiet_NaN());
  testing::set_component(set, 3, 0, std::numeric_limits<double>::infinity());
  const VectorStatistics statistics = analyze_vectors(set);
  EXPECT_EQ(statistics.not_finite, 2u);
  EXPECT_EQ(statistics.first_not_finite_row, 1u);
  EXPECT_EQ(statistics.smallest, 1);
  EXPECT_EQ(statistics.largest, 6);
  EXPECT_EQ(statistics.mean, 3.5);
  EXPECT_FALSE(statistics.integral);
  const VectorStatistics nothing = analyze_vectors(set.view().slice(1, 1));
  EXPECT_EQ(nothing.not_finite, 1u);
  EXPECT_EQ(nothing.largest, 0);
}

TEST(Statistics, CountDuplicatesOfStridedRowsWithoutWhatLiesBetween) {
  std::vector<std::uint8_t> bytes(7 * 50);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i % 7 < 4 ? i % 7 : i);
  const VectorView rows(bytes.data(), VectorType::U8, 50, 4, 7);
  EXPECT_EQ(analyze_vectors(rows).duplicates, 49u);
  const VectorView wider(bytes.data(), VectorType::U8, 50, 5, 7);
  EXPECT_EQ(analyze_vectors(wider).duplicates, 0u);
}

TEST(Statistics, RefuseEmptyInput) {
  EXPECT_THROW(analyze_vectors(VectorSet(VectorType::F32, 0, 4)), Error);
  EXPECT_THROW(analyze_vectors(VectorSet(VectorType::F32, 4, 0)), Error);
}

}  // namespace
}  // namespace diskann
