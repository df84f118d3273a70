#include "index/spilled_graph.hpp"

#include <algorithm>
#include <map>

#include "distance/kernels.hpp"
#include "graph/prune.hpp"
#include "graph/reachability.hpp"
#include "graph/space.hpp"
#include "index/page_order.hpp"
#include "index/row_graph.hpp"
#include "index/shard_merger.hpp"

namespace diskann::index {
namespace {

using base::Slot;

constexpr const char* kEdges = "edges";      // of the nodes and guests of a shard, by nodes
constexpr const char* kOrder = "order";      // in which nodes of a shard stand
constexpr const char* kMerged = "merged";    // edges of the nodes of a shard, by slots
constexpr const char* kReached = "reached";  // what of those is changed: slots, and their records

std::span<const std::byte> bytes_of(std::span<const Slot> values) { return std::as_bytes(values); }

/// Returns the file.
std::unique_ptr<io::ReadableFile> read_slots(const io::SpillDirectory& spill, const std::string& name,
                                             std::uint64_t count, std::vector<Slot>& slots) {
  slots.resize(count);
  auto file = spill.open(name);
  if (count > 0) file->read(0, std::as_writable_bytes(std::span(slots)));
  return file;
}

/// In which order the first `nodes` of a graph stand: page_order.hpp, by the edges among them.
std::vector<Slot> order_of_own(const base::Adjacency& graph, std::size_t nodes, std::size_t records,
                               const Execution& execution) {
  constexpr std::uint32_t kNear = 16;  // more than that looks at
  base::Adjacency own(nodes, kNear);
  std::vector<Slot> near;
  for (std::size_t i = 0; i < nodes; ++i) {
    near.clear();
    for (const Slot neighbor : graph.neighbors(static_cast<Slot>(i)))
      if (neighbor < nodes && near.size() < kNear) near.push_back(neighbor);
    own.assign(static_cast<Slot>(i), near);
  }
  return order_for_pages(own, records, execution);
}

}  // namespace

void SpilledGraph::build_shards(const Shape& shape, base::ThreadTeam& team, const Execution& execution) const {
  Execution quiet = execution;
  quiet.progress = nullptr;
  base::ProgressMeter progress(execution, "build shards", map_.shards());
  for (std::size_t shard = 0; shard < map_.shards(); ++shard) {
    base::check_cancelled(execution.cancel);
    if (!spill_.has(spill_name(kOrder, shard))) build_shard(shard, shape, team, quiet);
    progress.add(1);
  }
}

void SpilledGraph::build_shard(std::size_t shard, const Shape& shape, base::ThreadTeam& team,
                               const Execution& execution) const {
  const std::vector<Slot> guests = map_.guests(shard);
  const std::uint64_t own = map_.nodes_of(shard);
  base::Adjacency graph;
  if (own + guests.size() > 0) {
    base::RowStore rows = rows_.load(shard, guests);
    const std::vector<float> norms = norms_of(shape.metric, rows, team);
    graph = build_row_graph(
                rows, norms, shape.metric, shape.parameters, [&](bool) { return shape.builder; }, team, execution)
                .adjacency;
  }
  base::trim_heap();
  const auto node_of = [&](Slot member) {
    return member < own ? static_cast<Slot>(map_.starts[shard] + member) : guests[member - own];
  };
  spill_.put(spill_name(kEdges, shard), [&](const io::SpillDirectory::Sink& write) {
    std::vector<Slot> record(record_slots());
    for (std::size_t member = 0; member < graph.nodes(); ++member) {
      const std::span<const Slot> neighbors = graph.neighbors(static_cast<Slot>(member));
      std::fill(record.begin(), record.end(), 0);
      record[0] = static_cast<Slot>(neighbors.size());
      std::transform(neighbors.begin(), neighbors.end(), record.begin() + 1, node_of);
      write(bytes_of(record));
    }
  });
  spill_.put(spill_name(kOrder, shard), bytes_of(order_of_own(graph, own, shape.records, execution)));
}

std::vector<Slot> SpilledGraph::order_of(std::size_t shard) const {
  std::vector<Slot> order;
  const auto file = read_slots(spill_, spill_name(kOrder, shard), map_.nodes_of(shard), order);
  std::vector<bool> seen(order.size());
  for (const Slot node : order) {
    if (node >= seen.size() || seen[node]) fail_spilled(*file);
    seen[node] = true;
  }
  return order;
}

std::vector<Slot> SpilledGraph::nodes_of_slots() const {
  std::vector<Slot> nodes(map_.nodes());
  for (std::size_t shard = 0; shard < map_.shards(); ++shard) {
    const std::vector<Slot> order = order_of(shard);
    for (std::size_t i = 0; i < order.size(); ++i)
      nodes[map_.starts[shard] + i] = static_cast<Slot>(map_.starts[shard] + order[i]);
  }
  return nodes;
}

std::vector<Slot> SpilledGraph::slots_of_nodes() const {
  std::vector<Slot> slots(map_.nodes());
  for (std::size_t shard = 0; shard < map_.shards(); ++shard) {
    const std::vector<Slot> order = order_of(shard);
    for (std::size_t i = 0; i < order.size(); ++i)
      slots[map_.starts[shard] + order[i]] = static_cast<Slot>(map_.starts[shard] + i);
  }
  return slots;
}

void SpilledGraph::merge_shards(const Shape& shape, base::ThreadTeam& team, const Execution& execution) {
  std::size_t merged = 0;
  while (merged < map_.shards() && spill_.has(spill_name(kMerged, merged))) ++merged;
  if (merged < map_.shards()) merge_from(merged, shape, team, execution);
  for (std::size_t shard = 0; shard < map_.shards(); ++shard)
    if (spill_.has(spill_name(kEdges, shard))) spill_.remove(spill_name(kEdges, shard));
  open_merged();
}

void SpilledGraph::merge_from(std::size_t merged, const Shape& shape, base::ThreadTeam& team,
                              const Execution& execution) const {
  const std::vector<Slot> slots = slots_of_nodes();
  ShardMerger merger(map_, rows_, max_degree_, shape.metric, shape.parameters.alpha, shape.gathered_bytes, team);
  for (std::size_t shard = 0; shard < map_.shards(); ++shard) merger.open(spill_.open(spill_name(kEdges, shard)));
  base::ProgressMeter progress(execution, "merge shards", map_.shards() - merged);
  for (std::size_t shard = merged; shard < map_.shards(); ++shard) {
    spill_.put(spill_name(kMerged, shard), [&](const io::SpillDirectory::Sink& write) {
      merger.merge(shard, order_of(shard), slots, execution, write);
    });
    progress.add(1);
  }
}

void SpilledGraph::open_merged() {
  merged_.clear();
  for (std::size_t shard = 0; shard < map_.shards(); ++shard)
    merged_.push_back(spill_.open(spill_name(kMerged, shard)));
}

std::size_t SpilledGraph::shard_of(Slot slot) const noexcept {
  return static_cast<std::size_t>(std::upper_bound(map_.starts.begin(), map_.starts.end(), slot) -
                                  map_.starts.begin()) -
         1;
}

std::span<const Slot> SpilledGraph::neighbors(Slot slot, std::vector<Slot>& room) const {
  room.resize(record_slots());
  const std::size_t shard = shard_of(slot);
  merged_[shard]->read((slot - map_.starts[shard]) * record_slots() * sizeof(Slot),
                       std::as_writable_bytes(std::span(room)));
  return neighbors_in(room, map_.nodes(), *merged_[shard]);
}

void SpilledGraph::read_edges(std::size_t shard, std::vector<Slot>& records) const {
  const auto file = read_slots(spill_, spill_name(kMerged, shard), map_.nodes_of(shard) * record_slots(), records);
  for (std::size_t at = 0; at < records.size(); at += record_slots())
    (void)neighbors_in(std::span(records).subspan(at, record_slots()), map_.nodes(), *file);
}

namespace {

/// A graph on a drive, of which some rows are changed in memory.
class ChangedGraph {
 public:
  ChangedGraph(const SpilledGraph& graph, const Execution& execution) : graph_(graph), execution_(execution) {}
  std::span<const Slot> neighbors(Slot slot) {
    if (++read_ % 4096 == 0) base::check_cancelled(execution_.cancel);
    const auto changed = changed_.find(slot);
    return changed != changed_.end() ? std::span<const Slot>(changed->second) : graph_.neighbors(slot, room_);
  }
  void put(Slot slot, std::size_t place, Slot neighbor) {
    const std::span<const Slot> there = neighbors(slot);
    std::vector<Slot> row(there.begin(), there.end());
    row.resize(std::max(row.size(), place + 1));
    row[place] = neighbor;
    changed_[slot] = std::move(row);
  }
  const std::map<Slot, std::vector<Slot>>& changed() const noexcept { return changed_; }

