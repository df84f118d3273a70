#pragma once

#include <utility>
#include <vector>

#include "graph/build_incremental.hpp"
#include "graph/build_partitioned.hpp"
#include "graph/entry_points.hpp"
#include "io/checksum.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::graph::testing {

/// A graph with the rows that it was built over.
struct Built {
  base::RowStore store;
  std::vector<float> norms;
  Graph graph;
};

inline Built build(const VectorSet& set, Distance metric, const BuildParameters& parameters, unsigned threads,
                   GraphBuilder builder) {
  Built built;
  built.store = doubles::store_of(set);
  if (metric == Distance::Cosine) {
    built.norms.resize(set.rows());
    distance::inverse_norms(built.store, 0, set.rows(), built.norms.data());
  }
  const float* norms = built.norms.empty() ? nullptr : built.norms.data();
  Execution execution;
  execution.threads = threads;
  base::ThreadTeam team(execution);
  const KernelSpace space(metric, built.store, norms);
  std::vector<Slot> entry_points = choose_entry_points(metric, built.store, norms, parameters.seed, team);
  const auto build_graph = builder == GraphBuilder::Partitioned ? build_partitioned : build_incremental<KernelSpace>;
  built.graph = build_graph(space, std::move(entry_points), parameters, team, execution);
  return built;
}

inline std::uint64_t checksum(const base::Adjacency& graph) {
  return io::checksum(std::as_bytes(std::span(graph.data(), graph.nodes() * graph.stride())));
}

}  // namespace diskann::graph::testing
