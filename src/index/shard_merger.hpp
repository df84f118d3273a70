#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/threads.hpp"
#include "graph/prune.hpp"
#include "graph/space.hpp"
#include "index/spilled_rows.hpp"

namespace diskann::index {

/// Merges what the graphs of the two shards of a node found: candidates at exact distances, pruned anew; by inner
/// product, where neighbours are of two kinds, in turns (wordnet-lsa, recall@10 at L 20: 0.932, pruned 0.901). Rows of
/// the candidates of many nodes are in memory at a time.
class ShardMerger {
 public:
  ShardMerger(const ShardMap& map, const SpilledRows& rows, std::uint32_t max_degree, Distance metric, float alpha,
              std::uint64_t gathered_bytes, base::ThreadTeam& team);
  /// The graph of the next shard: of its nodes and then its guests a degree and room for max_degree nodes.
  void open(std::unique_ptr<io::ReadableFile> edges) { edges_.push_back(std::move(edges)); }

  /// The same of the nodes of a shard in `order`, by slots.
  void merge(std::size_t shard, std::span<const base::Slot> order, std::span<const base::Slot> slots,
             const Execution& execution, const std::function<void(std::span<const std::byte>)>& write);

 private:
  using Slot = base::Slot;
  /// Where the second list of a node stands.
  struct Second {
    graph::ShardCenters::Shard shard;
    std::uint32_t record;
  };
  std::vector<Second> seconds_of(std::size_t shard) const;
  void read_record(std::size_t shard, std::uint64_t record, std::vector<Slot>& out) const;
  void merge_gathered(std::span<const std::vector<Slot>> lists, std::span<const Slot> slots,
                      const std::function<void(std::span<const std::byte>)>& write);

  /// Of a list that begins with its node.
  std::uint32_t prune(unsigned thread, std::span<const Slot> list, Slot* out);

  const ShardMap& map_;
  const SpilledRows& rows_;
  std::uint32_t max_degree_;
  Distance metric_;
  base::ThreadTeam& team_;
  std::vector<std::vector<std::uint64_t>> guests_before_;  // of shard s those from shards before t: [s][t]
  std::vector<std::unique_ptr<io::ReadableFile>> edges_;
  base::RowStore gathered_;
  std::vector<float> norms_;
  std::vector<Slot> wanted_;  // nodes whose rows are gathered
  std::vector<Slot> place_;   // of each node among those, or none
  graph::KernelSpace space_;
  std::vector<graph::Pruner<graph::KernelSpace>> pruners_;  // of each thread
};

}  // namespace diskann::index
