#pragma once

#include <algorithm>
#include <vector>

#include "base/convert.hpp"
#include "base/random.hpp"
#include "diskann/index.hpp"
#include "graph/candidate_list.hpp"
#include "graph/space.hpp"

namespace diskann::graph::testing {

/// Vamana as the DiskANN paper has it (Subramanya et al., NeurIPS 2019, algorithms 1 to 3): one point after the other,
/// a random graph to start from, two passes, at alpha 1 and at alpha, every row pruned as soon as it overflows, full
/// rows compared. The graph that those of the builders are held against; it shares no code with them but the kernels.
class TextbookVamana {
 public:
  /// Inner product is not for it: its own way is L2 over rows with a component more (see augmented()).
  TextbookVamana(const KernelSpace& space, Slot medoid, const BuildParameters& parameters)
      : space_(space),
        medoid_(medoid),
        parameters_(parameters),
        graph_(space.rows().rows),
        seen_(graph_.size()),
        buffer_(space.rows().dimension) {}

  base::Adjacency build() {
    base::Random random(parameters_.seed);
    const std::size_t nodes = graph_.size();
    std::vector<Slot> order(nodes);
    for (std::size_t i = 0; i < nodes; ++i) order[i] = static_cast<Slot>(i);
    for (std::size_t i = nodes; i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
    for (Slot node = 0; node < nodes; ++node) {
      for (std::uint32_t i = 0; i < parameters_.max_degree; ++i)
        graph_[node].push_back(static_cast<Slot>(random.below(nodes)));
    }
    for (const float alpha : {1.0f, parameters_.alpha})
      for (const Slot point : order) insert(point, alpha);
    base::Adjacency result(nodes, static_cast<std::uint32_t>(base::round_up(parameters_.max_degree, 16)));
    for (Slot node = 0; node < nodes; ++node) result.assign(node, graph_[node]);
    return result;
  }

 private:
  struct Point {
    float distance;
    Slot slot;
    bool expanded = false;
    friend bool operator<(const Point& a, const Point& b) {
      return a.distance != b.distance ? a.distance < b.distance : a.slot < b.slot;
    }
  };

  std::vector<Point> measure(Slot from, const std::vector<Slot>& slots) {
    std::vector<float> distances(slots.size());
    space_.score(space_.stored_query(from, buffer_), slots.data(), slots.size(), distances.data());
    std::vector<Point> points;
    for (std::size_t i = 0; i < slots.size(); ++i) points.push_back({distances[i], slots[i]});
    return points;
  }

  void insert(Slot point, float alpha) {
    std::vector<Slot> candidates = expanded_on_the_way_to(point);
    candidates.insert(candidates.end(), graph_[point].begin(), graph_[point].end());
    prune(point, std::move(candidates), alpha);
    for (const Slot neighbor : graph_[point]) {
      std::vector<Slot>& row = graph_[neighbor];
      if (std::find(row.begin(), row.end(), point) != row.end()) continue;
      row.push_back(point);
      if (row.size() > parameters_.max_degree) prune(neighbor, row, alpha);
    }
  }

  /// GreedySearch.
  std::vector<Slot> expanded_on_the_way_to(Slot point) {
    ++round_;
    seen_[medoid_] = round_;
    std::vector<Point> list = measure(point, {medoid_});
    std::vector<Slot> expanded;
    while (true) {
      const auto next = std::find_if(list.begin(), list.end(), [](const Point& p) { return !p.expanded; });
      if (next == list.end()) return expanded;
      next->expanded = true;
      expanded.push_back(next->slot);
      std::vector<Slot> fresh;
      for (const Slot slot : graph_[next->slot]) {
        if (seen_[slot] != round_) fresh.push_back(slot);
        seen_[slot] = round_;
      }
      std::vector<Point> found = measure(point, fresh);
      std::sort(found.begin(), found.end());
      const auto middle = static_cast<std::ptrdiff_t>(list.size());
      list.insert(list.end(), found.begin(), found.end());
      std::inplace_merge(list.begin(), list.begin() + middle, list.end());
      if (list.size() > parameters_.search_list_size) list.resize(parameters_.search_list_size);
    }
  }

  /// RobustPrune.
  void prune(Slot point, std::vector<Slot> slots, float alpha) {
    std::sort(slots.begin(), slots.end());
    slots.erase(std::unique(slots.begin(), slots.end()), slots.end());
    slots.erase(std::remove(slots.begin(), slots.end(), point), slots.end());
    std::vector<Point> left = measure(point, slots);
    std::sort(left.begin(), left.end());
    std::vector<Slot> kept;
    while (!left.empty() && kept.size() < parameters_.max_degree) {
      const Slot nearest = left.front().slot;
      kept.push_back(nearest);
      slots.clear();
      for (const Point& other : left) slots.push_back(other.slot);
      const std::vector<Point> between = measure(nearest, slots);
      std::vector<Point> next;
      for (std::size_t i = 1; i < left.size(); ++i)
        if (alpha * between[i].distance > left[i].distance) next.push_back(left[i]);
      left = std::move(next);
    }
    graph_[point] = std::move(kept);
  }

  const KernelSpace& space_;
  Slot medoid_;
  BuildParameters parameters_;
  std::vector<std::vector<Slot>> graph_;
  std::vector<std::uint32_t> seen_;  // in which search last
  std::uint32_t round_ = 0;
  distance::QueryBuffer buffer_;
};

/// Rows among which the nearest by L2 to a query (with a zero behind it) are those of greatest inner product with it:
/// each with a component more that brings all norms to the greatest (Bachrach et al., RecSys 2014).
inline base::RowStore augmented(const base::RowsView& rows) {
  std::vector<double> norms(rows.rows);
  distance::squared_norms(rows, 0, rows.rows, norms.data());
  const double greatest = *std::max_element(norms.begin(), norms.end());
  base::RowStore store(VectorType::F32, rows.rows, rows.dimension + 1);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    base::convert_row(rows.row(i), rows.type, store.row(i), VectorType::F32, rows.dimension);
    reinterpret_cast<float*>(store.row(i))[rows.dimension] = static_cast<float>(std::sqrt(greatest - norms[i]));
  }
  return store;
}

}  // namespace diskann::graph::testing
