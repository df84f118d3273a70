#include "index/nearest_rows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace diskann::index {
namespace {

constexpr std::size_t kBlock = 50;

/// Distances of rows 0, 1, …, and what is reported of them at first: off by at most `error`.
struct Stream {
  std::vector<float> exact, reported;
  float error = 0;
};

Stream with_errors(std::vector<float> exact, float error, std::uint64_t seed) {
  base::Random random(seed);
  Stream stream{std::move(exact), {}, error};
  for (const float distance : stream.exact) {
    const auto off = static_cast<float>((2 * random.uniform() - 1) * static_cast<double>(error));
    // Rounding must not carry it beyond the error.
    stream.reported.push_back(distance + off * 0.99f);
  }
  return stream;
}

std::vector<graph::Candidate> nearest_of(const std::vector<float>& exact, std::size_t k) {
  std::vector<graph::Candidate> all;
  for (std::size_t i = 0; i < exact.size(); ++i)
    all.push_back(graph::make_candidate(exact[i], static_cast<base::Slot>(i)));
  std::sort(all.begin(), all.end());
  all.resize(std::min(k, all.size()));
  return all;
}

struct Outcome {
  std::vector<graph::Candidate> found;
  std::size_t settled = 0;  // exact distances asked for
};

Outcome run(const Stream& stream, std::size_t k, bool heed_crowds) {
  NearestRows nearest(k);
  Outcome outcome;
  const auto settle = [&] {
    nearest.settle([&](const base::Slot* slots, std::size_t count, float* out) {
      for (std::size_t i = 0; i < count; ++i) out[i] = stream.exact[slots[i]];
      outcome.settled += count;
    });
  };
  std::vector<std::uint32_t> positions;
  for (std::size_t first = 0; first < stream.exact.size(); first += kBlock) {
    const std::size_t count = std::min(kBlock, stream.exact.size() - first);
    nearest.widen(stream.error);
    positions.clear();
    for (std::uint32_t i = 0; i < count; ++i) {
      if (stream.reported[first + i] <= nearest.threshold()) positions.push_back(i);
    }
    nearest.offer(stream.reported.data() + first, count, positions, static_cast<base::Slot>(first));
    if (heed_crowds && nearest.crowded()) settle();
  }
  settle();
  for (const graph::Candidate key : nearest.finish())  // without marks
    outcome.found.push_back(graph::make_candidate(graph::distance_of(key), graph::slot_of(key)));
  return outcome;
}

std::vector<float> random_distances(std::size_t count, std::uint64_t seed) {
  base::Random random(seed);
  std::vector<float> distances(count);
  for (float& distance : distances) distance = static_cast<float>(random.uniform());
  return distances;
}

TEST(NearestRows, AreExactForDistancesWithinTheirError) {
  for (const float error : {0.0f, 1e-7f, 1e-4f, 1e-2f, 0.3f, 10.0f}) {
    for (const std::size_t k : {1u, 5u, 64u, 100u, 999u, 1000u, 2000u}) {
      const Stream stream = with_errors(random_distances(1000, k), error, 3);
      for (const bool heed : {false, true})
        ASSERT_EQ(run(stream, k, heed).found, nearest_of(stream.exact, k)) << "error " << error << ", k " << k;
    }
  }
}

TEST(NearestRows, AreExactForSortedAndForTiedDistances) {
  std::vector<float> falling = random_distances(1000, 4), tied(1000);
  std::sort(falling.rbegin(), falling.rend());
  std::vector<float> rising(falling.rbegin(), falling.rend());
  for (std::size_t i = 0; i < tied.size(); ++i) tied[i] = static_cast<float>(i / 7 % 3);
  for (const auto& exact : {falling, rising, tied, std::vector<float>(1000, 0.5f), std::vector<float>(1000, -0.0f)}) {
    for (const float error : {0.0f, 1e-3f, 0.1f}) {
      for (const std::size_t k : {1u, 10u, 100u, 500u}) {
        const Stream stream = with_errors(exact, error, 5);
        for (const bool heed : {false, true})
          ASSERT_EQ(run(stream, k, heed).found, nearest_of(exact, k)) << "error " << error << ", k " << k;
      }
    }
  }
}

TEST(NearestRows, AskForFewExactDistancesWhereTheErrorIsSmall) {
  const Stream stream = with_errors(random_distances(20'000, 6), 1e-6f, 7);
  EXPECT_LE(run(stream, 100, true).settled, 110u);
}

TEST(NearestRows, AreCrowdedWhereTheErrorHidesTheDifferences) {
  NearestRows nearest(10);
  const std::vector<float> equal(100, 1.0f);
  std::vector<std::uint32_t> positions(100);
  for (std::uint32_t i = 0; i < 100; ++i) positions[i] = i;
  nearest.offer(equal.data(), 100, positions, 0);
  EXPECT_FALSE(nearest.crowded());  // exact: ties are decided by the row
  nearest.widen(1e-6f);
  nearest.offer(equal.data(), 100, positions, 100);
  EXPECT_TRUE(nearest.crowded());
  nearest.settle([](const base::Slot*, std::size_t count, float* out) { std::fill_n(out, count, 1.0f); });
  EXPECT_FALSE(nearest.crowded());
  EXPECT_EQ(nearest.threshold(), 1.0f);
}

TEST(NearestRows, AskForAnExactDistanceOnlyOnce) {
  const Stream stream = with_errors(std::vector<float>(1000, 0.5f), 1e-3f, 8);
  EXPECT_LE(run(stream, 100, true).settled, 1000u);
}

TEST(NearestRows, MergeParts) {
  const std::vector<float> exact = random_distances(1000, 9);
  for (const std::size_t k : {1u, 100u, 700u}) {
    NearestRows left(k), right(k);
    left.offer(exact.data(), 400, 0);
    right.offer(exact.data() + 400, 600, 400);
    left.merge(right);
    EXPECT_EQ(left.finish(), nearest_of(exact, k));
  }
}

}  // namespace
}  // namespace diskann::index
