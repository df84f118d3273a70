#include "graph/build_incremental.hpp"

#include <algorithm>
#include <iterator>
#include <memory>
#include <type_traits>

#include "base/random.hpp"
#include "graph/partition.hpp"
#include "graph/prune.hpp"
#include "graph/reachability.hpp"
#include "graph/search.hpp"

namespace diskann::graph {
namespace {

template <class Space>
class IncrementalBuilder {
 public:
  IncrementalBuilder(const Space& space, std::vector<Slot> entry_points, const BuildParameters& parameters,
                     base::ThreadTeam& team, const Execution& execution)
      : space_(space),
        parameters_(parameters),
        team_(team),
        execution_(execution),
        nodes_(space.rows().rows),
        graph_(nodes_, growing_row_slots(parameters.max_degree)),
        entry_points_(std::move(entry_points)),
        degrees_(nodes_),
        bins_(team.threads()) {
    for (unsigned thread = 0; thread < team.threads(); ++thread)
      workers_.push_back(std::make_unique<Worker>(space, nodes_, graph_.stride(), parameters));
  }

  Graph run() && {
    insert_all();
    trim();
    workers_.clear();  // before others like them take their memory
    base::Adjacency graph = std::move(graph_);
    graph.set_stride(row_slots(parameters_.max_degree));
    // From the medoid alone: Microsoft's files hold one start, and the other entry points are there for speed.
    make_reachable(space_, graph, parameters_.max_degree, std::span(entry_points_).first(1), team_);
    return {std::move(graph), std::move(entry_points_)};
  }

 private:
  struct Worker {
    Worker(const Space& space, std::size_t nodes, std::uint32_t stride, const BuildParameters& parameters)
        : pruner(space, parameters.max_degree, parameters.alpha), paths(kWalks), pruned(parameters.max_degree) {
      for (std::size_t i = 0; i < kWalks; ++i) {
        scratch.emplace_back(nodes, stride).path = &paths[i];
        buffers.emplace_back(space.rows().dimension);
      }
    }
    Pruner<Space> pruner;
    std::vector<std::vector<Candidate>> paths;
    std::vector<SearchScratch> scratch;
    std::vector<typename Space::Buffer> buffers;
    std::vector<Walk<Space>> walks;
    std::vector<Candidate> candidates;
    std::vector<Slot> neighbors, pruned;
  };
  struct Edge {
    Slot target, source;
    friend auto operator<=>(const Edge&, const Edge&) = default;
  };

  std::span<Slot> neighbors(Slot node) noexcept { return {graph_.mutable_row(node), degrees_[node]}; }
  void set_neighbors(Slot node, std::span<const Slot> slots) {
    graph_.assign(node, slots);
    degrees_[node] = static_cast<std::uint16_t>(slots.size());
  }

  void insert_all() {
    std::vector<Slot> order = insertion_order();
    sort_batches(order);
    base::ProgressMeter progress(execution_, "build graph", nodes_);
    std::size_t started = 0;
    for (std::size_t done = 1; done < nodes_;) {
      const std::size_t count = batch_size(done);
      if (const std::size_t ready = std::min(done, entry_points_.size()); ready > started) {
        starts_ = ready < entry_points_.size() ? EntryPoints(std::span(entry_points_).first(ready))
                                               : EntryPoints(space_, entry_points_);
        started = ready;
      }
      const std::span<const Slot> batch(order.data() + done, count);
      team_.run(count, 16, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
        insert(*workers_[thread], batch.subspan(begin, end - begin));
        progress.add(end - begin);
      });
      add_reverse_edges(batch);
      done += count;
    }
  }

  /// The entry points, then all others at random.
  std::vector<Slot> insertion_order() const {
    std::vector<Slot> order = entry_points_;
    std::vector<bool> taken(nodes_);
    for (const Slot entry : entry_points_) taken[entry] = true;
    for (std::size_t i = 0; i < nodes_; ++i)
      if (!taken[i]) order.push_back(static_cast<Slot>(i));
    base::Random random(parameters_.seed);
    for (std::size_t i = nodes_; i > entry_points_.size() + 1; --i)
      std::swap(order[i - 1], order[entry_points_.size() + random.below(i - entry_points_.size())]);
    return order;
  }

