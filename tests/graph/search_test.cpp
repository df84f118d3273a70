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

}  // namespace
}  // namespace diskann::graph
