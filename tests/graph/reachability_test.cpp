#include "graph/reachability.hpp"

#include <gtest/gtest.h>

#include "tests/doubles/test_data.hpp"

namespace diskann::graph {
namespace {

TEST(Reachability, CountsWhatTheEntryPointsReach) {
  base::Adjacency graph(5, 16);
  graph.assign(0, std::vector<Slot>{1});
  graph.assign(1, std::vector<Slot>{2, 0});
  graph.assign(3, std::vector<Slot>{4});
  const std::vector<Slot> entries = {0};
  const GraphStatistics statistics = measure(graph, entries);
  EXPECT_EQ(statistics.unreachable, 2u);
  EXPECT_EQ(statistics.edges, 4u);
  EXPECT_EQ(statistics.smallest_degree, 0u);
  EXPECT_EQ(statistics.largest_degree, 2u);
}

TEST(Reachability, CheckFindsEveryKindOfBadEdge) {
  const std::vector<Slot> entries = {0};
  const auto ring = [] {
    base::Adjacency graph(8, 16);
    for (Slot i = 0; i < 8; ++i) graph.assign(i, std::vector<Slot>{(i + 1) % 8, (i + 2) % 8, (i + 3) % 8});
    return graph;
  };
  EXPECT_TRUE(check_graph(ring(), 3, entries).empty());
  EXPECT_FALSE(check_graph(ring(), 2, entries).empty()) << "degree";
  EXPECT_FALSE(check_graph(ring(), 3, std::vector<Slot>{8}).empty()) << "entry point";
  EXPECT_FALSE(check_graph(ring(), 3, {}).empty()) << "no entry point";
  EXPECT_FALSE(check_graph(ring(), 3, std::vector<Slot>{1, 4, 1}).empty()) << "repeated entry point";
  auto graph = ring();
  graph.mutable_row(4)[1] = 8;
  EXPECT_FALSE(check_graph(graph, 3, entries).empty()) << "range";
  graph = ring();
  graph.mutable_row(4)[1] = graph.row(4)[0];
  EXPECT_FALSE(check_graph(graph, 3, entries).empty()) << "repeat";
  graph = ring();
  graph.mutable_row(4)[9] = 1;
  EXPECT_FALSE(check_graph(graph, 3, entries).empty()) << "edge behind the end";
}

TEST(Reachability, RepairReachesEverythingAndCutsNothingOff) {
  base::Random random(17);
  const VectorSet set = doubles::clustered(VectorType::F32, 400, 8, 23);
  base::RowStore store(set.type(), set.rows(), set.dimension());
  for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set, i, store.row(i));
  const KernelSpace space(Distance::L2, store, nullptr);
  Execution execution;
  execution.threads = 1;
  base::ThreadTeam alone(execution);
  execution.threads = 7;
  base::ThreadTeam team(execution);
  std::size_t added_in_all = 0;
  for (int round = 0; round < 60; ++round) {
    const auto max_degree = static_cast<std::uint32_t>(2 + random.below(4));
    base::Adjacency graph(400, 16);
    std::vector<Slot> neighbors;
    for (Slot i = 0; i < 400; ++i) {
      neighbors.clear();
      // Full rows within islands of 20: nothing leads out, and every place is taken.
      while (neighbors.size() < max_degree) {
        const auto other = static_cast<Slot>(i / 20 * 20 + random.below(20));
        if (other != i && std::find(neighbors.begin(), neighbors.end(), other) == neighbors.end())
          neighbors.push_back(other);
      }
      graph.assign(i, neighbors);
    }
    const std::vector<Slot> entries = {static_cast<Slot>(random.below(400))};
    base::Adjacency same(400, 16);
    for (Slot i = 0; i < 400; ++i) same.assign(i, graph.neighbors(i));
    added_in_all += make_reachable(space, graph, max_degree, entries, team);
    make_reachable(space, same, max_degree, entries, alone);
    EXPECT_TRUE(std::equal(graph.data(), graph.data() + 400 * 16, same.data())) << "round " << round;
    EXPECT_TRUE(check_graph(graph, max_degree, entries).empty()) << "round " << round;
    EXPECT_EQ(measure(graph, entries).unreachable, 0u) << "round " << round;
  }
  EXPECT_GE(added_in_all, 60u * 19u);
}

/// Places that nodes bring which are reached after others of their batch were looked for.
TEST(Reachability, RepairFindsPlacesInNodesThatItReached) {
  const VectorSet set = doubles::clustered(VectorType::F32, 16, 8, 23);
  base::RowStore store(set.type(), set.rows(), set.dimension());
  for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set, i, store.row(i));
  const KernelSpace space(Distance::L2, store, nullptr);
  base::ThreadTeam team(Execution{});
  base::Adjacency graph(16, 16);
  graph.assign(1, std::vector<Slot>{12, 13});
  graph.assign(2, std::vector<Slot>{14, 15});
  const std::vector<Slot> entries = {0};
  EXPECT_EQ(make_reachable(space, graph, 2, entries, team), 11u);
  EXPECT_TRUE(check_graph(graph, 2, entries).empty());
  EXPECT_EQ(measure(graph, entries).unreachable, 0u);
}

}  // namespace
}  // namespace diskann::graph
