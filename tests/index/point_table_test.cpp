#include "index/point_table.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/random.hpp"

namespace diskann::index {
namespace {

/// Nodes with `counts` points each, whose numbers stand in any order.
PointTable table_of(const std::vector<std::uint32_t>& counts, bool with_ids) {
  std::vector<std::uint32_t> starts{0}, members;
  for (const std::uint32_t count : counts) starts.push_back(starts.back() + count);
  members.resize(starts.back());
  std::iota(members.begin(), members.end(), 0u);
  std::reverse(members.begin(), members.end());
  std::vector<std::uint64_t> ids;
  for (std::size_t i = 0; with_ids && i < members.size(); ++i) ids.push_back(1000 - 2 * i);
  const std::size_t points = members.size();
  return {points, std::move(starts), std::move(members), std::move(ids)};
}

std::vector<std::uint64_t> ids_of(const PointTable& table, Slot node) {
  std::vector<std::uint64_t> ids;
  table.for_each_id(node, [&](std::uint64_t id) { ids.push_back(id); });
  return ids;
}

TEST(PointTable, SaysTheSameOnceItIsCompact) {
  base::Random random(3);
  for (const double odd : {0.0, 0.02, 0.2, 0.9}) {
    std::vector<std::uint32_t> counts(200, 1);
    for (std::uint32_t& count : counts)
      if (random.uniform() < odd) count = static_cast<std::uint32_t>(random.below(5));
    for (const bool with_ids : {false, true}) {
      const PointTable whole = table_of(counts, with_ids), compact = whole.compact();
      ASSERT_TRUE(whole.check(counts.size()).empty());
      EXPECT_EQ(compact.points(), whole.points());
      EXPECT_EQ(compact.hidden_nodes(), whole.hidden_nodes());
      EXPECT_TRUE(compact.has_twins());
      for (Slot node = 0; node < counts.size(); ++node) {
        ASSERT_EQ(ids_of(compact, node), ids_of(whole, node)) << odd << " " << node;
        ASSERT_EQ(ids_of(whole, node).size(), counts[node]);
        ASSERT_EQ(compact.has_points(node), counts[node] > 0);
        for (const std::uint64_t id : ids_of(whole, node)) ASSERT_EQ(compact.node_of(id), node);
      }
      if (odd <= 0.02) {
        EXPECT_LT(compact.bytes(), whole.bytes() - 4 * 170);
      }
    }
  }
}

TEST(PointTable, StaysAsItIsWhereEachNodeIsAPoint) {
  const PointTable compact = PointTable(7).compact();
  EXPECT_FALSE(compact.has_twins());
  EXPECT_EQ(compact.points(), 7u);
  EXPECT_EQ(ids_of(compact, 5), std::vector<std::uint64_t>{5});
  const PointTable none = table_of({0, 0, 0}, false).compact();
  EXPECT_EQ(none.hidden_nodes(), 3u);
  EXPECT_FALSE(none.has_points(1));
  EXPECT_TRUE(ids_of(none, 2).empty());
}

}  // namespace
}  // namespace diskann::index
