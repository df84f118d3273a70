// Lists in registers, of every instruction set of this machine that has them, against sorted vectors.
#include "distance/merge.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "base/huge_array.hpp"
#include "base/random.hpp"
#include "distance/dispatch.hpp"
#include "graph/candidate_list.hpp"

namespace diskann::distance {
namespace {

using graph::Candidate;

TEST(Merge, KeepsTheSmallestOfListAndScores) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::size_t checked = 0;
  for (const std::string& isa : available_isas()) {
    base::Random random(5);
    for (std::size_t capacity = 1; capacity <= 140; ++capacity) {
      const Merge merge = merge_for(isa, capacity);
      if (merge == nullptr) continue;
      const std::size_t room = base::round_up(capacity, 8);
      base::HugeArray<Candidate> list(room);
      std::fill(list.begin(), list.end(), ~Candidate{0});
      std::vector<Candidate> all;
      std::uint32_t slot = 0;
      for (int hop = 0; hop < 12; ++hop) {
        std::vector<float> distances(random.below(70));
        std::vector<std::uint32_t> slots(distances.size());
        for (std::size_t i = 0; i < slots.size(); ++i) {
          distances[i] = static_cast<float>(random.below(90)) - 30.0f;  // ties, and both signs
          if (random.below(30) == 0) distances[i] = random.below(2) == 0 ? kInfinity : -0.0f;
          // In no order, so that ties with the last entry fall on both sides of it.
          slots[i] = (slot++ * 7919u) % 0x7FFFFFFFu;
          all.push_back(graph::make_candidate(distances[i], slots[i]));
        }
        const std::uint64_t before = list[capacity - 1] >> 32;
        const Merged merged = merge(list.data(), capacity, distances.data(), slots.data(), slots.size());
        std::size_t added = 0;
        for (const float distance : distances) added += graph::sortable(distance) <= before;
        EXPECT_EQ(merged.added, added) << isa << ", " << capacity;
        const auto less = [](Candidate a, Candidate b) { return (a | 1) < (b | 1); };
        std::sort(all.begin(), all.end(), less);
        if (all.size() > capacity) all.resize(capacity);
        std::size_t open = all.size();
        for (std::size_t i = all.size(); i-- > 0;)
          if ((all[i] & graph::kExpanded) == 0) open = i;
        EXPECT_EQ(std::min(merged.open, all.size()), open) << isa << ", " << capacity;
        for (std::size_t i = 0; i < room; ++i)
          ASSERT_EQ(list[i], i < all.size() ? all[i] : ~Candidate{0}) << isa << ", " << capacity << ", entry " << i;
        for (std::size_t i = 0; i < all.size(); ++i) {  // some are expanded meanwhile
          if (random.below(3) != 0) continue;
          all[i] |= graph::kExpanded;
          list[i] |= graph::kExpanded;
        }
        ++checked;
      }
    }
  }
  if (merge_for(64) != nullptr) {
    EXPECT_GE(checked, 128u * 12);
  }
}

}  // namespace
}  // namespace diskann::distance
