#include "graph/build_incremental.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "graph/entry_points.hpp"
#include "graph/reachability.hpp"
#include "graph/search.hpp"
#include "io/checksum.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::graph {
namespace {

struct Built {
  base::RowStore store;
  std::vector<float> norms;
  Graph graph;
};

Built build(const VectorSet& set, Distance metric, const BuildParameters& parameters, unsigned threads) {
  Built built;
  built.store = base::RowStore(set.type(), set.rows(), set.dimension());
  for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set, i, built.store.row(i));
  if (metric == Distance::Cosine) {
    built.norms.resize(set.rows());
    distance::inverse_norms(built.store, 0, set.rows(), built.norms.data());
  }
  const float* norms = built.norms.empty() ? nullptr : built.norms.data();
  Execution execution;
  execution.threads = threads;
  base::ThreadTeam team(execution);
  const KernelSpace space(metric, built.store, norms);
  built.graph = build_incremental(space, choose_entry_points(metric, built.store, norms, parameters.seed, team),
                                  parameters, team, execution);
  return built;
}

std::uint64_t checksum(const base::Adjacency& graph) {
  return io::checksum(std::as_bytes(std::span(graph.data(), graph.nodes() * graph.stride())));
}

TEST(BuildIncremental, GivesTheSameGraphAtEveryThreadCount) {
  const VectorSet set = doubles::clustered(VectorType::F32, 3000, 24, 1);
  const BuildParameters parameters{24, 40, 1.2f, 7};
  const std::uint64_t expected = checksum(build(set, Distance::L2, parameters, 1).graph.adjacency);
  for (const unsigned threads : {2u, 3u, 7u})
    EXPECT_EQ(checksum(build(set, Distance::L2, parameters, threads).graph.adjacency), expected) << threads;
  EXPECT_NE(checksum(build(set, Distance::L2, {24, 40, 1.2f, 8}, 1).graph.adjacency), expected) << "another seed";
}

TEST(BuildIncremental, HoldsItsInvariantsForEveryTypeMetricAndDegree) {
  std::size_t cases = 0;
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      for (const std::uint32_t max_degree : {2u, 5u, 16u, 64u}) {
        for (const std::size_t rows : {1u, 2u, 3u, 17u, 65u, 600u}) {
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
  EXPECT_EQ(cases, 4u * 3u * 4u * 6u);
}

TEST(BuildIncremental, ReachesEverythingInDegenerateData) {
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

TEST(BuildIncremental, StopsWhenCancelled) {
  const VectorSet set = doubles::clustered(VectorType::F32, 2000, 16, 1);
  base::RowStore store(set.type(), set.rows(), set.dimension());
  for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set, i, store.row(i));
  CancelToken token;
  Execution execution;
  execution.threads = 2;
  execution.cancel = &token;
  base::ThreadTeam team(execution);
  token.cancel();
  const KernelSpace space(Distance::L2, store, nullptr);
  try {
    build_incremental(space, {0}, {}, team, execution);
    FAIL() << "the build went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  }
}

TEST(Walk, VisitsTheSameNodesAloneAndInterleaved) {
  const VectorSet set = doubles::clustered(VectorType::U8, 2000, 32, 4);
  const Built built = build(set, Distance::L2, {16, 40, 1.2f, 1}, 2);
  const KernelSpace space(Distance::L2, built.store, nullptr);
  std::vector<SearchScratch> scratches;
  std::vector<distance::QueryBuffer> buffers;
  for (int i = 0; i < 4; ++i) {
    scratches.emplace_back(2000, 64);
    buffers.emplace_back(32);
  }
  SearchScratch alone(2000, 64);
  std::size_t compared = 0;
  for (Slot first = 0; first < 200; first += 4) {
    std::vector<Walk<KernelSpace>> walks;
    for (Slot i = 0; i < 4; ++i)
      walks.emplace_back(space, built.graph.adjacency, space.stored_query(first + i, buffers[i]),
                         built.graph.entry_points, 20 + i * 5, scratches[i]);
    run_interleaved<KernelSpace>(walks);
    for (Slot i = 0; i < 4; ++i) {
      distance::QueryBuffer buffer(32);
      Walk<KernelSpace> walk(space, built.graph.adjacency, space.stored_query(first + i, buffer),
                             built.graph.entry_points, 20 + i * 5, alone);
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
