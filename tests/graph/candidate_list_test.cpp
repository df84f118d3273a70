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

TEST(CandidateList, HoldsTheNearestWhateverTheOrderOfArrival) {
  base::Random random(11);
  for (int round = 0; round < 500; ++round) {
    const std::size_t capacity = 1 + random.below(40);
    CandidateList list;
    list.reset(capacity);
    std::vector<Candidate> all;
    Slot slot = 0;
    for (int hop = 0; hop < 12; ++hop) {
      std::vector<Candidate> fresh;
      for (std::uint64_t i = random.below(50); i > 0; --i)
        fresh.push_back(make_candidate(static_cast<float>(random.below(60)), slot++));
      all.insert(all.end(), fresh.begin(), fresh.end());
      list.merge(fresh);
      std::sort(all.begin(), all.end());
      const std::size_t size = std::min(capacity, all.size());
      ASSERT_EQ(list.entries().size(), size) << "round " << round;
      ASSERT_TRUE(std::equal(list.entries().begin(), list.entries().end(), all.begin())) << "round " << round;
      ASSERT_EQ(list.full(), all.size() >= capacity);
    }
  }
}

TEST(CandidateList, ExpandsTheNearestFirstAndGoesBackToNearerOnes) {
  CandidateList list;
  list.reset(4);
  std::vector<Candidate> first = {make_candidate(3, 30), make_candidate(2, 20)};
  list.merge(first);
  EXPECT_EQ(slot_of(list.expand_next()), 20u);
  std::vector<Candidate> second = {make_candidate(1, 10), make_candidate(5, 50)};
  list.merge(second);
  EXPECT_EQ(slot_of(list.expand_next()), 10u);
  EXPECT_EQ(slot_of(list.expand_next()), 30u);
  EXPECT_EQ(list.next_unexpanded(), 50u);
  std::vector<Candidate> third = {make_candidate(1.5f, 15)};
  list.merge(third);  // 50 falls off a list of four
  EXPECT_EQ(slot_of(list.expand_next()), 15u);
  EXPECT_FALSE(list.has_unexpanded());
}

TEST(CandidateList, TakesNothingThatFallsOffTheEnd) {
  CandidateList list;
  list.reset(2);
  std::vector<Candidate> first = {make_candidate(1, 1), make_candidate(2, 2)};
  list.merge(first);
  const Candidate limit = list.limit();
  EXPECT_EQ(slot_of(limit), 2u);
  std::vector<Candidate> worse = {make_candidate(3, 3), make_candidate(4, 4), make_candidate(5, 5)};
  list.merge(worse);
  EXPECT_EQ(slot_of(list.entries()[0]), 1u);
  EXPECT_EQ(slot_of(list.entries()[1]), 2u);
}

}  // namespace
}  // namespace diskann::graph
