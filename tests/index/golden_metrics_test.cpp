#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "diskann/evaluation.hpp"
#include "diskann/flat_index.hpp"
#include "diskann/index.hpp"
#include "diskann/vector_file.hpp"
#include "index/index_state.hpp"
#include "io/checksum.hpp"

namespace diskann::index {
namespace {

/// What an algorithm does, as numbers in the repository: a change of graph, hops or distance computations shows in
/// review. For integer rows they are the same on every instruction set and at every thread count.
/// DISKANN_UPDATE_GOLDEN=1 in the environment writes the file anew.
nlohmann::ordered_json measure(const VectorSet& base, const VectorSet& queries, Distance metric,
                               std::uint32_t max_degree, std::uint32_t list_size,
                               GraphBuilder builder = GraphBuilder::Incremental) {
  const Index index = IndexBuilder()
                          .quantize(Codec::None)
                          .metric(metric)
                          .max_degree(max_degree)
                          .search_list_size(list_size == 0 ? 100 : list_size)
                          .builder(builder)
                          .build_from_vectors(base);
  const SearchResults truth = FlatIndex(base, metric).search_batch(queries, 10);
  const base::Adjacency& graph = index.state().graph;
  const GraphStatistics shape = index.graph_statistics();
  nlohmann::ordered_json row;
  row["metric"] = to_string(metric);
  row["max_degree"] = max_degree;
  if (builder == GraphBuilder::Partitioned)
    row["builder"] = "partitioned";
  else
    row["build_search_list_size"] = list_size;
  row["graph_xxh3"] = io::checksum(std::as_bytes(std::span(graph.data(), graph.nodes() * graph.stride())));
  row["edges"] = shape.edges;
  row["largest_degree"] = shape.largest_degree;
  for (const std::uint32_t list : {10u, 20u, 40u}) {
    SearchStatistics statistics;
    const SearchResults results = index.search_batch(queries, 10, {list}, {}, &statistics);
    nlohmann::ordered_json at;
    at["search_list_size"] = list;
    at["hops"] = statistics.hops;
    at["distance_computations"] = statistics.distance_computations;
    at["recall_x1e4"] = static_cast<int>(recall_at(index, queries, results, truth, 10) * 1e4 + 0.5);
    row["searches"].push_back(at);
  }
  return row;
}

TEST(GoldenMetrics, OfTheSampleAreThoseInTheRepository) {
  const std::filesystem::path root(DISKANN_SOURCE_DIR);
  const auto sample = root / "data/fashion-sample";
  const VectorSet base = read_vectors(sample / "base.u8bin");
  const VectorSet queries = read_vectors(sample / "query.u8bin");
  nlohmann::ordered_json found;
  found.push_back(measure(base, queries, Distance::L2, 32, 60));
  found.push_back(measure(base, queries, Distance::L2, 64, 100));
  found.push_back(measure(base, queries, Distance::InnerProduct, 32, 60));
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct})
    found.push_back(measure(base, queries, metric, 32, 0, GraphBuilder::Partitioned));

  const auto path = root / "tests/golden/metrics.json";
  if (std::getenv("DISKANN_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << found.dump(1) << '\n';
  std::ifstream file(path);
  ASSERT_TRUE(file.good()) << path << " is missing: run with DISKANN_UPDATE_GOLDEN=1";
  EXPECT_EQ(found.dump(1), nlohmann::ordered_json::parse(file).dump(1));
}

}  // namespace
}  // namespace diskann::index
