#include "graph/prune.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "graph/space.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::graph {
namespace {

base::RowStore points(const std::vector<std::vector<float>>& rows) {
  return doubles::store_of(VectorSet::from_rows(rows));
}

std::vector<Candidate> candidates_from(const KernelSpace& space, Slot self, std::vector<Slot> slots) {
  Pruner<KernelSpace> pruner(space, 4, 1.2f);
  std::vector<Candidate> candidates;
  pruner.score(self, slots, candidates);
  std::sort(candidates.begin(), candidates.end());
  return candidates;
}

std::vector<Slot> prune(const KernelSpace& space, Slot self, const std::vector<Candidate>& candidates,
                        std::uint32_t max_degree, float alpha) {
  Pruner<KernelSpace> pruner(space, max_degree, alpha);
  std::vector<Slot> out(max_degree);
  out.resize(pruner.prune(self, candidates, out.data()));
  return out;
}

/// RobustPrune as the paper writes it, with the two rounds of alpha and none of the shortcuts; nearest first.
std::vector<Slot> plain_prune(const std::vector<std::vector<float>>& all, Slot self, std::size_t max_degree,
                              float alpha) {
  const auto distance = [&](std::size_t a, std::size_t b) {
    float sum = 0;
    for (std::size_t j = 0; j < all[a].size(); ++j) sum += (all[a][j] - all[b][j]) * (all[a][j] - all[b][j]);
    return sum;
  };
  std::vector<Slot> order;
  for (Slot i = 0; i < all.size(); ++i)
    if (i != self) order.push_back(i);
  std::sort(order.begin(), order.end(),
            [&](Slot a, Slot b) { return std::pair(distance(self, a), a) < std::pair(distance(self, b), b); });
  std::vector<Slot> selected;
  for (const float factor : {1.0f, alpha}) {
    for (const Slot c : order) {
      if (selected.size() == max_degree) break;
      if (std::find(selected.begin(), selected.end(), c) != selected.end()) continue;
      const bool occluded = std::any_of(selected.begin(), selected.end(), [&](Slot s) {
        return distance(s, c) == 0.0f || factor * distance(s, c) < distance(self, c);
      });
      if (!occluded) selected.push_back(c);
    }
  }
  std::erase_if(order, [&](Slot slot) { return std::find(selected.begin(), selected.end(), slot) == selected.end(); });
  return order;
}

TEST(Prune, DropsWhatASelectedNeighbourLeadsTo) {
  const auto store = points({{0, 0}, {1, 0}, {2, 0}, {0, 1}, {3, 0.1f}, {-1, -1}, {-2, 2}});
  const KernelSpace space(Distance::L2, store, nullptr);
  // 2 and 4 lie behind 1; 6 lies behind 3 by a narrow margin.
  const auto kept = prune(space, 0, candidates_from(space, 0, {1, 2, 3, 4, 5, 6}), 4, 1.0f);
  EXPECT_EQ((std::set<Slot>(kept.begin(), kept.begin() + 3)), (std::set<Slot>{1, 3, 5}));
}

TEST(Prune, AgreesWithThePlainFormOfThePaper) {
  base::Random random(5);
  for (int round = 0; round < 200; ++round) {
    const std::size_t rows = 10 + random.below(60);
    std::vector<std::vector<float>> all(rows, std::vector<float>(3));
    for (auto& row : all)
      for (float& value : row) value = static_cast<float>(random.below(20));  // integers: sums are exact
    const auto store = points(all);
    const KernelSpace space(Distance::L2, store, nullptr);
    std::vector<Slot> slots;
    for (Slot i = 1; i < rows; ++i) slots.push_back(i);
    const float alpha = 1.0f + static_cast<float>(random.below(10)) / 10.0f;
    const std::uint32_t max_degree = 4 + static_cast<std::uint32_t>(random.below(12));
    const auto expected = plain_prune(all, 0, max_degree, alpha);
    if (expected.size() < 4) continue;  // the least degree fills those up
    EXPECT_EQ(prune(space, 0, candidates_from(space, 0, slots), max_degree, alpha), expected) << "round " << round;
  }
}

TEST(Prune, AlphaIsTakenAsGiven) {
  // Candidates on a ray at 10 and 110: the farther one is 1.21 times (squared) as far from the start as from the
  // nearer. Four more rays keep the least degree out of it.
  const auto store = points({{0, 0, 0}, {10, 0, 0}, {110, 0, 0}, {-9, 0, 0}, {0, 9, 0}, {0, -9, 0}, {0, 0, 9}});
  const KernelSpace space(Distance::L2, store, nullptr);
  const auto keeps_the_far_one = [&](float alpha) {
    const auto kept = prune(space, 0, candidates_from(space, 0, {1, 2, 3, 4, 5, 6}), 16, alpha);
    return std::find(kept.begin(), kept.end(), 2u) != kept.end();
  };
  EXPECT_FALSE(keeps_the_far_one(1.0f));
  EXPECT_FALSE(keeps_the_far_one(1.20f));
  EXPECT_TRUE(keeps_the_far_one(1.22f));
}

TEST(Prune, KeepsAFewNeighboursWhenAllCandidatesAreEqual) {
  const std::vector<std::vector<float>> rows(20, std::vector<float>{1, 2, 3});
  const auto store = points(rows);
  const KernelSpace space(Distance::L2, store, nullptr);
  std::vector<Slot> slots;
  for (Slot i = 1; i < 20; ++i) slots.push_back(i);
  const auto kept = prune(space, 0, candidates_from(space, 0, slots), 8, 1.2f);
  EXPECT_GE(kept.size(), 1u);
  EXPECT_LE(kept.size(), 8u);
  EXPECT_EQ(std::set<Slot>(kept.begin(), kept.end()).size(), kept.size());
}

TEST(Prune, NeverSelectsTheNodeItself) {
  const auto set = doubles::clustered(VectorType::U8, 50, 16, 3);
  const auto store = doubles::store_of(set);
  const KernelSpace space(Distance::L2, store, nullptr);
  std::vector<Slot> slots;
  for (Slot i = 0; i < 50; ++i) slots.push_back(i);
  for (Slot self = 0; self < 50; ++self) {
    const auto kept = prune(space, self, candidates_from(space, self, slots), 8, 1.2f);
    EXPECT_EQ(std::count(kept.begin(), kept.end(), self), 0);
  }
}

TEST(Occludes, DecidesBelowZeroWithTheSignInMind) {
  EXPECT_TRUE(occludes(-7.0f, -5.0f, 1.2f));
  EXPECT_FALSE(occludes(-5.5f, -5.0f, 1.2f));
  EXPECT_TRUE(occludes(-1.0f, 2.0f, 1.2f));
  EXPECT_TRUE(occludes(0.0f, 0.0f, 1.2f));
  EXPECT_FALSE(occludes(0.0f, -1.0f, 1.0f));
}

}  // namespace
}  // namespace diskann::graph
