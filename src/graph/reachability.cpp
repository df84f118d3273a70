#include "graph/reachability.hpp"

#include <algorithm>

#include "graph/search.hpp"

namespace diskann::graph {

void Reachability::flood(Slot node, Slot parent) {
  if (reached(node)) return;
  parent_[node] = parent;
  queue_.assign(1, node);
  for (std::size_t head = 0; head < queue_.size(); ++head) {
    ++reached_;
    for (const Slot neighbor : graph_->neighbors(queue_[head])) {
      if (neighbor >= graph_->nodes() || reached(neighbor)) continue;
      parent_[neighbor] = queue_[head];
      queue_.push_back(neighbor);
    }
  }
}

namespace {

/// Puts an edge host -> node into the row without cutting anybody off; false where the row has no such place.
bool link(base::Adjacency& graph, const Reachability& reach, std::uint32_t max_degree, Slot host, Slot node) {
  Slot* row = graph.mutable_row(host);
  const std::uint32_t degree = graph.degree(host);
  if (degree < max_degree) {
    row[degree] = node;
    return true;
  }
  for (std::uint32_t i = degree; i-- > 0;) {  // the farthest first
    if (reach.is_tree_edge(host, row[i])) continue;
    row[i] = node;
    return true;
  }
  return false;
}

}  // namespace

template <class Space>
std::size_t make_reachable(const Space& space, base::Adjacency& graph, std::uint32_t max_degree,
                           std::span<const Slot> entry_points) {
  Reachability reach(graph);
  for (const Slot entry : entry_points) reach.flood(entry, entry);
  if (reach.count() == graph.nodes()) return 0;

  constexpr std::size_t kHosts = 64;
  SearchScratch scratch(graph.nodes(), graph.stride());
  const Space hosts = space.neighborhood();
  const EntryPoints starts(entry_points);
  typename Space::Buffer buffer(space.rows().dimension);
  std::size_t added = 0;
  Slot spare = 0;  // everything before it has no place left
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const auto node = static_cast<Slot>(i);
    if (reach.reached(node)) continue;
    Walk<Space> walk(hosts, graph, hosts.stored_query(node, buffer), starts, kHosts, scratch);
    while (walk.gather()) walk.absorb();
    // Candidates of a walk are reached, by construction.
    Slot host = node;
    for (const Candidate candidate : scratch.list.entries()) {
      if (!link(graph, reach, max_degree, slot_of(candidate), node)) continue;
      host = slot_of(candidate);
      break;
    }
    while (host == node && spare < graph.nodes()) {
      // A tree over the reached nodes has fewer edges than they have places, so one is found.
      if (reach.reached(spare) && link(graph, reach, max_degree, spare, node))
        host = spare;
      else
        ++spare;
    }
    reach.flood(node, host);
    ++added;
  }
  return added;
}

template std::size_t make_reachable(const KernelSpace&, base::Adjacency&, std::uint32_t, std::span<const Slot>);
template std::size_t make_reachable(const CustomSpace&, base::Adjacency&, std::uint32_t, std::span<const Slot>);

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
  Reachability reach(graph);
  for (const Slot entry : entry_points) reach.flood(entry, entry);
  statistics.unreachable = graph.nodes() - reach.count();
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
