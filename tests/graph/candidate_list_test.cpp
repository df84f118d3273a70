#include "graph/candidate_list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "base/random.hpp"

namespace diskann::graph {
namespace {

TEST(Candidate, OrdersAsDistancesDoThenBySlot) {
  const std::vector<float> distances = {-std::numeric_limits<float>::infinity(), -3.5f, -1e-30f, 0.0f, 1e-30f, 2.0f,
                                        std::numeric_limits<float>::infinity()};
  for (std::size_t i = 0; i < distances.size(); ++i) {
    EXPECT_EQ(distance_of(make_candidate(distances[i], 7)), distances[i]);
    EXPECT_EQ(slot_of(make_candidate(distances[i], 0x7FFFFFFFu)), 0x7FFFFFFFu);
    if (i > 0) {
      EXPECT_LT(make_candidate(distances[i - 1], 9), make_candidate(distances[i], 3));
    }
  }
  EXPECT_LT(make_candidate(1.0f, 3), make_candidate(1.0f, 4));
  EXPECT_EQ(make_candidate(-0.0f, 5), make_candidate(0.0f, 5));
}

/// Scored slots.
struct Scored {
  std::vector<float> distances;
  std::vector<Slot> slots;
  void add(float distance, Slot slot) {
    distances.push_back(distance);
    slots.push_back(slot);
  }
};
void merge(CandidateList& list, const Scored& scored) {
  list.merge(scored.distances.data(), scored.slots.data(), scored.slots.size());
}
Scored scored(std::vector<float> distances, std::vector<Slot> slots) {
  return {std::move(distances), std::move(slots)};
}

TEST(CandidateList, HoldsTheNearestWhateverTheOrderOfArrival) {
  base::Random random(11);
  for (int round = 0; round < 500; ++round) {
    const std::size_t capacity = 1 + random.below(round % 5 == 0 ? 200 : 40);
    const std::size_t window = 1 + random.below(capacity);
    CandidateList list(50);
    list.reset(window, capacity);
    std::vector<Candidate> all;
    Slot slot = 0;
    for (int hop = 0; hop < 12; ++hop) {
      Scored fresh;
      for (std::uint64_t i = random.below(50); i > 0; --i) {
        fresh.add(static_cast<float>(random.below(60)) - 20, slot++);
        all.push_back(make_candidate(fresh.distances.back(), fresh.slots.back()));
      }
      merge(list, fresh);
      std::sort(all.begin(), all.end());
      const std::size_t size = std::min(capacity, all.size());
      ASSERT_EQ(list.entries().size(), size) << "round " << round;
      ASSERT_TRUE(std::equal(list.entries().begin(), list.entries().end(), all.begin())) << "round " << round;
      ASSERT_EQ(list.window_is_full(), all.size() >= window);
    }
  }
}

TEST(CandidateList, ExpandsTheNearestFirstAndGoesBackToNearerOnes) {
  CandidateList list(2);
  list.reset(4);
  merge(list, scored({3, 2}, {30, 20}));
  EXPECT_EQ(slot_of(list.expand_next()), 20u);
  merge(list, scored({1, 5}, {10, 50}));
  EXPECT_EQ(slot_of(list.expand_next()), 10u);
  EXPECT_EQ(slot_of(list.expand_next()), 30u);
  EXPECT_EQ(list.next_unexpanded(), 50u);
  merge(list, scored({1.5f}, {15}));  // 50 falls off a list of four
  EXPECT_EQ(slot_of(list.expand_next()), 15u);
  EXPECT_FALSE(list.has_unexpanded());
}

TEST(CandidateList, ExpandsNothingBehindTheWindowAndKeepsIt) {
  CandidateList list(4);
  list.reset(2, 4);
  merge(list, scored({1, 2, 3, 4}, {1, 2, 3, 4}));
  EXPECT_EQ(slot_of(list.expand_next()), 1u);
  merge(list, scored({1.5f, 9}, {15, 9}));  // 2 leaves the window, 4 the list
  EXPECT_EQ(slot_of(list.expand_next()), 15u);
  EXPECT_FALSE(list.has_unexpanded());
  ASSERT_EQ(list.entries().size(), 4u);
  EXPECT_EQ(slot_of(list.entries()[3]), 3u);
  list.reset(3, 2);  // no less than the window
  merge(list, scored({1, 2, 3, 4}, {1, 2, 3, 4}));
  EXPECT_EQ(list.entries().size(), 3u);
}

TEST(CandidateList, TakesNothingThatFallsOffTheEnd) {
  CandidateList list(4);
  list.reset(2);
  merge(list, scored({1, 2}, {1, 2}));
  const Candidate limit = list.limit();
  EXPECT_EQ(slot_of(limit), 2u);
  merge(list, scored({3, 4, 2, 5}, {3, 4, 9, 5}));
  EXPECT_EQ(slot_of(list.entries()[0]), 1u);
  EXPECT_EQ(slot_of(list.entries()[1]), 2u);
}

}  // namespace
}  // namespace diskann::graph
