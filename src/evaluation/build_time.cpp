#include <algorithm>
#include <chrono>
#include <cmath>

#include "diskann/evaluation.hpp"

namespace diskann {
namespace {

constexpr std::uint64_t kLeastSample = 1000;
constexpr std::uint64_t kGrowth = 3;
/// A short build is repeated, and the best taken: whatever else runs makes it slower, never faster.
constexpr int kMostBuilds = 3;
constexpr double kShort = 0.5;
/// Smaller builds are in nearer caches and say little about large ones.
constexpr std::size_t kFitted = 3;

double logarithm(std::uint64_t rows) { return std::log(static_cast<double>(std::max<std::uint64_t>(rows, 2))); }

/// Seconds of a row as a + b log(rows), by least squares; of one build with a = 0. They never fall.
double incremental_seconds(std::span<const TimedBuild> timed, std::uint64_t rows) {
  const auto of_row = [](const TimedBuild& build) { return build.seconds / static_cast<double>(build.rows); };
  const auto count = static_cast<double>(timed.size());
  double mean_x = 0, mean_y = 0;
  for (const TimedBuild& build : timed) {
    mean_x += logarithm(build.rows) / count;
    mean_y += of_row(build) / count;
  }
  double xy = 0, xx = 0;
  for (const TimedBuild& build : timed) {
    const double x = logarithm(build.rows) - mean_x;
    xy += x * (of_row(build) - mean_y);
    xx += x * x;
  }
  const double slope = xx > 0 ? std::max(0.0, xy / xx) : mean_y / mean_x;
  return static_cast<double>(rows) * (mean_y + slope * (logarithm(rows) - mean_x));
}

}  // namespace

double predict_build_seconds(std::span<const TimedBuild> timed, const TimedBuild& wanted) {
  if (timed.empty()) return 0;
  const TimedBuild& last = timed.back();
  if (last.comparisons > 0 && wanted.comparisons > 0) return last.seconds * wanted.comparisons / last.comparisons;
  return incremental_seconds(timed.last(std::min(timed.size(), kFitted)), wanted.rows);
}

BuildTime measure_build_time(IndexBuilder& builder, std::uint64_t rows, std::size_t dimension, VectorType type,
                             const RowSample& sample, double sampling_seconds) {
  using Clock = std::chrono::steady_clock;
  const auto since = [](Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  const auto start = Clock::now();
  builder.check_shape(rows, dimension);
  builder.builder(builder.estimate(rows, dimension, type).builder);  // and not what would be chosen for so few
  const auto shape_of = [&](std::uint64_t count) {
    return TimedBuild{count, builder.estimate(count, dimension, type).comparisons, 0};
  };
  const std::uint64_t most = std::min(rows, sample.most);
  BuildTime time;
  // Sizes end at what there is in equal steps, since two sizes near one another tell no slope.
  std::uint64_t divisor = 1;
  while (most / (divisor * kGrowth) >= kLeastSample) divisor *= kGrowth;
  for (;; divisor /= kGrowth) {
    const std::uint64_t count = most / divisor;
    const VectorSet vectors = sample.draw(count);
    TimedBuild timed = shape_of(count);
    const auto first_build = Clock::now();
    for (int builds = 0; builds < kMostBuilds && (builds == 0 || since(first_build) < kShort); ++builds) {
      const auto build_start = Clock::now();
      const Index index = builder.build_from_vectors(vectors);
      const double seconds = since(build_start);
      timed.seconds = builds == 0 ? seconds : std::min(timed.seconds, seconds);
      time.type = index.type();
      time.fell_back = timed.comparisons > 0 && index.builder() == to_string(GraphBuilder::Incremental);
    }
    if (time.fell_back) timed.comparisons = 0;
    time.samples.push_back(timed);
    if (count == most) break;
    const double next = predict_build_seconds(time.samples, shape_of(most / (divisor / kGrowth)));
    if (since(start) + next > sampling_seconds) break;
  }
  const TimedBuild& last = time.samples.back();
  time.seconds = last.rows == rows ? last.seconds : predict_build_seconds(time.samples, shape_of(rows));
  return time;
}

}  // namespace diskann
