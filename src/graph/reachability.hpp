#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/adjacency.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// Breadth-first walk over a graph from its entry points.
class Reachability {
 public:
  explicit Reachability(const base::Adjacency& graph) : graph_(&graph), parent_(graph.nodes(), kUnseen) {}
  /// Adds all that `node` reaches; `parent` is the node whose edge led to it, or the node itself.
  void flood(Slot node, Slot parent);
  bool reached(Slot node) const noexcept { return parent_[node] != kUnseen; }
  /// All that were reached, in that order.
  std::span<const Slot> nodes() const noexcept { return order_; }
  /// True where the walk came to `node` by the edge from `from`: such an edge must stay.
  bool is_tree_edge(Slot from, Slot node) const noexcept { return parent_[node] == from; }

 private:
  static constexpr Slot kUnseen = ~Slot{0};
  const base::Adjacency* graph_;
  std::vector<Slot> parent_;
  std::vector<Slot> order_;
};

/// Gives every node that no walk from the entry points reaches an edge from a near node (in the space's
/// neighborhood) that is reached: into free room, else in place of an edge that no other node depends on. Returns how
/// many edges were added; afterwards all nodes are reachable (for max_degree >= 1). Near nodes are looked for of 64
/// such nodes at once: of one another those see nothing.
template <class Space>
std::size_t make_reachable(const Space& space, base::Adjacency& graph, std::uint32_t max_degree,
                           std::span<const Slot> entry_points, base::ThreadTeam& team);

/// Degrees, and how many nodes no walk reaches.
GraphStatistics measure(const base::Adjacency& graph, std::span<const Slot> entry_points);

/// What is wrong with a list of entry points, a line each: none at all, one beyond the last node, one that is repeated.
std::vector<std::string> check_entry_points(std::size_t nodes, std::span<const Slot> entry_points);

/// The entry points, and everything an edge must be: slots in range, no self-edge, no repeat, degree at most
/// `max_degree`. Returns what is wrong, a line each, at most a dozen. Whether all nodes are reached, measure() tells.
std::vector<std::string> check_graph(const base::Adjacency& graph, std::uint32_t max_degree,
                                     std::span<const Slot> entry_points);

extern template std::size_t make_reachable(const KernelSpace&, base::Adjacency&, std::uint32_t, std::span<const Slot>,
                                           base::ThreadTeam&);
extern template std::size_t make_reachable(const CustomSpace&, base::Adjacency&, std::uint32_t, std::span<const Slot>,
                                           base::ThreadTeam&);

}  // namespace diskann::graph
