// What graphs cost to search: those of both builders and that of the DiskANN paper, over the same nodes.
//   graph_quality BASE QUERY METRIC MAX_DEGREE [QUERIES] [partitioned,incremental,textbook]
// prints one JSON object a graph and k: distances a query at recall@k of 0.95 and 0.99 and seconds of one thread.
#include "tests/graph/graph_quality.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "diskann/vector_file.hpp"
#include "index/index_state.hpp"
#include "tests/graph/textbook_vamana.hpp"

namespace {

using namespace diskann;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Named {
  std::string name;
  base::Adjacency graph;
  std::vector<base::Slot> entry_points;
  double seconds;
};

int run(int count, char** arguments) {
  if (count < 5) {
    std::fputs("usage: graph_quality BASE QUERY METRIC MAX_DEGREE [QUERIES] [GRAPHS]\n", stderr);
    return 2;
  }
  const VectorSet vectors = read_vectors(arguments[1]), all_queries = read_vectors(arguments[2]);
  const Distance metric = parse_distance(arguments[3]);
  const auto max_degree = static_cast<std::uint32_t>(std::atoi(arguments[4]));
  const std::size_t limit = count > 5 ? static_cast<std::size_t>(std::atoi(arguments[5])) : 1000;
  const std::string wanted = count > 6 ? arguments[6] : "partitioned,incremental,textbook";
  const VectorView queries = all_queries.view().slice(0, std::min<std::size_t>(limit, all_queries.rows()));

  std::vector<Index> indexes;
  std::vector<Named> graphs;
  Execution one;
  one.threads = 1;
  for (const char* name : {"partitioned", "incremental"}) {
    if (wanted.find(name) == std::string::npos && !indexes.empty()) continue;
    const auto start = Clock::now();
    indexes.push_back(IndexBuilder()
                          .metric(metric)
                          .max_degree(max_degree)
                          .builder(parse_graph_builder(name))
                          .quantize(Codec::None)
                          .execution(one)
                          .build_from_vectors(vectors));
    const Index::State& state = indexes.back().state();
    graphs.push_back({name,
                      {state.graph.data(), state.graph.nodes(), state.graph.stride(), nullptr},
                      state.entry_points,
                      since(start)});
  }
  const Index::State& state = indexes.front().state();
  const graph::KernelSpace space(metric, state.rows, state.norms.empty() ? nullptr : state.norms.data());
  if (wanted.find("textbook") != std::string::npos) {
    const auto start = Clock::now();
    base::RowStore more;
    const bool product = metric == Distance::InnerProduct;
    if (product) more = graph::testing::augmented(state.rows);
    const graph::KernelSpace euclidean = product ? graph::KernelSpace(Distance::L2, more, nullptr) : space;
    const BuildParameters parameters{max_degree, 100, 1.2f, 42};
    const base::Slot medoid = indexes.front().state().entry_points.front();
    graph::testing::TextbookVamana textbook(euclidean, medoid, parameters);
    graphs.push_back({"textbook", textbook.build(), {medoid}, since(start)});
  }
  for (const std::size_t k : {10, 100}) {
    const graph::testing::GraphQuality quality(space, queries, k);
    for (const Named& named : graphs) {
      const double recalls[] = {0.95, 0.99};
      const auto at = quality.distances_at(named.graph, named.entry_points, recalls);
      fmt::print(
          "{{\"graph\": \"{}\", \"k\": {}, \"max_degree\": {}, \"distances_at_0.95\": {:.0f}, "
          "\"distances_at_0.99\": {:.0f}, \"seconds\": {:.1f}}}\n",
          named.name, k, max_degree, at[0], at[1], named.seconds);
      std::fflush(stdout);
    }
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  try {
    return run(count, arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "graph_quality: %s\n", error.what());
    return 1;
  }
}
