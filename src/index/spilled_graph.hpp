#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "index/spilled_rows.hpp"

namespace diskann::index {

/// A graph whose nodes stand shard by shard on a drive, as they will in pages: what is known of the order of shards
/// that have been built, and the edges of those that have been merged. Nodes are called by slots here: places in that
/// order.
class SpilledGraph {
 public:
  SpilledGraph(const io::SpillDirectory& spill, const ShardMap& map, const SpilledRows& rows, std::uint32_t max_degree)
      : spill_(spill), map_(map), rows_(rows), max_degree_(max_degree) {}

  /// How graphs of shards are built.
  struct Shape {
    Distance metric = Distance::L2;
    BuildParameters parameters;
    GraphBuilder builder = GraphBuilder::Incremental;
    std::size_t records = 1;           ///< nodes of a page
    std::uint64_t gathered_bytes = 0;  ///< rows that merging may hold
  };
  /// Builds what is not there yet of each shard: the graph of its nodes and guests, and in which order nodes stand.
  void build_shards(const Shape& shape, base::ThreadTeam& team, const Execution& execution) const;
  /// Merges, of each shard that was not merged yet, what its nodes' two shards found, by pruning that anew.
  void merge_shards(const Shape& shape, base::ThreadTeam& team, const Execution& execution);
  /// Gives nodes that no walk from `entry` reaches an edge; returns how many rows that changed.
  std::size_t make_reachable(base::Slot entry, const Execution& execution);

  /// Once shards are built: the slot of a node, and back.
  std::vector<base::Slot> slots_of_nodes() const;
  std::vector<base::Slot> nodes_of_slots() const;
  /// Once they are merged: neighbours of a slot, as slots. Safe from several threads.
  std::span<const base::Slot> neighbors(base::Slot slot, std::vector<base::Slot>& room) const;
  /// The graph of a shard: its records, in place of what `records` holds.
  void read_edges(std::size_t shard, std::vector<base::Slot>& records) const;
  /// Slots of a record: the degree, and room for neighbours.
  std::size_t record_slots() const noexcept { return std::size_t{max_degree_} + 1; }

 private:
  std::vector<base::Slot> order_of(std::size_t shard) const;
  void build_shard(std::size_t shard, const Shape& shape, base::ThreadTeam& team, const Execution& execution) const;
  std::size_t shard_of(base::Slot slot) const noexcept;
  void merge_from(std::size_t merged, const Shape& shape, base::ThreadTeam& team, const Execution& execution) const;
  std::size_t patch();
  void open_merged();

  const io::SpillDirectory& spill_;
  const ShardMap& map_;
  const SpilledRows& rows_;
  std::uint32_t max_degree_;
  std::vector<std::unique_ptr<io::ReadableFile>> merged_;
};

}  // namespace diskann::index
