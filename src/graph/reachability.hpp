#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/adjacency.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// Breadth-first walk over a graph from its entry points, whose tree is remembered: a node's parent is the one whose
/// edge led to it.
class Reachability {
 public:
  explicit Reachability(std::size_t nodes) : parent_(nodes, kUnseen) {}
  /// Adds all that `node` reaches; `parent` is the node whose edge led to it, or the node itself. neighbors_of(node)
  /// gives the row of one; what is no node in it is left out.
  template <class NeighborsOf>
  void flood(Slot node, Slot parent, const NeighborsOf& neighbors_of) {
    if (reached(node)) return;
    parent_[node] = parent;
    std::size_t head = order_.size();
    order_.push_back(node);
    for (; head < order_.size(); ++head) {
      for (const Slot neighbor : neighbors_of(order_[head])) {
        if (neighbor >= parent_.size() || reached(neighbor)) continue;
        parent_[neighbor] = order_[head];
        order_.push_back(neighbor);
      }
    }
  }
  bool reached(Slot node) const noexcept { return parent_[node] != kUnseen; }
  /// All that were reached, in that order.
  std::span<const Slot> nodes() const noexcept { return order_; }
  /// Where an edge more may stand in the row of `host` so that nobody is cut off: behind its neighbours, or in place of
  /// the last of them that was not first come to by it. Nothing where there is no such place.
  std::optional<std::size_t> place_in(Slot host, std::span<const Slot> neighbors, std::uint32_t max_degree) const {
    if (neighbors.size() < max_degree) return neighbors.size();
    for (std::size_t i = neighbors.size(); i-- > 0;)
      if (parent_[neighbors[i]] != host) return i;
    return std::nullopt;
  }

 private:
  static constexpr Slot kUnseen = ~Slot{0};
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
