#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "diskann/disk_index.hpp"
#include "graph/code_space.hpp"
#include "graph/search.hpp"
#include "index/node_cache.hpp"
#include "index/searcher.hpp"

namespace diskann::index {

/// What all walks over an index on a drive share.
struct DiskSpace {
  const DiskIndex::State& state;
  graph::LoneCodeSpace codes;
  graph::EntryPoints entry_points;
  NodeCache cache;
};

/// How the queries of one call are searched.
struct DiskSearch {
  std::size_t k = 1;  ///< nodes whose points are looked for
  graph::Breadth breadth{1};
  double spreads = RerankRule::kSpreads;
  bool whole_list = false;     ///< walks go through all of it, whatever the spread of codes says
  std::size_t beam_width = 0;  ///< as DiskSearchParameters says
  bool single = false;         ///< one query, which is to take as little time as it can
};

/// Throws Corrupt.
[[noreturn]] void fail_node(const DiskIndex::State& state, Slot node, const std::string& what);

/// Queries that a thread answers in turns: the walks of graph/search.hpp, each with several expansions under way, and
/// the reads of all of them.
class DiskLanes {
 public:
  /// Queries in turns.
  static constexpr std::size_t kLanes = 8;
  using Finish = std::function<void(std::size_t number, std::span<const graph::Candidate> sorted)>;

  /// The space must outlive it.
  explicit DiskLanes(const DiskSpace& space);
  ~DiskLanes();

  /// Answers all queries, and calls `finish` with what was compared with each, by exact distances. After an exception
  /// it is of no more use: reads may be under way.
  void run(const VectorView& queries, const DiskSearch& search, DiskStatistics& statistics, const Finish& finish);

 private:
  class Work;
  std::unique_ptr<Work> work_;
};

}  // namespace diskann::index
