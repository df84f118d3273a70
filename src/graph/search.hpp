#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/adjacency.hpp"
#include "diskann/index.hpp"
#include "graph/candidate_list.hpp"
#include "graph/entry_points.hpp"

namespace diskann::graph {

/// Memory of one search, reused from query to query: once warm, a search allocates nothing.
class SearchScratch {
 public:
  /// For graphs of up to `nodes` nodes and rows of up to `stride` slots.
  SearchScratch(std::size_t nodes, std::size_t stride)
      : list(stride),
        visited_((nodes + 63) / 64),
        slots_(std::max<std::size_t>(4096, visited_.size()) + stride),
        distances_(stride) {}

  CandidateList list;
  std::vector<Candidate>* path = nullptr;  ///< if given, takes what is expanded, in that order

  /// Forgets all visited slots.
  void clear() noexcept {
    if (slots_lost_) std::fill_n(visited_.data(), visited_.size(), 0);
    for (std::size_t i = 0; i < slot_count_; ++i) visited_[slots_[i] >> 6] = 0;
    slot_count_ = 0;
    slots_lost_ = false;
  }

 private:
  template <class Space>
  friend class Walk;

  base::HugeArray<std::uint64_t> visited_;
  // What was visited, the fresh ones of the hop under way last. As many as there are words of visited_: beyond that it
  // is no more work to clear all of those than to grow.
  base::HugeArray<Slot> slots_;
  std::size_t slot_count_ = 0;
  bool slots_lost_ = false;
  std::vector<float> distances_;
};

/// How wide a walk is.
struct Breadth {
  Breadth(std::size_t search_list_size, std::size_t also = 0) : window(search_list_size), kept(also) {}
  std::size_t window;  ///< the nearest candidates so far, of which each is expanded: L
  std::size_t kept;    ///< candidates that the list holds, where that is more
};

/// The search loop: a walk over the graph from the entry points towards one query, one hop at a time (greedy search of
/// the DiskANN paper with a list of L candidates). A hop is cut where memory must be waited for, so that several walks
/// can be interleaved on one thread:
///   while (walk.gather()) walk.absorb();
template <class Space>
class Walk {
 public:
  Walk() = default;
  /// Scores the entry points. All but `query` must outlive the walk, which will not see the `hidden` node.
  Walk(const Space& space, const base::Adjacency& graph, const typename Space::Query& query,
       const EntryPoints& entry_points, const Breadth& breadth, SearchScratch& scratch,
       std::optional<Slot> hidden = std::nullopt)
      : Walk(space, &graph, graph.nodes(), query, entry_points, breadth, scratch, hidden) {}
  /// Over a graph of so many nodes that is not in memory: choose() and expand() in place of gather().
  Walk(const Space& space, std::size_t nodes, const typename Space::Query& query, const EntryPoints& entry_points,
       const Breadth& breadth, SearchScratch& scratch, std::optional<Slot> hidden = std::nullopt)
      : Walk(space, nullptr, nodes, query, entry_points, breadth, scratch, hidden) {}

  /// Takes the nearest candidate that is not expanded, collects its unvisited neighbours and starts fetching them.
  /// False when all candidates in the list are expanded: the search is over.
  bool gather() {
    const CandidateList& list = scratch_->list;
    if (!list.has_unexpanded() && !go_on()) return false;
    expand(graph_->neighbors(slot_of(choose())));
    if (list.has_unexpanded()) prefetch_row(list.next_unexpanded());
    return true;
  }
  /// The first half of gather(), for graphs whose rows must be sent for: the nearest candidate that was not chosen yet.
  /// Only where has_choice().
  Candidate choose() { return choose(scratch_->list.next_place()); }
  /// The one at a place of the list, which was not chosen yet.
  Candidate choose(std::size_t place) {
    const Candidate chosen = scratch_->list.expand_at(place);
    if (scratch_->path != nullptr) scratch_->path->push_back(chosen);
    return chosen;
  }
  bool has_choice() const noexcept { return scratch_->list.has_unexpanded(); }
  /// In graphs of others there may be nodes that only some entry points lead to. A walk with room for them takes those
  /// it did not begin with; false where that brings nothing new.
  bool go_on() {
    if (scratch_->list.window_is_full()) return false;
    start_from(entry_points_->all());
    return scratch_->list.has_unexpanded();
  }
  /// The second half: collects the unvisited ones of a row of the graph and starts fetching theirs.
  void expand(std::span<const Slot> neighbors) {
    ++statistics_.hops;
    collect(neighbors);
    const Slot* fresh = this->fresh();
    const std::size_t ahead = std::max(kLeastAhead, kBytesAhead / space_->row_bytes());
    for (std::size_t i = 0; i < std::min(fresh_count_, ahead); ++i) space_->prefetch(fresh[i]);
  }

