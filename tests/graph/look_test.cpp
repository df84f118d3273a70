// Whether a graph is searchable is seen, so that a builder can take another way.
#include "graph/look.hpp"

#include <gtest/gtest.h>

#include "diskann/evaluation.hpp"
#include "tests/graph/built_graph.hpp"

namespace diskann::graph {
namespace {

using testing::Built;

constexpr unsigned kThreads = 2;

SyntheticSet rows_of(std::uint32_t clusters, float spread) {
  SyntheticOptions options;
  options.rows = 8000;
  options.dimension = 32;
  options.clusters = clusters;
  options.spread = spread;
  return generate_clustered(options);
}

Built build_by_partitions(const SyntheticSet& set, Distance metric) {
  const BuildParameters parameters{32, 60, metric == Distance::InnerProduct ? 2.0f : 1.2f, 42};
  return testing::build(set.vectors, metric, parameters, kThreads, GraphBuilder::Partitioned);
}

class Look : public ::testing::TestWithParam<Distance> {};
INSTANTIATE_TEST_SUITE_P(By, Look, ::testing::Values(Distance::L2, Distance::Cosine, Distance::InnerProduct),
                         [](const auto& instance) { return std::string(to_string(instance.param)); });

TEST_P(Look, KeepsPartitionsWhereOneClusterLeadsToAnother) {
  EXPECT_EQ(build_by_partitions(rows_of(40, 0.4f), GetParam()).graph.builder, GraphBuilder::Partitioned);
}

TEST_P(Look, SeesThatNoLeafKnowsTheWayBetweenTightClusters) {
  EXPECT_EQ(build_by_partitions(rows_of(400, 0.003f), GetParam()).graph.builder, GraphBuilder::Incremental);
}

TEST_P(Look, SeesThatRowsHaveLostTheirEdges) {
  Built built = build_by_partitions(rows_of(40, 0.4f), GetParam());
  const KernelSpace space(GetParam(), built.store, built.norms.empty() ? nullptr : built.norms.data());
  Execution execution;
  execution.threads = kThreads;
  base::ThreadTeam team(execution);
  ASSERT_TRUE(leads_home(space, built.graph, 42, team));
  for (Slot slot = 0; slot < built.graph.adjacency.nodes(); ++slot)
    if (slot % 3 != 0) built.graph.adjacency.assign(slot, {});
  EXPECT_FALSE(leads_home(space, built.graph, 42, team));
}

TEST(LookByL2, TakesDataWithoutStructureForWhatItIs) {
  EXPECT_EQ(build_by_partitions(rows_of(0, 1.0f), Distance::L2).graph.builder, GraphBuilder::Partitioned);
}

}  // namespace
}  // namespace diskann::graph
