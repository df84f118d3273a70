// Many queries in one call on all threads, everything within a radius, and how much of the truth was found.
#include <cstdio>
#include <vector>

#include "diskann/diskann.hpp"

int main() {
  diskann::SyntheticOptions options;
  options.rows = 10'100;
  options.dimension = 32;
  const auto data = diskann::generate_clustered(options);
  const auto base = data.vectors.view().slice(0, 10'000);
  const auto queries = data.vectors.view().slice(10'000, 100);
  const auto index = diskann::IndexBuilder().build_from_vectors(base);

  diskann::SearchParameters parameters;
  parameters.search_list_size = 80;
  diskann::SearchStatistics statistics;
  const auto found = index.search_batch(queries, 10, parameters, {}, &statistics);
  const auto truth = diskann::compute_ground_truth(base, queries, index.metric(), 10);
  const double recall = diskann::recall_at(found, truth, 10);
  std::printf("recall@10 %.4f with %.0f distance computations a query in place of %zu\n", recall,
              static_cast<double>(statistics.distance_computations) / static_cast<double>(queries.rows()),
              index.size());

  // Exact search gives the truth too, one query or many.
  const diskann::FlatIndex exact(base, diskann::Distance::L2);
  const bool same = exact.search(queries.slice(0, 1), 1).front().id == truth.ids_of(0)[0];

  // A ball that reaches to the tenth neighbour holds ten points at least.
  const float radius = truth.distances_of(0)[9];
  const auto within = index.range_search(queries.slice(0, 1), radius);
  std::printf("%zu points within %.3f of the first query\n", within.size(), radius);
  return same && recall > 0.95 && within.size() >= 10 && within.back().distance <= radius ? 0 : 1;
}