 private:
  const SpilledGraph& graph_;
  const Execution& execution_;
  std::map<Slot, std::vector<Slot>> changed_;
  std::vector<Slot> room_;
  std::size_t read_ = 0;
};

}  // namespace

std::size_t SpilledGraph::make_reachable(Slot entry, const Execution& execution) {
  if (spill_.has(kReached)) return patch();  // whoever was killed knew which edges, and may have put some
  ChangedGraph graph(*this, execution);
  const auto neighbors_of = [&](Slot slot) { return graph.neighbors(slot); };
  graph::Reachability reach(map_.nodes());
  reach.flood(entry, entry, neighbors_of);
  std::size_t spare = 0;
  for (Slot slot = 0; slot < map_.nodes() && reach.nodes().size() < map_.nodes(); ++slot) {
    if (reach.reached(slot)) continue;
    const auto takes = [&](Slot host) {
      const auto place = reach.place_in(host, graph.neighbors(host), max_degree_);
      if (place) graph.put(host, *place, slot);
      return place.has_value();
    };
    // Those that it is near to, where they are reached; else any: what it reaches then is reached as well.
    const std::span<const Slot> near = graph.neighbors(slot);
    const std::vector<Slot> hosts(near.begin(), near.end());
    const auto host = std::find_if(hosts.begin(), hosts.end(),
                                   [&](Slot candidate) { return reach.reached(candidate) && takes(candidate); });
    while (host == hosts.end() && !takes(reach.nodes()[spare])) ++spare;
    reach.flood(slot, host != hosts.end() ? *host : reach.nodes()[spare], neighbors_of);
  }
  std::vector<Slot> patches;
  for (const auto& [slot, neighbors] : graph.changed()) {
    patches.push_back(slot);
    patches.push_back(static_cast<Slot>(neighbors.size()));
    patches.insert(patches.end(), neighbors.begin(), neighbors.end());
    patches.resize(base::round_up(patches.size(), record_slots() + 1));
  }
  spill_.put(kReached, bytes_of(patches));
  return patch();
}

std::size_t SpilledGraph::patch() {
  const std::size_t length = record_slots() + 1;
  std::vector<Slot> patches, edges;
  const auto file = read_slots(spill_, kReached, spill_.open(kReached)->size() / sizeof(Slot), patches);
  for (std::size_t at = 0; at + length <= patches.size(); at += length)
    if (patches[at] >= map_.nodes()) fail_spilled(*file);
  for (std::size_t at = 0; at + length <= patches.size();) {
    const std::size_t shard = shard_of(patches[at]);
    read_edges(shard, edges);
    for (; at + length <= patches.size() && shard_of(patches[at]) == shard; at += length) {
      const Slot* const patch = patches.data() + at;
      std::copy(patch + 1, patch + length, edges.data() + (patch[0] - map_.starts[shard]) * record_slots());
    }
    spill_.put(spill_name(kMerged, shard), bytes_of(edges));
  }
  if (!patches.empty()) open_merged();
  return patches.size() / length;
}

}  // namespace diskann::index
