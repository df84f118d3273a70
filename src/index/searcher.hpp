#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/adjacency.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/code_space.hpp"
#include "graph/search.hpp"
#include "graph/space.hpp"
#include "index/point_table.hpp"
#include "index/probes.hpp"
#include "index/rerank_rule.hpp"

namespace diskann::index {

/// Scratch objects shared by threads: each is used by one at a time and kept for the next.
template <class Scratch>
class ScratchPool {
 public:
  template <class Make>
  std::unique_ptr<Scratch> take(const Make& make) {
    {
      std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        auto scratch = std::move(free_.back());
        free_.pop_back();
        return scratch;
      }
    }
    return make();
  }
  void give_back(std::unique_ptr<Scratch> scratch) {
    std::lock_guard lock(mutex_);
    free_.push_back(std::move(scratch));
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Scratch>> free_;
};

/// How far a search looks.
struct Reach {
  std::size_t list_size;  ///< candidates of the walk
  std::size_t kept;       ///< candidates that walks by codes hold for the comparison with rows, where that is more
  double spreads = RerankRule::kSpreads;  ///< of which comparing goes on as long as the rule says
};

/// Answers queries over one graph: prepares them, walks, and turns nodes into hits.
template <class Space>
class Searcher {
 public:
  /// All references must outlive the searcher.
  Searcher(Space space, const base::Adjacency& graph, std::span<const Slot> entry_points, const PointTable& points)
      : space_(std::move(space)), graph_(&graph), entry_points_(space_, entry_points), points_(&points) {}

  std::size_t search(const VectorView& query, std::span<Hit> hits, const Reach& reach,
                     SearchStatistics* statistics) const;
  void search_batch(const VectorView& queries, const Reach& reach, const Execution& execution, SearchResults& results,
                    SearchStatistics* statistics) const;
  /// Walks to every probe.
  /// `alone`: by codes that are to be kept without the rows, so that the first ones of a list are the hits.
  ListTrial try_list(const Probes& probes, const Reach& reach, bool alone, base::ThreadTeam& team) const;
  std::vector<Hit> range_search(const VectorView& query, float radius, std::size_t list_size) const;
  void distances(const VectorView& query, std::span<const Slot> nodes, std::span<float> out) const;

 private:
  struct Scratch {
    explicit Scratch(const Searcher& searcher);
    graph::SearchScratch& walk_scratch(std::size_t i);
    /// Walks to a few queries to the end, each with a node that it may not see, if any.
    void walk(const VectorView& queries, const graph::Breadth& breadth, const Slot* hidden);
    const graph::CandidateList& list(std::size_t i) const { return walk_scratches[i].list; }

    typename Space::Buffer buffers[graph::kWalks];
    typename Space::Query queries[graph::kWalks];
    std::vector<graph::SearchScratch> walk_scratches;  // made as needed: single queries need one
    std::vector<graph::Walk<Space>> walks;
    std::vector<Hit> hits;
    std::vector<graph::Candidate> all;  // of a scan, or of a list with exact distances
    std::vector<Slot> slots;            // of such a list
    std::vector<float> distances, nearest;
    const Searcher* searcher;
  };
  class Lease;

  /// List that is sure to hold `k` points, if nodes stand for at least one point each.
  std::size_t list_size_for(std::size_t list_size, std::size_t k) const noexcept;
  graph::Breadth breadth_for(const Reach& reach, std::size_t k) const noexcept;
  void compare_exactly(std::span<const graph::Candidate> entries, const typename Space::Query& query,
                       Scratch& scratch) const;
  std::span<const graph::Candidate> rerank(const graph::CandidateList& list, std::size_t k,
                                           const typename Space::Query& query, Scratch& scratch) const;
  void prefetch_hits(std::size_t walk, std::size_t k, const Scratch& scratch) const noexcept;
  std::size_t worth_comparing(std::span<const graph::Candidate> entries, std::size_t k, double spreads,
                              Scratch& scratch) const;
  std::size_t take_hits(std::size_t walk, std::span<Hit> hits, Scratch& scratch, SearchStatistics& statistics) const;
  void show(std::span<Hit> hits) const;
  std::size_t nearest_of(std::span<const graph::Candidate> sorted, std::span<Hit> hits, Scratch& scratch) const;
  std::span<const graph::Candidate> scan(const typename Space::Query& query, Scratch& scratch) const;

  Space space_;
  const base::Adjacency* graph_;
  graph::EntryPoints entry_points_;
  const PointTable* points_;
  std::unique_ptr<ScratchPool<Scratch>> pool_ = std::make_unique<ScratchPool<Scratch>>();
};

extern template class Searcher<graph::KernelSpace>;
extern template class Searcher<graph::CodeSpace>;
extern template class Searcher<graph::LoneCodeSpace>;
extern template class Searcher<graph::CustomSpace>;

}  // namespace diskann::index