  /// Scores what gather() collected and merges what is near enough into the list.
  void absorb() {
    SearchScratch& scratch = *scratch_;
    const Slot* fresh = this->fresh();
    space_->score(query_, fresh, fresh_count_, scratch.distances_.data());
    statistics_.distance_computations += fresh_count_;
    scratch.list.merge(scratch.distances_.data(), fresh, fresh_count_);
    if (scratch.list.has_unexpanded()) prefetch_row(scratch.list.next_unexpanded());
  }

  const SearchStatistics& statistics() const noexcept { return statistics_; }

 private:
  Walk(const Space& space, const base::Adjacency* graph, std::size_t nodes, const typename Space::Query& query,
       const EntryPoints& entry_points, const Breadth& breadth, SearchScratch& scratch, std::optional<Slot> hidden)
      : space_(&space), graph_(graph), nodes_(nodes), query_(query), entry_points_(&entry_points), scratch_(&scratch) {
    scratch.clear();
    scratch.list.reset(breadth.window, breadth.kept);
    if (hidden) collect({&*hidden, 1});  // as if it had been visited
    if (scratch.path != nullptr) scratch.path->clear();
    start_from(entry_points.leaders());
    if (scratch.list.has_unexpanded()) start_from(entry_points.followers(scratch.list.next_unexpanded()));
  }

  /// Rows of a hop on their way while other walks go on: all but those that would push one another out of the cache.
  static constexpr std::size_t kLeastAhead = 8, kBytesAhead = std::size_t{12} << 10;

  void start_from(std::span<const Slot> slots) {
    const std::size_t room = scratch_->distances_.size();
    for (std::size_t begin = 0; begin < slots.size(); begin += room) {
      collect(slots.subspan(begin, std::min(room, slots.size() - begin)));
      absorb();
    }
  }
  /// Keeps the slots that were not visited before, and marks them. Without branches: which are new is a coin toss.
  /// Where slots repeat, marking the same bit again waits for the write before: the filling behind the ends of half
  /// full rows would take a quarter of a search.
  void collect(std::span<const Slot> slots) {
    SearchScratch& scratch = *scratch_;
    if (scratch.slots_.size() < scratch.slot_count_ + slots.size()) [[unlikely]] {
      scratch.slot_count_ = 0;
      scratch.slots_lost_ = true;
    }
    Slot* const fresh = scratch.slots_.data() + scratch.slot_count_;
    const std::size_t nodes = nodes_;
    std::size_t count = 0;
    for (const Slot slot : slots) {
      if (slot >= nodes) [[unlikely]]
        continue;  // a mapped file may lie
      std::uint64_t& word = scratch.visited_[slot >> 6];
      const std::uint64_t bit = std::uint64_t{1} << (slot & 63);
      fresh[count] = slot;
      count += (word & bit) == 0;
      word |= bit;
    }
    fresh_count_ = count;
    scratch.slot_count_ += count;
  }
  /// What collect() kept last.
  const Slot* fresh() const noexcept { return scratch_->slots_.data() + scratch_->slot_count_ - fresh_count_; }
  void prefetch_row(Slot node) const noexcept {
    if (graph_ == nullptr) return;
    const Slot* row = graph_->row(node);
    for (std::uint32_t i = 0; i < graph_->stride(); i += 16) {
      __builtin_prefetch(row + i);
      std::atomic_signal_fence(std::memory_order_seq_cst);
    }
  }

  const Space* space_ = nullptr;
  const base::Adjacency* graph_ = nullptr;
  std::size_t nodes_ = 0;
  typename Space::Query query_{};
  const EntryPoints* entry_points_ = nullptr;
  SearchScratch* scratch_ = nullptr;
  std::size_t fresh_count_ = 0;
  SearchStatistics statistics_;
};

/// Walks that a thread takes in turns.
inline constexpr std::size_t kWalks = 4;

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
