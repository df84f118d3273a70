#include "graph/reachability.hpp"

#include <algorithm>

#include "graph/row_walker.hpp"

namespace diskann::graph {

template <class Space>
std::size_t make_reachable(const Space& space, base::Adjacency& graph, std::uint32_t max_degree,
                           std::span<const Slot> entry_points, base::ThreadTeam& team) {
  const auto neighbors_of = [&](Slot node) { return graph.neighbors(node); };
  Reachability reach(graph.nodes());
  for (const Slot entry : entry_points) reach.flood(entry, entry, neighbors_of);
  if (reach.nodes().size() == graph.nodes()) return 0;

  constexpr std::size_t kHosts = 64;
  constexpr std::size_t kBatch = 64;  // nodes that are walked to at once
  const Space hosts = space.neighborhood();
  const EntryPoints starts(entry_points);
  RowWalker<Space> walker(hosts, graph, starts, kHosts, team);
  std::vector<std::vector<Candidate>> near(kBatch);
  std::vector<Slot> lost;
  std::size_t added = 0;
  std::size_t spare = 0;  // in the order of reaching: nodes before it have no place left, and get none
  for (Slot next = 0; next < graph.nodes();) {
    lost.clear();
    for (; next < graph.nodes() && lost.size() < kBatch; ++next)
      if (!reach.reached(next)) lost.push_back(next);
    walker.walk_to(lost, [&](std::size_t i, const auto&, std::span<const Candidate> found) {
      near[i].assign(found.begin(), found.end());
    });
    for (std::size_t i = 0; i < lost.size(); ++i) {
      const Slot node = lost[i];
      if (reach.reached(node)) continue;  // by one before it
      const auto takes = [&](Slot host) {
        const auto place = reach.place_in(host, graph.neighbors(host), max_degree);
        if (place) graph.mutable_row(host)[*place] = node;
        return place.has_value();
      };
      // All of them are reached: a walk came there, and edges of the tree stay.
      const auto near_host =
          std::find_if(near[i].begin(), near[i].end(), [&](Candidate candidate) { return takes(slot_of(candidate)); });
      // A tree over the reached nodes has fewer edges than they have places, so one is found.
      while (near_host == near[i].end() && !takes(reach.nodes()[spare])) ++spare;
      reach.flood(node, near_host != near[i].end() ? slot_of(*near_host) : reach.nodes()[spare], neighbors_of);
      ++added;
    }
  }
  return added;
}

template std::size_t make_reachable(const KernelSpace&, base::Adjacency&, std::uint32_t, std::span<const Slot>,
                                    base::ThreadTeam&);
template std::size_t make_reachable(const CustomSpace&, base::Adjacency&, std::uint32_t, std::span<const Slot>,
                                    base::ThreadTeam&);

GraphStatistics measure(const base::Adjacency& graph, std::span<const Slot> entry_points) {
  GraphStatistics statistics;
  statistics.nodes = graph.nodes();
  statistics.smallest_degree = graph.nodes() == 0 ? 0 : graph.stride();
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const std::uint32_t degree = graph.degree(static_cast<Slot>(i));
    statistics.edges += degree;
    statistics.smallest_degree = std::min(statistics.smallest_degree, degree);
    statistics.largest_degree = std::max(statistics.largest_degree, degree);
  }
  Reachability reach(graph.nodes());
  for (const Slot entry : entry_points) reach.flood(entry, entry, [&](Slot node) { return graph.neighbors(node); });
  statistics.unreachable = graph.nodes() - reach.nodes().size();
  return statistics;
}

std::vector<std::string> check_entry_points(std::size_t nodes, std::span<const Slot> entry_points) {
  std::vector<std::string> problems;
  if (entry_points.empty() && nodes > 0) problems.emplace_back("no entry point");
  std::vector<Slot> sorted(entry_points.begin(), entry_points.end());
  std::sort(sorted.begin(), sorted.end());
  if (!sorted.empty() && sorted.back() >= nodes)
    problems.push_back("entry point " + std::to_string(sorted.back()) + " is beyond the last node");
  const auto repeated = std::adjacent_find(sorted.begin(), sorted.end());
  if (repeated != sorted.end()) problems.push_back("entry point " + std::to_string(*repeated) + " is repeated");
  return problems;
}

std::vector<std::string> check_graph(const base::Adjacency& graph, std::uint32_t max_degree,
                                     std::span<const Slot> entry_points) {
  constexpr std::size_t kEnough = 12;
  std::vector<std::string> problems = check_entry_points(graph.nodes(), entry_points);
  const auto report = [&](Slot node, const std::string& what) {
    if (problems.size() < kEnough) problems.push_back("node " + std::to_string(node) + ": " + what);
  };
  if (!problems.empty()) return problems;

  std::vector<Slot> sorted;
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const auto node = static_cast<Slot>(i);
    const Slot* row = graph.row(node);
    const std::uint32_t degree = graph.degree(node);
    if (degree > max_degree) report(node, "degree " + std::to_string(degree) + " above " + std::to_string(max_degree));
    for (std::uint32_t j = degree; j < graph.stride(); ++j)
      if (row[j] != node) report(node, "an edge behind the end of the row");
    sorted.assign(row, row + degree);
    std::sort(sorted.begin(), sorted.end());
    if (!sorted.empty() && sorted.back() >= graph.nodes()) report(node, "an edge to " + std::to_string(sorted.back()));
    if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) report(node, "a repeated edge");
  }
  return problems;
}

}  // namespace diskann::graph
