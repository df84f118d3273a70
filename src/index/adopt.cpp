#include "index/adopt.hpp"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/threads.hpp"
#include "graph/build_incremental.hpp"
#include "graph/entry_points.hpp"
#include "graph/prune.hpp"
#include "graph/reachability.hpp"
#include "index/index_state.hpp"
#include "index/twins.hpp"

namespace diskann::index {
namespace {

using base::Slot;

constexpr Slot kGone = ~Slot{0};

/// Which of their nodes become which of ours: the inverse of `target`, and that.
struct Nodes {
  std::vector<Slot> kept;              ///< theirs that have points, in order
  std::vector<std::uint32_t> starts;   ///< ours + 1
  std::vector<std::uint32_t> members;  ///< places in `kept`, by ours
  std::vector<Slot> target;            ///< by theirs: ours, or kGone

  std::size_t count() const noexcept { return starts.size() - 1; }
  template <class F>
  void for_each_origin(std::size_t node, F&& f) const {
    for (std::uint32_t i = starts[node]; i < starts[node + 1]; ++i) f(kept[members[i]]);
  }
};

/// Fills `rows` with one row for each of our nodes.
Nodes choose_nodes(const Index::State& theirs, base::RowStore& rows, base::ThreadTeam& team) {
  const base::RowsView& all = theirs.rows.view();
  Nodes nodes;
  for (std::size_t i = 0; i < all.rows; ++i)
    if (theirs.points.has_points(static_cast<Slot>(i))) nodes.kept.push_back(static_cast<Slot>(i));
  if (nodes.kept.empty()) {
    throw Error(ErrorCode::InvalidArgument, "no point of the set is left: its " + std::to_string(all.rows) +
                                                " nodes are deleted or entry points without a tag");
  }
  rows = {all.type, nodes.kept.size(), all.dimension};
  for (std::size_t i = 0; i < nodes.kept.size(); ++i) std::memcpy(rows.row(i), all.row(nodes.kept[i]), all.stride);

  Twins twins = merge_twins(rows, team);
  nodes.starts = std::move(twins.starts);
  nodes.members = std::move(twins.members);
  if (nodes.starts.empty()) {  // all differ
    for (std::uint32_t i = 0; i < nodes.kept.size(); ++i) nodes.members.push_back(i);
    nodes.starts = nodes.members;
    nodes.starts.push_back(static_cast<std::uint32_t>(nodes.kept.size()));
  }
  nodes.target.assign(all.rows, kGone);
  for (std::size_t node = 0; node < nodes.count(); ++node)
    nodes.for_each_origin(node, [&](Slot origin) { nodes.target[origin] = static_cast<Slot>(node); });
  return nodes;
}

PointTable points_of(const PointTable& theirs, const Nodes& nodes) {
  std::vector<std::uint32_t> starts{0}, members;
  for (std::size_t node = 0; node < nodes.count(); ++node) {
    const auto begin = static_cast<std::ptrdiff_t>(members.size());
    nodes.for_each_origin(
        node, [&](Slot origin) { theirs.for_each_point(origin, [&](std::uint32_t p) { members.push_back(p); }); });
    std::sort(members.begin() + begin, members.end());
    starts.push_back(static_cast<std::uint32_t>(members.size()));
  }
  if (members.size() == nodes.count() && std::is_sorted(members.begin(), members.end())) starts = members = {};
  return {theirs.points(), std::move(starts), std::move(members),
          std::vector<std::uint64_t>(theirs.ids().begin(), theirs.ids().end())};
}

/// The edges of ours that theirs amount to, at most max_degree a node.
base::Adjacency contract(const base::Adjacency& theirs, const Nodes& nodes, const graph::KernelSpace& space,
                         std::uint32_t max_degree, base::ThreadTeam& team) {
  base::Adjacency graph(nodes.count(), graph::row_slots(max_degree));
  std::vector<std::vector<Slot>> seen(team.threads());  // by node of ours: the last one that it is a neighbour of
  team.run(nodes.count(), 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    seen[thread].resize(nodes.count(), kGone);
    graph::Pruner<graph::KernelSpace> pruner(space, max_degree, BuildParameters{}.alpha);
    std::vector<Slot> neighbors;
    std::vector<graph::Candidate> candidates;
    for (auto node = static_cast<Slot>(begin); node < end; ++node) {
      neighbors.clear();
      const auto add = [&](Slot target) {
        if (target == kGone || target == node) return;
        if (std::exchange(seen[thread][target], node) != node) neighbors.push_back(target);
      };
      nodes.for_each_origin(node, [&](Slot origin) {
        for (const Slot neighbor : theirs.neighbors(origin)) {
          add(nodes.target[neighbor]);
          if (nodes.target[neighbor] != kGone) continue;
          for (const Slot beyond : theirs.neighbors(neighbor)) add(nodes.target[beyond]);
        }
      });
      if (neighbors.size() > max_degree) {
        candidates.clear();
        pruner.score(node, neighbors, candidates);
        std::sort(candidates.begin(), candidates.end());
        neighbors.resize(max_degree);
        neighbors.resize(pruner.prune(node, candidates, neighbors.data()));
      }
      graph.assign(node, neighbors);
    }
  });
  return graph;
}

}  // namespace

std::unique_ptr<Index::State> adopt(const Index::State& theirs, const Execution& execution) {
  base::ThreadTeam team(execution);
  auto state = std::make_unique<Index::State>();
  state->parameters = theirs.parameters;
  state->parameters.max_degree = std::max(theirs.parameters.max_degree, 2u);  // the least that a build takes
  state->metric = theirs.metric;
  state->source_type = theirs.source_type;
  state->builder = theirs.builder;
  const Nodes nodes = choose_nodes(theirs, state->rows, team);
  state->points = points_of(theirs.points, nodes);

  const base::RowsView& rows = state->rows;
  std::vector<float> norms(distance::has_norms(theirs.metric, rows.type, rows.dimension, rows.rows) ? rows.rows : 0);
  distance::row_norms(theirs.metric, rows, 0, norms.size(), norms.data());
  state->norms = std::move(norms);
  const float* of_rows = state->norms.empty() ? nullptr : state->norms.data();
  const graph::KernelSpace space(theirs.metric, rows, of_rows);
  state->entry_points = graph::choose_entry_points(
      theirs.metric, rows, theirs.metric == Distance::Cosine ? of_rows : nullptr, BuildParameters{}.seed, team);
  const std::uint32_t max_degree = state->parameters.max_degree;
  state->graph = contract(theirs.graph, nodes, space.neighborhood(), max_degree, team);
  graph::make_reachable(space, state->graph, max_degree, std::span(state->entry_points).first(1), team);
  return state;
}

}  // namespace diskann::index
