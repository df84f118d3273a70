#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/random.hpp"
#include "diskann/distance.hpp"
#include "distance/reference.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann {
namespace {

using distance::testing::kMetrics;

std::vector<float> random_floats(std::uint64_t seed, std::size_t count) {
  base::Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.normal());
  return values;
}

double reference(Distance metric, const float* a, const float* b, std::size_t dimension) {
  return distance::reference_distance(metric, reinterpret_cast<const std::byte*>(a), VectorType::F32,
                                      reinterpret_cast<const std::byte*>(b), VectorType::F32, dimension);
}

TEST(LibraryDistance, AgreesWithTheReferenceOnUnalignedSpans) {
  for (const Distance metric : kMetrics) {
    for (const std::size_t dimension : {1u, 3u, 16u, 17u, 100u, 784u}) {
      const auto function = create_distance_function(metric, dimension);
      for (const std::size_t points : {0u, 1u, 2u, 15u, 16u, 17u, 40u}) {
        const auto values = random_floats(dimension + points, 1 + (points + 1) * dimension);
        const std::span<const float> query(values.data() + 1, dimension);
        const std::span<const float> rows(values.data() + 1 + dimension, points * dimension);
        std::vector<float> found(points);
        function->batch_distance(query, rows, found);
        for (std::size_t i = 0; i < points; ++i) {
          const float* const row = rows.data() + i * dimension;
          const double expected = reference(metric, query.data(), row, dimension);
          EXPECT_NEAR(static_cast<double>(found[i]), expected, 1e-5 * (1 + std::abs(expected)));
          EXPECT_EQ(function->distance(query, {row, dimension}), found[i]) << "one at a time";
        }
      }
    }
  }
}

TEST(LibraryDistance, KeepsNanWhereverItStands) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const Distance metric : kMetrics) {
    const auto function = create_distance_function(metric, 5);
    for (std::size_t bad = 0; bad < 11; ++bad) {
      std::vector<float> rows = random_floats(bad, 11 * 5);
      rows[bad * 5 + bad % 5] = nan;
      const std::span<const float> query(rows.data() + (bad == 0 ? 5 : 0), 5);
      std::vector<float> found(11);
      function->batch_distance(query, rows, found);
      for (std::size_t i = 0; i < 11; ++i) {
        EXPECT_EQ(std::isnan(found[i]), i == bad) << to_string(metric) << ", row " << i << " of " << bad;
        EXPECT_EQ(std::isnan(function->distance(query, {rows.data() + i * 5, 5})), i == bad);
      }
    }
  }
}

TEST(LibraryDistance, KeepsFunctionsOfOtherDimensionsApart) {
  const auto small = create_distance_function(Distance::L2, 5), large = create_distance_function(Distance::L2, 40);
  const std::vector<float> a(40, 1.0f), b(40, 3.0f);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(large->distance(a, b), 160.0f);
    EXPECT_EQ(small->distance(std::span(a).first(5), std::span(b).first(5)), 20.0f);
  }
}

TEST(LibraryDistance, KnowsItsMetricAndName) {
  const std::pair<Distance, std::string> names[] = {
      {Distance::L2, "l2"}, {Distance::Cosine, "cosine"}, {Distance::InnerProduct, "ip"}};
  for (const auto& [metric, name] : names) {
    EXPECT_EQ(create_distance_function(metric, 4)->metric(), metric);
    EXPECT_EQ(create_distance_function(metric, 4)->name(), name);
  }
}

TEST(LibraryDistance, RefusesOtherLengthsAndNamesBoth) {
  const auto function = create_distance_function(Distance::L2, 4);
  const std::vector<float> three(3), four(4), eight(8);
  float out[2];
  const auto message = [&](auto call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::DimensionMismatch);
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(message([&] { function->distance(three, four); }), "the query has 3 components, expected 4");
  EXPECT_EQ(message([&] { function->distance(four, eight); }), "the point has 8 components, expected 4");
  EXPECT_EQ(message([&] { function->batch_distance(four, four, out); }),
            "the points have 4 components, expected 2 times 4");
}

TEST(LibraryDistance, RefusesWhatItCannotBe) {
  const auto code = [](Distance metric, std::size_t dimension) {
    try {
      create_distance_function(metric, dimension);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  EXPECT_EQ(code(Distance::Custom, 4), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(Distance::L2, 0), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(Distance::L2, 65'536), ErrorCode::InvalidArgument);
  EXPECT_NO_THROW(create_distance_function(Distance::L2, 65'535));
}

class Manhattan final : public DistanceFunction {
 public:
  float distance(std::span<const float> a, std::span<const float> b) const override {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum;
  }
  std::string name() const override { return "manhattan"; }
};

TEST(CustomDistance, GetsBatchesFromItsSingleForm) {
  const Manhattan manhattan;
  EXPECT_EQ(manhattan.metric(), Distance::Custom);
  const std::vector<float> query = {1, 2}, points = {1, 2, 4, 6, -1, 0};
  float out[3];
  manhattan.batch_distance(query, points, out);
  EXPECT_EQ(out[0], 0.0f);
  EXPECT_EQ(out[1], 7.0f);
  EXPECT_EQ(out[2], 4.0f);
  EXPECT_THROW(manhattan.batch_distance(query, std::span(points).first(5), out), Error);
}

}  // namespace
}  // namespace diskann
