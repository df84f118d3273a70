// Graphs of the builders cost no more to search than the one of the DiskANN paper, on data of many kinds.
#include <gtest/gtest.h>

#include "diskann/evaluation.hpp"
#include "tests/graph/built_graph.hpp"
#include "tests/graph/graph_quality.hpp"
#include "tests/graph/textbook_vamana.hpp"

namespace diskann::graph {
namespace {

using testing::Built;

struct Case {
  const char* name;
  Distance metric;
  SyntheticShape shape;
  std::uint32_t clusters;
  float spread;
  VectorType type = VectorType::F32;
  double ratio = 1.03;  // of distances to those of the textbook's graph, at most; more where they are known to be more
};

class Quality : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Of, Quality,
    ::testing::Values(Case{"ClustersL2", Distance::L2, SyntheticShape::Plain, 60, 0.15f},
                      Case{"ClustersCosine", Distance::Cosine, SyntheticShape::Plain, 60, 0.15f, VectorType::F32, 1.04},
                      Case{"ClustersProduct", Distance::InnerProduct, SyntheticShape::Plain, 60, 0.15f},
                      Case{"BytesProduct", Distance::InnerProduct, SyntheticShape::Plain, 60, 0.15f, VectorType::U8},
                      Case{"TightL2", Distance::L2, SyntheticShape::Plain, 400, 0.003f, VectorType::F32, 1.25},
                      Case{"TightProduct", Distance::InnerProduct, SyntheticShape::Plain, 400, 0.003f},
                      Case{"GaussianL2", Distance::L2, SyntheticShape::Plain, 0, 1.0f, VectorType::F32, 1.05},
                      Case{"GaussianProduct", Distance::InnerProduct, SyntheticShape::Plain, 0, 1.0f},
                      Case{"UnitProduct", Distance::InnerProduct, SyntheticShape::Unit, 60, 0.2f},
                      Case{"LogNormalProduct", Distance::InnerProduct, SyntheticShape::LogNormal, 60, 0.2f},
                      Case{"DecayL2", Distance::L2, SyntheticShape::Decay, 0, 1.0f, VectorType::F32, 1.05},
                      Case{"OutliersL2", Distance::L2, SyntheticShape::Outliers, 0, 1.0f}),
    [](const auto& instance) { return std::string(instance.param.name); });

TEST_P(Quality, IsThatOfTheTextbookOrBetter) {
  const Case& data = GetParam();
  SyntheticOptions options;
  options.rows = 8000;
  options.dimension = 24;
  options.queries = 300;
  options.clusters = data.clusters;
  options.spread = data.spread;
  options.shape = data.shape;
  options.type = data.type;
  const SyntheticSet set = generate_clustered(options);
  const BuildParameters parameters{32, 100, data.metric == Distance::InnerProduct ? 2.0f : 1.2f, 42};
  const Built built = testing::build(set.vectors, data.metric, parameters, 2, GraphBuilder::Partitioned);
  const KernelSpace space(data.metric, built.store, built.norms.empty() ? nullptr : built.norms.data());

  base::RowStore more;
  const bool products = data.metric == Distance::InnerProduct;
  if (products) more = testing::augmented(built.store);
  const KernelSpace euclidean = products ? KernelSpace(Distance::L2, more, nullptr) : space;
  const Slot medoid = built.graph.entry_points.front();
  const base::Adjacency reference = testing::TextbookVamana(euclidean, medoid, {32, 100, 1.2f, 42}).build();

  for (const std::size_t k : {10u, 100u}) {
    const testing::GraphQuality quality(space, set.queries, k);
    const double recalls[] = {0.95, 0.99};
    const auto ours = quality.distances_at(built.graph.adjacency, built.graph.entry_points, recalls);
    const auto theirs = quality.distances_at(reference, std::span(&medoid, 1), recalls);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_LE(ours[i], data.ratio * theirs[i]) << "distances a query at recall@" << k << ' ' << recalls[i];
    }
  }
}

}  // namespace
}  // namespace diskann::graph
