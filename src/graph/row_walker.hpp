#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "base/threads.hpp"
#include "graph/search.hpp"

namespace diskann::graph {

/// Walks to many stored rows on up to 16 threads, a few in turns on each. Its memory, as of so many threads that
/// search, is kept from call to call.
template <class Space>
class RowWalker {
 public:
  /// All must outlive it. Walks see what the graph is when they begin.
  RowWalker(const Space& space, const base::Adjacency& graph, const EntryPoints& entry_points,
            std::size_t search_list_size, base::ThreadTeam& team)
      : space_(space), graph_(graph), entry_points_(entry_points), search_list_size_(search_list_size), team_(team) {
    workers_.resize(std::min<std::size_t>(team.threads(), kMostWorkers));
  }

  /// Calls visit(i, query, found) for every row: the query of rows[i] and the list that its walk ended with, on any
  /// thread.
  template <class Visit>
  void walk_to(std::span<const Slot> rows, const Visit& visit) {
    team_.run(workers_.size(), 1, [&](unsigned, std::uint64_t which, std::uint64_t) {
      for (std::size_t first = which * kWalks; first < rows.size(); first += workers_.size() * kWalks) {
        if (workers_[which] == nullptr) workers_[which] = std::make_unique<Worker>(space_, graph_);
        walk_to(rows, first, std::min(first + kWalks, rows.size()), *workers_[which], visit);
      }
    });
  }

 private:
  static constexpr std::size_t kMostWorkers = 16;

  struct Worker {
    Worker(const Space& space, const base::Adjacency& graph) {
      for (std::size_t i = 0; i < kWalks; ++i) {
        scratch.emplace_back(graph.nodes(), graph.stride());
        buffers.emplace_back(space.rows().dimension);
      }
    }
    std::vector<SearchScratch> scratch;
    std::vector<typename Space::Buffer> buffers;
    std::vector<typename Space::Query> queries;
    std::vector<Walk<Space>> walks;
  };

  template <class Visit>
  void walk_to(std::span<const Slot> rows, std::size_t begin, std::size_t end, Worker& worker, const Visit& visit) {
    worker.queries.clear();
    worker.walks.clear();
    for (std::size_t i = begin; i < end; ++i) {
      worker.queries.push_back(space_.stored_query(rows[i], worker.buffers[i - begin]));
      worker.walks.emplace_back(space_, graph_, worker.queries.back(), entry_points_, search_list_size_,
                                worker.scratch[i - begin]);
    }
    run_interleaved<Space>(worker.walks);
    for (std::size_t i = begin; i < end; ++i)
      visit(i, worker.queries[i - begin], worker.scratch[i - begin].list.entries());
  }

  const Space& space_;
  const base::Adjacency& graph_;
  const EntryPoints& entry_points_;
  std::size_t search_list_size_;
  base::ThreadTeam& team_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace diskann::graph
