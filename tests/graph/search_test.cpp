#include "graph/search.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/graph/built_graph.hpp"

namespace diskann::graph {
namespace {

TEST(Walk, VisitsTheSameNodesAloneAndInterleaved) {
  const VectorSet set = doubles::clustered(VectorType::U8, 2000, 32, 4);
  const testing::Built built = testing::build(set, Distance::L2, {16, 40, 1.2f, 1}, 2, GraphBuilder::Incremental);
  const KernelSpace space(Distance::L2, built.store, nullptr);
  std::vector<SearchScratch> scratches;
  std::vector<distance::QueryBuffer> buffers;
  for (int i = 0; i < 4; ++i) {
    scratches.emplace_back(2000, 64);
    buffers.emplace_back(32);
  }
  SearchScratch alone(2000, 64);
  const EntryPoints entry_points(space, built.graph.entry_points);
  std::size_t compared = 0;
  for (Slot first = 0; first < 200; first += 4) {
    std::vector<Walk<KernelSpace>> walks;
    for (Slot i = 0; i < 4; ++i)
      walks.emplace_back(space, built.graph.adjacency, space.stored_query(first + i, buffers[i]), entry_points,
                         20 + i * 5, scratches[i]);
    run_interleaved<KernelSpace>(walks);
    for (Slot i = 0; i < 4; ++i) {
      distance::QueryBuffer buffer(32);
      Walk<KernelSpace> walk(space, built.graph.adjacency, space.stored_query(first + i, buffer), entry_points,
                             20 + i * 5, alone);
      while (walk.gather()) walk.absorb();
      EXPECT_EQ(walk.statistics().hops, walks[i].statistics().hops);
      EXPECT_EQ(walk.statistics().distance_computations, walks[i].statistics().distance_computations);
      ASSERT_TRUE(std::equal(alone.list.entries().begin(), alone.list.entries().end(),
                             scratches[i].list.entries().begin(), scratches[i].list.entries().end()));
      EXPECT_EQ(slot_of(alone.list.entries()[0]), first + i) << "a stored row finds itself";
      ++compared;
    }
  }
  EXPECT_EQ(compared, 200u);
}

TEST(Walk, DoesNotSeeTheHiddenNode) {
  const VectorSet set = doubles::clustered(VectorType::U8, 600, 32, 4);
  const testing::Built built = testing::build(set, Distance::L2, {16, 40, 1.2f, 1}, 2, GraphBuilder::Incremental);
  const KernelSpace space(Distance::L2, built.store, nullptr);
  const EntryPoints entry_points(space, built.graph.entry_points);
  SearchScratch scratch(600, 64);
  distance::QueryBuffer buffer(32);
  for (Slot hidden = 0; hidden < 600; hidden += 7) {
    const auto query = space.stored_query(hidden, buffer);
    for (const bool hide : {true, false}) {  // and it is forgotten afterwards
      Walk<KernelSpace> walk(space, built.graph.adjacency, query, entry_points, 600, scratch,
                             hide ? std::optional(hidden) : std::nullopt);
      while (walk.gather()) walk.absorb();
      EXPECT_EQ(scratch.list.entries().size(), hide ? 599u : 600u);
      EXPECT_EQ(slot_of(scratch.list.entries()[0]) == hidden, !hide);
    }
  }
}

/// A path through all nodes of a half, in both directions; nothing leads from one half to the other.
base::Adjacency two_paths(Slot nodes) {
  base::Adjacency graph(nodes, 16);
  for (Slot node = 0; node < nodes; ++node) {
    std::vector<Slot> neighbors;
    if (node % (nodes / 2) != 0) neighbors.push_back(node - 1);
    if ((node + 1) % (nodes / 2) != 0) neighbors.push_back(node + 1);
    graph.assign(node, neighbors);
  }
  return graph;
}

TEST(Walk, WithRoomTakesAllEntryPointsHoweverTheyAreGrouped) {
  // 63 entry points in the first half, and one in the second that follows one of them: a query is nearer to others.
  constexpr Slot kNodes = 400;
  base::RowStore store(VectorType::F32, kNodes, 1);
  for (Slot node = 0; node < kNodes; ++node)
    *reinterpret_cast<float*>(store.row(node)) = static_cast<float>(node < 200 ? node : node - 200) * 10.0f;
  const KernelSpace space(Distance::L2, store, nullptr);
  const base::Adjacency graph = two_paths(kNodes);
  std::vector<Slot> slots;
  for (Slot i = 0; i < 63; ++i) slots.push_back(i * 3);
  slots.push_back(200 + 100);
  const EntryPoints entry_points(space, slots);
  ASSERT_EQ(std::ranges::count(entry_points.leaders(), Slot{300}), 0) << "else this shows nothing";
  SearchScratch scratch(kNodes, 64);
  distance::QueryBuffer buffer(1);
  for (const Slot row : {0u, 100u, 199u, 250u, 399u}) {
    Walk<KernelSpace> walk(space, graph, space.stored_query(row, buffer), entry_points, kNodes, scratch);
    while (walk.gather()) walk.absorb();
    EXPECT_EQ(scratch.list.entries().size(), kNodes) << "from " << row;
    EXPECT_EQ(walk.statistics().distance_computations, kNodes) << "each once";
    EXPECT_EQ(walk.statistics().hops, kNodes);
  }
}

TEST(Walk, ForgetsWhatItVisitedHoweverMuchThatWas) {
  constexpr Slot kNodes = 10'000;
  base::RowStore store(VectorType::F32, kNodes, 1);
  for (Slot node = 0; node < kNodes; ++node) *reinterpret_cast<float*>(store.row(node)) = static_cast<float>(node);
  const KernelSpace space(Distance::L2, store, nullptr);
  const base::Adjacency graph = two_paths(kNodes);
  const std::vector<Slot> slots = {0, kNodes / 2};
  const EntryPoints entry_points(space, slots);
  SearchScratch scratch(kNodes, 64);
  distance::QueryBuffer buffer(1);
  for (int round = 0; round < 3; ++round) {
    for (const std::size_t list_size : {std::size_t{kNodes}, std::size_t{10}}) {
      Walk<KernelSpace> walk(space, graph, space.stored_query(7, buffer), entry_points, list_size, scratch);
      while (walk.gather()) walk.absorb();
      ASSERT_EQ(scratch.list.entries().size(), list_size);
      EXPECT_EQ(slot_of(scratch.list.entries()[0]), 7u);
      if (list_size == kNodes) {
        EXPECT_EQ(walk.statistics().distance_computations, kNodes);
      }
    }
  }
}

}  // namespace
}  // namespace diskann::graph
