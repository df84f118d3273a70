#include <gtest/gtest.h>

#include <vector>

#include "base/random.hpp"
#include "diskann/evaluation.hpp"

namespace diskann {
namespace {

TEST(Latency, OfOneToAThousandIsTheRank) {
  std::vector<double> samples(1000);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = static_cast<double>((i * 7 + 3) % 1000 + 1);
  const Latency latency = summarize_latency(samples);
  EXPECT_EQ(latency.mean, 500.5);
  EXPECT_EQ(latency.p50, 500);
  EXPECT_EQ(latency.p95, 950);
  EXPECT_EQ(latency.p99, 990);
  EXPECT_EQ(latency.p999, 999);
}

TEST(Latency, OfOneSampleIsThatSample) {
  std::vector<double> samples{12.5};
  const Latency latency = summarize_latency(samples);
  for (const double value : {latency.mean, latency.p50, latency.p95, latency.p99, latency.p999}) EXPECT_EQ(value, 12.5);
}

TEST(Latency, OfNothingIsZero) {
  std::vector<double> samples;
  EXPECT_EQ(summarize_latency(samples).p99, 0);
}

TEST(Latency, PercentileIsTheSmallestSampleThatCoversItsShare) {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    base::Random random(base::mix(seed));
    std::vector<double> samples(1 + random.below(300));
    for (double& sample : samples) sample = static_cast<double>(random.below(50));
    const Latency latency = summarize_latency(samples);
    const auto share_at_most = [&](double value) {
      std::size_t count = 0;
      for (const double sample : samples) count += sample <= value ? 1 : 0;
      return static_cast<double>(count) / static_cast<double>(samples.size());
    };
    const std::pair<double, double> cases[] = {
        {0.5, latency.p50}, {0.95, latency.p95}, {0.99, latency.p99}, {0.999, latency.p999}};
    for (const auto& [share, value] : cases) {
      EXPECT_GE(share_at_most(value) + 1e-12, share) << "seed " << seed;
      EXPECT_LT(share_at_most(value - 1), share) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace diskann