  /// How many points are inserted at once into a graph of so many.
  std::size_t batch_size(std::size_t done) const noexcept {
    return std::min({done, std::max<std::size_t>(64, nodes_ / 50), nodes_ - done});
  }

  /// Within a batch points that lie near one another come one after the other, so that their walks meet what is in
  /// cache already. The graph is the same: no point of a batch sees the others.
  void sort_batches(std::vector<Slot>& order) const {
    if constexpr (std::is_same_v<Space, KernelSpace>) {
      Partitioner partitioner(space_, {{1, 1}, 1024}, team_);
      partitioner.carve_all(base::mix(parameters_.seed), execution_);
      std::vector<Slot> places(nodes_);
      for (std::size_t i = 0; i < nodes_; ++i) places[partitioner.order()[i]] = static_cast<Slot>(i);
      for (std::size_t done = 1; done < nodes_; done += batch_size(done)) {
        const auto begin = order.begin() + static_cast<std::ptrdiff_t>(done);
        std::sort(begin, begin + static_cast<std::ptrdiff_t>(batch_size(done)),
                  [&](Slot a, Slot b) { return places[a] < places[b]; });
      }
    }
  }

  /// Searches for each point and gives it its pruned neighbours. No walk can meet a point of the batch, since nothing
  /// points to it yet: so rows are written while others search.
  void insert(Worker& worker, std::span<const Slot> points) {
    for (std::size_t begin = 0; begin < points.size(); begin += kWalks) {
      const std::size_t count = std::min(kWalks, points.size() - begin);
      worker.walks.clear();
      for (std::size_t i = 0; i < count; ++i) {
        worker.walks.emplace_back(space_, graph_, space_.stored_query(points[begin + i], worker.buffers[i]), starts_,
                                  parameters_.search_list_size, worker.scratch[i]);
      }
      run_interleaved<Space>(worker.walks);
      for (std::size_t i = 0; i < count; ++i) {
        take_candidates(worker, worker.scratch[i]);
        const std::uint32_t degree = worker.pruner.prune(points[begin + i], worker.candidates, worker.pruned.data());
        set_neighbors(points[begin + i], {worker.pruned.data(), degree});
      }
    }
  }

  /// What a walk found: its list, and what it expanded on the way but lost from the list. Where near points occlude one
  /// another and leave room, as in tight clusters, these are the edges that lead from cluster to cluster (5,000
  /// clusters, 100,000 x 32, distances a query at recall@10 0.99: 211 instead of 322).
  static void take_candidates(Worker& worker, const SearchScratch& found) {
    worker.candidates.clear();
    for (const Candidate candidate : found.list.entries()) worker.candidates.push_back(candidate & ~kExpanded);
    const Candidate limit = found.list.limit();
    const auto listed = static_cast<std::ptrdiff_t>(worker.candidates.size());
    std::copy_if(found.path->begin(), found.path->end(), std::back_inserter(worker.candidates),
                 [&](Candidate candidate) { return candidate > limit; });
    std::sort(worker.candidates.begin() + listed, worker.candidates.end());
  }

