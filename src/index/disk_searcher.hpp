#pragma once

#include <memory>
#include <span>
#include <vector>

#include "diskann/disk_index.hpp"
#include "graph/code_space.hpp"
#include "graph/search.hpp"
#include "index/disk_lanes.hpp"
#include "index/record_pages.hpp"
#include "index/searcher.hpp"

namespace diskann::index {

/// Answers queries over a graph whose nodes are read from a drive: the walk of graph/search.hpp, with several of its
/// expansions under way.
class DiskSearcher {
 public:
  /// The state must outlive it.
  explicit DiskSearcher(const DiskIndex::State& state);

  std::size_t search(const VectorView& query, std::span<Hit> hits, const Reach& reach, std::size_t beam_width,
                     DiskStatistics* statistics) const;
  std::uint64_t cache_bytes() const noexcept { return space_.cache.bytes(); }
  void search_batch(const VectorView& queries, const Reach& reach, std::size_t beam_width, const Execution& execution,
                    SearchResults& results, DiskStatistics* statistics) const;

 private:
  graph::EntryPoints read_entry_points() const;
  NodeCache read_cache() const;
  std::vector<base::Slot> levels(std::size_t count) const;
  template <class F>
  void read_edges(std::span<const base::Slot> nodes, const F& f) const;
  /// Reads units of pages; f(i, the bytes of unit_of(i)), in any order.
  template <class UnitOf, class F>
  void read_units(std::size_t count, const UnitOf& unit_of, const RecordPages& pages, std::uint64_t at,
                  const F& f) const;
  /// The same for the units that nodes stand in; f(i, the record of nodes[i]).
  template <class F>
  void read_records(std::span<const base::Slot> nodes, const RecordPages& pages, std::uint64_t at, const F& f) const;
  DiskSearch search_for(const Reach& reach, std::size_t k, std::size_t beam_width, bool single) const noexcept;
  std::vector<graph::Candidate> scan(const VectorView& query, DiskStatistics& statistics) const;
  std::size_t take_hits(const VectorView& query, std::span<const graph::Candidate> sorted, std::span<Hit> hits,
                        std::vector<Hit>& scratch, DiskStatistics& statistics) const;

  const DiskIndex::State& state_;
  DiskSpace space_;
  std::unique_ptr<ScratchPool<DiskLanes>> pool_;
};

}  // namespace diskann::index
