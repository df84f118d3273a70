#include <gtest/gtest.h>

#include <cmath>

#include "diskann/evaluation.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann {
namespace {

TEST(BuildTime, GrowsWithTheComparisonsOfThePartitionedBuilder) {
  const std::vector<TimedBuild> timed{{1000, 1e6, 5.0}, {3000, 1e7, 2.0}};
  EXPECT_DOUBLE_EQ(predict_build_seconds(timed, {9000, 5e7, 0}), 10.0) << "the largest says most";
  EXPECT_EQ(predict_build_seconds({}, {9000, 5e7, 0}), 0.0);
}

TEST(BuildTime, GrowsWithRowsAndTheirLogarithmOfTheIncrementalBuilder) {
  const auto law = [](double rows) { return rows * (3e-6 + 2e-6 * std::log(rows)); };
  std::vector<TimedBuild> timed{{1000, 0, 100.0}};  // what came first, in cold caches, is not looked at
  for (const std::uint64_t rows : {3000u, 9000u, 27'000u}) timed.push_back({rows, 0, law(static_cast<double>(rows))});
  EXPECT_NEAR(predict_build_seconds(timed, {1'000'000, 0, 0}), law(1e6), 1e-6);
  // A graph that fell back has no comparisons, whatever was wanted.
  EXPECT_NEAR(predict_build_seconds(timed, {1'000'000, 7e9, 0}), law(1e6), 1e-6);
  // One build has no slope: rows times their logarithm.
  const std::vector<TimedBuild> one{{1000, 0, 1.0}};
  EXPECT_NEAR(predict_build_seconds(one, {1'000'000, 0, 0}), 2000.0, 1e-6);
  // A row never gets cheaper.
  const std::vector<TimedBuild> falling{{1000, 0, 2.0}, {2000, 0, 2.0}};
  EXPECT_NEAR(predict_build_seconds(falling, {4000, 0, 0}), 6.0, 1e-9);
}

struct Asked {
  std::vector<std::uint64_t> rows;
  RowSample sample() {
    return {[this](std::uint64_t count) {
      rows.push_back(count);
      return doubles::clustered(VectorType::U8, count, 16, 5);
    }};
  }
};

TEST(BuildTime, BuildsLargerSamplesWhileThereIsTime) {
  IndexBuilder builder;
  builder.max_degree(8);
  Asked asked;
  const BuildTime time = measure_build_time(builder, 20'000, 16, VectorType::U8, asked.sample(), 1e9);
  EXPECT_EQ(asked.rows, (std::vector<std::uint64_t>{2222, 6666, 20'000}));
  ASSERT_EQ(time.samples.size(), 3u);
  EXPECT_EQ(time.seconds, time.samples.back().seconds) << "all were built";
  EXPECT_EQ(time.type, VectorType::U8);
  if (!time.fell_back) {
    for (const TimedBuild& sample : time.samples) EXPECT_GT(sample.comparisons, 0) << "partitioned from 4,096 on";
  }

  asked.rows.clear();
  const BuildTime hasty = measure_build_time(builder, 20'000, 16, VectorType::U8, asked.sample(), 0);
  EXPECT_EQ(asked.rows, (std::vector<std::uint64_t>{2222}));
  EXPECT_GT(hasty.seconds, hasty.samples.back().seconds);

  asked.rows.clear();
  (void)measure_build_time(builder, 700, 16, VectorType::U8, asked.sample());
  EXPECT_EQ(asked.rows, (std::vector<std::uint64_t>{700}));

  // No more than there are.
  asked.rows.clear();
  RowSample few = asked.sample();
  few.most = 3500;
  const BuildTime most = measure_build_time(builder, 1'000'000, 16, VectorType::U8, few, 1e9);
  EXPECT_EQ(asked.rows, (std::vector<std::uint64_t>{1166, 3500}));
  EXPECT_GT(most.seconds, 100 * most.samples.back().seconds);
}

TEST(BuildTime, KeepsTheBuilderThatAllRowsWouldGet) {
  Asked asked;
  IndexBuilder few;
  few.max_degree(8);
  (void)measure_build_time(few, 4000, 16, VectorType::U8, asked.sample(), 0);
  EXPECT_EQ(few.estimate(1'000'000, 16, VectorType::U8).builder, GraphBuilder::Incremental);
  IndexBuilder builder;
  builder.max_degree(8);
  const BuildTime time = measure_build_time(builder, 5000, 16, VectorType::U8, asked.sample(), 0);
  ASSERT_LT(time.samples.front().rows, 4096u);  // which alone would be built incrementally
  EXPECT_GT(time.samples.front().comparisons, 0);
}

TEST(BuildTime, RefusesWhatNoBuildTakes) {
  Asked asked;
  IndexBuilder builder;
  EXPECT_THROW((void)measure_build_time(builder, 0, 16, VectorType::U8, asked.sample()), Error);
  EXPECT_THROW((void)measure_build_time(builder, std::uint64_t{1} << 40, 16, VectorType::U8, asked.sample()), Error);
  EXPECT_TRUE(asked.rows.empty());
}

}  // namespace
}  // namespace diskann