  /// Edges back from the neighbours of a batch, grouped by target; a row is pruned only when it overflows its slack.
  void add_reverse_edges(std::span<const Slot> batch) {
    const std::size_t bins = std::clamp<std::size_t>(batch.size() * parameters_.max_degree / 4096, 1, 1024);
    for (auto& of_thread : bins_) of_thread.resize(bins);
    team_.run(batch.size(), 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t i = begin; i < end; ++i) {
        for (const Slot target : neighbors(batch[i]))
          bins_[thread][std::uint64_t{target} * bins / nodes_].push_back({target, batch[i]});
      }
    });
    team_.run(bins, 1, [&](unsigned thread, std::uint64_t bin, std::uint64_t) {
      std::vector<Edge> edges;
      for (auto& of_thread : bins_) {
        edges.insert(edges.end(), of_thread[bin].begin(), of_thread[bin].end());
        of_thread[bin].clear();
      }
      std::sort(edges.begin(), edges.end());  // whichever thread found an edge
      for (auto first = edges.begin(); first != edges.end();) {
        auto last = first;
        while (last != edges.end() && last->target == first->target) ++last;
        add_sources(*workers_[thread], {first, last});
        first = last;
      }
    });
  }

  void add_sources(Worker& worker, std::span<const Edge> edges) {
    const Slot target = edges.front().target;
    const std::span<const Slot> old = neighbors(target);
    worker.neighbors.assign(old.begin(), old.end());
    for (const Edge& edge : edges)
      if (std::find(old.begin(), old.end(), edge.source) == old.end()) worker.neighbors.push_back(edge.source);
    if (worker.neighbors.size() > graph_.stride()) prune_neighbors(worker, target);
    set_neighbors(target, worker.neighbors);
  }

  void prune_neighbors(Worker& worker, Slot node) {
    sort_neighbors(worker, node);
    const std::uint32_t degree = worker.pruner.prune(node, worker.candidates, worker.pruned.data());
    worker.neighbors.assign(worker.pruned.data(), worker.pruned.data() + degree);
  }
  void sort_neighbors(Worker& worker, Slot node) {
    worker.candidates.clear();
    worker.pruner.score(node, worker.neighbors, worker.candidates);
    std::sort(worker.candidates.begin(), worker.candidates.end());
  }

  /// Every row to max_degree, sorted by distance.
  void trim() {
    base::ProgressMeter progress(execution_, "prune", nodes_);
    team_.run(nodes_, 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
      Worker& worker = *workers_[thread];
      for (auto node = static_cast<Slot>(begin); node < end; ++node) {
        const std::span<const Slot> row = neighbors(node);
        worker.neighbors.assign(row.begin(), row.end());
        if (row.size() > parameters_.max_degree) prune_neighbors(worker, node);
        sort_neighbors(worker, node);
        for (std::size_t i = 0; i < worker.candidates.size(); ++i) worker.neighbors[i] = slot_of(worker.candidates[i]);
        set_neighbors(node, worker.neighbors);
      }
      progress.add(end - begin);
    });
  }

  const Space& space_;
  const BuildParameters& parameters_;
  base::ThreadTeam& team_;
  const Execution& execution_;
  std::size_t nodes_;
  base::Adjacency graph_;
  std::vector<Slot> entry_points_;
  EntryPoints starts_;  // those that are in the graph already
  std::vector<std::uint16_t> degrees_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::vector<std::vector<Edge>>> bins_;  // by thread, then by range of targets
};

}  // namespace

template <class Space>
Graph build_incremental(const Space& space, std::vector<Slot> entry_points, const BuildParameters& parameters,
                        base::ThreadTeam& team, const Execution& execution) {
  return IncrementalBuilder<Space>(space, std::move(entry_points), parameters, team, execution).run();
}

BuilderMemory incremental_memory(std::uint64_t rows, const BuildParameters& parameters, unsigned threads) {
  BuilderMemory memory;
  memory.graph = base::checked_multiply(rows, growing_row_slots(parameters.max_degree) * sizeof(Slot), "the estimate",
                                        ErrorCode::InvalidArgument);
  const std::uint64_t visited = rows / 8 * 4;                                              // four walks a thread
  const std::uint64_t lists = (parameters.search_list_size + parameters.max_degree) * 64;  // candidates and rows
  const std::uint64_t edges = rows / 50 * parameters.max_degree * 2 * sizeof(Slot) * 2;
  memory.scratch = threads * (visited + lists) + edges;
  return memory;
}

template Graph build_incremental(const KernelSpace&, std::vector<Slot>, const BuildParameters&, base::ThreadTeam&,
                                 const Execution&);
template Graph build_incremental(const CustomSpace&, std::vector<Slot>, const BuildParameters&, base::ThreadTeam&,
                                 const Execution&);

}  // namespace diskann::graph
