#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "graph/search.hpp"
#include "graph/space.hpp"

namespace diskann::graph::testing {

/// What a graph costs to search: distances a query at a recall, whatever list that takes.
class GraphQuality {
 public:
  /// Finds the true neighbours of the queries first. `space` must outlive this.
  GraphQuality(const KernelSpace& space, VectorView queries, std::size_t k) : space_(space), queries_(queries), k_(k) {
    const base::RowsView& rows = space.rows();
    std::vector<float> distances(rows.rows);
    for (std::size_t i = 0; i < queries.rows(); ++i) {
      distance::QueryBuffer buffer(rows.dimension);
      space.score_block(buffer.prepare(queries.slice(i, 1), rows.type), rows, space.norms(), 0, rows.rows,
                        distances.data());
      std::nth_element(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(k - 1), distances.end());
      furthest_.push_back(distances[k - 1]);
    }
  }

  /// Distances a query, interpolated in log(1 - recall) between lists of growing size, at each recall (rising); where
  /// the shortest list is better than that already, its distances.
  std::vector<double> distances_at(const base::Adjacency& graph, std::span<const Slot> entry_points,
                                   std::span<const double> recalls) const {
    const EntryPoints starts(space_, entry_points);
    std::vector<double> found;
    Point last = search(graph, starts, k_);
    for (double list = static_cast<double>(k_) * 1.2; found.size() < recalls.size() && list < kLongest; list *= 1.2) {
      const Point next = search(graph, starts, static_cast<std::size_t>(std::lround(list)));
      while (found.size() < recalls.size() && recalls[found.size()] <= next.recall) {
        const double wanted = recalls[found.size()];
        const double part =
            wanted <= last.recall ? 0 : (miss(last.recall) - miss(wanted)) / (miss(last.recall) - miss(next.recall));
        found.push_back(last.distances + part * (next.distances - last.distances));
      }
      last = next;
    }
    found.resize(recalls.size(), std::numeric_limits<double>::infinity());
    return found;
  }

 private:
  static constexpr double kLongest = 5000;
  struct Point {
    double recall, distances;
  };
  static double miss(double recall) { return std::log(std::max(1 - recall, 1e-6)); }

  Point search(const base::Adjacency& graph, const EntryPoints& entry_points, std::size_t list_size) const {
    SearchScratch scratch(graph.nodes(), graph.stride());
    distance::QueryBuffer buffer(space_.rows().dimension);
    std::size_t hits = 0, distances = 0;
    for (std::size_t i = 0; i < queries_.rows(); ++i) {
      Walk<KernelSpace> walk(space_, graph, buffer.prepare(queries_.slice(i, 1), space_.rows().type), entry_points,
                             list_size, scratch);
      while (walk.gather()) walk.absorb();
      distances += walk.statistics().distance_computations;
      const auto entries = scratch.list.entries().first(std::min(k_, scratch.list.entries().size()));
      for (const Candidate candidate : entries) hits += distance_of(candidate) <= furthest_[i] ? 1 : 0;
    }
    const auto queries = static_cast<double>(queries_.rows());
    return {static_cast<double>(hits) / queries / static_cast<double>(k_), static_cast<double>(distances) / queries};
  }

  const KernelSpace& space_;
  VectorView queries_;
  std::size_t k_;
  std::vector<float> furthest_;  // distance of the k-th true neighbour of each query
};

}  // namespace diskann::graph::testing
