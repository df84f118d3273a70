// What holds for the graph of every builder.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.hpp"
#include "graph/reachability.hpp"
#include "graph/search.hpp"
#include "tests/graph/built_graph.hpp"

namespace diskann::graph {
namespace {

using testing::Built;
using testing::checksum;

class Builders : public ::testing::TestWithParam<GraphBuilder> {
 protected:
  static Built build(const VectorSet& set, Distance metric, const BuildParameters& parameters, unsigned threads) {
    return testing::build(set, metric, parameters, threads, GetParam());
  }
};

INSTANTIATE_TEST_SUITE_P(All, Builders, ::testing::Values(GraphBuilder::Incremental, GraphBuilder::Partitioned),
                         [](const auto& instance) {
                           return instance.param == GraphBuilder::Partitioned ? "Partitioned" : "Incremental";
                         });

TEST_P(Builders, GivesTheSameGraphAtEveryThreadCount) {
  const VectorSet set = doubles::clustered(VectorType::F32, 3000, 24, 1);
  const BuildParameters parameters{24, 40, 1.2f, 7};
  const std::uint64_t expected = checksum(build(set, Distance::L2, parameters, 1).graph.adjacency);
  for (const unsigned threads : {2u, 3u, 7u})
    EXPECT_EQ(checksum(build(set, Distance::L2, parameters, threads).graph.adjacency), expected) << threads;
  EXPECT_NE(checksum(build(set, Distance::L2, {24, 40, 1.2f, 8}, 1).graph.adjacency), expected) << "another seed";
}

TEST_P(Builders, HoldsItsInvariantsForEveryTypeMetricAndDegree) {
  std::size_t cases = 0;
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      for (const std::uint32_t max_degree : {2u, 5u, 16u, 64u}) {
        for (const std::size_t rows : {1u, 2u, 3u, 17u, 65u, 600u, 1500u}) {
          const VectorSet set = doubles::clustered(type, rows, 9, rows);
          const Built built = build(set, metric, {max_degree, 30, 1.2f, 3}, 2);
          const auto problems = check_graph(built.graph.adjacency, max_degree, built.graph.entry_points);
          EXPECT_TRUE(problems.empty()) << to_string(type) << ' ' << to_string(metric) << " R " << max_degree << " n "
                                        << rows << ": " << problems.front();
          EXPECT_EQ(measure(built.graph.adjacency, built.graph.entry_points).unreachable, 0u);
          ++cases;
        }
      }
    }
  }
  EXPECT_EQ(cases, 4u * 3u * 4u * 7u);
}

TEST_P(Builders, ReachesEverythingInDegenerateData) {
  const auto check = [](const std::vector<std::vector<float>>& rows, const char* what) {
    for (const std::uint32_t max_degree : {2u, 8u, 32u}) {
      const Built built = build(VectorSet::from_rows(rows), Distance::L2, {max_degree, 20, 1.2f, 1}, 2);
      const auto problems = check_graph(built.graph.adjacency, max_degree, built.graph.entry_points);
      EXPECT_TRUE(problems.empty()) << what << " R " << max_degree << ": " << problems.front();
      EXPECT_EQ(measure(built.graph.adjacency, built.graph.entry_points).unreachable, 0u) << what;
    }
  };
  check(std::vector<std::vector<float>>(500, {1, 2, 3}), "all equal");
  std::vector<std::vector<float>> line, two, far;
  for (int i = 0; i < 500; ++i) {
    line.push_back({static_cast<float>(i)});
    two.push_back({static_cast<float>(i % 2)});
    far.push_back({static_cast<float>(i / 50) * 1e6f, static_cast<float>(i % 50)});
  }
  check(line, "sorted line");
  check(two, "two points");
  check(far, "clusters far apart");
}

TEST_P(Builders, StopsWhenCancelled) {
  const VectorSet set = doubles::clustered(VectorType::F32, 2000, 16, 1);
  const base::RowStore store = doubles::store_of(set);
  CancelToken token;
  Execution execution;
  execution.threads = 2;
  execution.cancel = &token;
  base::ThreadTeam team(execution);
  token.cancel();
  const KernelSpace space(Distance::L2, store, nullptr);
  try {
    const auto build_graph =
        GetParam() == GraphBuilder::Partitioned ? build_partitioned : build_incremental<KernelSpace>;
    build_graph(space, {0}, {}, team, execution);
    FAIL() << "the build went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  }
}

/// Rows in tight clusters, far apart from one another and in no order that a walk could follow.
VectorSet tight_clusters(std::size_t clusters, std::size_t rows, std::size_t dimension) {
  VectorSet set(VectorType::F32, clusters * rows, dimension);
  base::Random random(5);
  std::vector<double> centre(dimension);
  for (std::size_t cluster = 0; cluster < clusters; ++cluster) {
    for (double& value : centre) value = random.normal();
    for (std::size_t i = 0; i < rows; ++i) {
      auto* row = reinterpret_cast<float*>(set.row(i * clusters + cluster));
      for (std::size_t j = 0; j < dimension; ++j) row[j] = static_cast<float>(centre[j] + 0.01 * random.normal());
    }
  }
  return set;
}

TEST_P(Builders, FindsTheWayBetweenClustersFarApart) {
  const VectorSet set = tight_clusters(1500, 10, 32);
  const Built built = build(set, Distance::L2, {32, 100, 1.2f, 1}, 2);
  const KernelSpace space(Distance::L2, built.store, nullptr);
  SearchScratch scratch(set.rows(), built.graph.adjacency.stride());
  distance::QueryBuffer buffer(32);
  const EntryPoints entry_points(space, built.graph.entry_points);
  std::size_t met = 0;
  for (Slot row = 0; row < 1000; ++row) {
    Walk<KernelSpace> walk(space, built.graph.adjacency, space.stored_query(row, buffer), entry_points, 10, scratch);
    while (walk.gather()) walk.absorb();
    met += slot_of(scratch.list.entries()[0]) == row ? 1 : 0;
  }
  EXPECT_GE(met, 950u) << "of 1000 rows found with a list of 10";
}

}  // namespace
}  // namespace diskann::graph
