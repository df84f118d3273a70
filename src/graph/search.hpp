#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/adjacency.hpp"
#include "diskann/index.hpp"
#include "graph/candidate_list.hpp"

namespace diskann::graph {

/// Memory of one search, reused from query to query: once warm, a search allocates nothing.
class SearchScratch {
 public:
  /// For graphs of up to `nodes` nodes and rows of up to `stride` slots.
  SearchScratch(std::size_t nodes, std::size_t stride)
      : visited_((nodes + 63) / 64), fresh_(stride), distances_(stride), survivors_(stride) {
    touched_.reserve(4096);
  }

  CandidateList list;

  /// True the first time a slot is asked for since clear().
  bool visit(Slot slot) noexcept {
    std::uint64_t& word = visited_[slot >> 6];
    const std::uint64_t bit = std::uint64_t{1} << (slot & 63);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
  }
  void clear() noexcept {
    for (const Slot slot : touched_) visited_[slot >> 6] = 0;
    touched_.clear();
  }

 private:
  template <class Space>
  friend class Walk;

  base::HugeArray<std::uint64_t> visited_;
  std::vector<Slot> touched_;  // what clear() must take back
  std::vector<Slot> fresh_;    // unvisited neighbours of the node being expanded
  std::vector<float> distances_;
  std::vector<Candidate> survivors_;
};

/// The search loop: a walk over the graph from the entry points towards one query, one hop at a time (greedy search of
/// the DiskANN paper with a list of L candidates). A hop is cut where memory must be waited for, so that several walks
/// can be interleaved on one thread:
///   while (walk.gather()) walk.absorb();
template <class Space>
class Walk {
 public:
  Walk() = default;
  /// Scores the entry points. `scratch` and all else must outlive the walk.
  Walk(const Space& space, const base::Adjacency& graph, const typename Space::Query& query,
       std::span<const Slot> entry_points, std::size_t search_list_size, SearchScratch& scratch)
      : space_(&space), graph_(&graph), query_(query), scratch_(&scratch) {
    scratch.clear();
    scratch.list.reset(search_list_size);
    for (std::size_t begin = 0; begin < entry_points.size(); begin += scratch.fresh_.size()) {
      const std::size_t end = std::min(entry_points.size(), begin + scratch.fresh_.size());
      fresh_count_ = 0;
      for (std::size_t i = begin; i < end; ++i) collect(entry_points[i]);
      absorb();
    }
  }

  /// Takes the nearest candidate that is not expanded, collects its unvisited neighbours and starts fetching them.
  /// False when all candidates in the list are expanded: the search is over.
  bool gather() {
    CandidateList& list = scratch_->list;
    if (!list.has_unexpanded()) return false;
    const Slot node = list.expand_next();
    ++statistics_.hops;
    const Slot* row = graph_->row(node);
    const std::uint32_t stride = graph_->stride();
    fresh_count_ = 0;
    for (std::uint32_t i = 0; i < stride && row[i] != node; ++i) {
      if (row[i] < graph_->nodes()) collect(row[i]);  // a mapped file may lie
    }
    for (std::size_t i = 0; i < std::min(fresh_count_, kPrefetchRows); ++i) space_->prefetch(scratch_->fresh_[i]);
    if (list.has_unexpanded()) prefetch_row(list.next_unexpanded());
    return true;
  }

  /// Scores what gather() collected and merges what is near enough into the list.
  void absorb() {
    SearchScratch& scratch = *scratch_;
    space_->score(query_, scratch.fresh_.data(), fresh_count_, scratch.distances_.data());
    statistics_.distance_computations += fresh_count_;
    const Candidate limit = scratch.list.limit();
    std::size_t survivors = 0;
    for (std::size_t i = 0; i < fresh_count_; ++i) {
      const Candidate candidate = make_candidate(scratch.distances_[i], scratch.fresh_[i]);
      scratch.survivors_[survivors] = candidate;
      survivors += candidate < limit;
    }
    scratch.list.merge({scratch.survivors_.data(), survivors});
    if (scratch.list.has_unexpanded()) prefetch_row(scratch.list.next_unexpanded());
  }

  const SearchStatistics& statistics() const noexcept { return statistics_; }

 private:
  static constexpr std::size_t kPrefetchRows = 8;

  void collect(Slot slot) {
    SearchScratch& scratch = *scratch_;
    if (!scratch.visit(slot)) return;
    scratch.touched_.push_back(slot);
    scratch.fresh_[fresh_count_++] = slot;
  }
  void prefetch_row(Slot node) const noexcept {
    const Slot* row = graph_->row(node);
    for (std::uint32_t i = 0; i < graph_->stride(); i += 16) {
      __builtin_prefetch(row + i);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }

  const Space* space_ = nullptr;
  const base::Adjacency* graph_ = nullptr;
  typename Space::Query query_{};
  SearchScratch* scratch_ = nullptr;
  std::size_t fresh_count_ = 0;
  SearchStatistics statistics_;
};

/// Runs walks to their end, a hop of each in turn: while one waits for memory, the others compute.
template <class Space>
void run_interleaved(std::span<Walk<Space>> walks) {
  std::uint64_t active = (std::uint64_t{1} << walks.size()) - 1;
  while (active != 0) {
    for (std::size_t i = 0; i < walks.size(); ++i) {
      const std::uint64_t bit = std::uint64_t{1} << i;
      if ((active & bit) != 0 && !walks[i].gather()) active &= ~bit;
    }
    for (std::size_t i = 0; i < walks.size(); ++i)
      if ((active >> i & 1) != 0) walks[i].absorb();
  }
}

}  // namespace diskann::graph
