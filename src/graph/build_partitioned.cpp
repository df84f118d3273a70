#include "graph/build_partitioned.hpp"

#include <algorithm>
#include <limits>
#include <memory>

#include "base/random.hpp"
#include "graph/reachability.hpp"
#include "graph/reservoirs.hpp"

namespace diskann::graph {
namespace {

/// By what factor picks of a leaf occlude one another at most. Less than the usual alpha, so that a row's few picks go
/// in different directions (sift-textures-200k, R 32, distances a query at recall@10 0.99: 1,191; with 1.2 1,210).
constexpr float kLeafAlpha = 1.1f;

/// How leaves are carved, and how many neighbours a row picks in each.
struct Recipe {
  PartitionShape shape;
  std::uint32_t picks;
};
Recipe recipe_for(Distance metric, std::size_t dimension) {
  // Many components make products dear and each leaf's picks better: fewer leaves, more picks.
  Recipe recipe = dimension > 512 ? Recipe{{{6, 2}, 1024}, 4} : Recipe{{{8, 3}, 1024}, 3};
  if (metric == Distance::InnerProduct) recipe.picks = 5;
  return recipe;
}

class PartitionedBuilder {
 public:
  PartitionedBuilder(const KernelSpace& space, const BuildParameters& parameters, base::ThreadTeam& team,
                     const Execution& execution)
      : space_(space),
        parameters_(parameters),
        team_(team),
        execution_(execution),
        recipe_(recipe_for(space.metric(), space.rows().dimension)),
        tiles_(distance::tiles(space.metric(), space.rows().type, tile_form(space.rows()))),
        selection_(distance::selection()) {
    for (unsigned thread = 0; thread < team.threads(); ++thread)
      workers_.push_back(std::make_unique<Worker>(space, parameters));
  }

  /// The graph in rows of so many slots, with whatever is out of reach.
  base::Adjacency run(std::uint32_t row_slots) && {
    prune(fill_reservoirs());
    workers_.clear();
    return std::move(reservoirs_).release(row_slots);
  }

 private:
  using Rows = Partitioner::Rows;

  struct Worker {
    Worker(const KernelSpace& space, const BuildParameters& parameters)
        : pruner(space, parameters.max_degree, parameters.alpha), pruned(parameters.max_degree) {}
    Pruner<KernelSpace> pruner;
    std::vector<Slot> pruned;
    std::vector<Candidate> candidates;
    // Of the leaf at hand:
    distance::TileBlock block;
    base::HugeArray<float> distances;  // of every row to every other
    std::vector<float> work;
    std::vector<std::uint32_t> picks, counts;  // picks of each row, and how many
    std::vector<std::uint32_t> ends;           // of each row's part of found
    std::vector<Slot> found;                   // what a row picked and what picked it
  };

  /// Carves all rows and lets each leaf find candidates; returns the rows, those near one another side by side.
  Rows fill_reservoirs() {
    Partitioner partitioner(space_, recipe_.shape, team_);
    std::vector<Rows> clusters = partitioner.carve_all(base::mix(parameters_.seed), execution_);
    reservoirs_ = Reservoirs(space_.rows().rows, parameters_.max_degree);
    std::uint64_t total = 0;
    for (const Rows& cluster : clusters) total += cluster.size();
    base::ProgressMeter progress(execution_, "find candidates", total);
    team_.run(clusters.size(), 1, [&](unsigned thread, std::uint64_t i, std::uint64_t) {
      const std::size_t size = clusters[i].size();
      partitioner.carve(thread, std::move(clusters[i]), base::mix(parameters_.seed + i + 1), [&](const Rows& leaf) {
        base::check_cancelled(execution_.cancel);
        search_leaf(*workers_[thread], leaf);
      });
      progress.add(size);
    });
    return partitioner.order();
  }

  void search_leaf(Worker& worker, const Rows& rows) {
    if (rows.size() < 2) return;
    measure(worker, rows);
    pick(worker, rows);
    exchange(worker, rows);
    constexpr std::size_t kAhead = 6;
    for (std::size_t i = 0; i < std::min(kAhead, rows.size()); ++i) reservoirs_.prefetch(rows[i]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size()) reservoirs_.prefetch(rows[i + kAhead]);
      const std::uint32_t begin = i == 0 ? 0 : worker.ends[i - 1];
      reservoirs_.add(rows[i], {worker.found.data() + begin, worker.ends[i] - begin}, worker.pruner);
    }
  }

  /// All distances within the leaf.
  void measure(Worker& worker, const Rows& rows) {
    constexpr std::size_t kStripe = 96;
    const std::vector<float> center = tile_center(space_.metric(), space_.rows(), rows.front());
    tiles_.load({space_.rows(), space_.norms(), rows.data(), 0, rows.size(), center.empty() ? nullptr : center.data()},
                true, worker.block);
    const std::size_t stride = worker.block.padded_rows();
    if (worker.distances.size() < stride * stride) worker.distances = base::HugeArray<float>(stride * stride);
    for (std::size_t first = 0; first < rows.size(); first += kStripe) {
      tiles_.multiply(worker.block, first, std::min(kStripe, rows.size() - first), worker.block,
                      worker.distances.data() + first * stride, stride);
    }
  }

  void pick(Worker& worker, const Rows& rows) const {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    const std::size_t stride = worker.block.padded_rows();
    float* const distances = worker.distances.data();
    const bool products = space_.metric() == Distance::InnerProduct;
    const float leaf_alpha = std::min(kLeafAlpha, parameters_.alpha);
    worker.work.resize(stride);
    worker.picks.resize(rows.size() * recipe_.picks);
    worker.counts.resize(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) distances[i * stride + i] = -kInfinity;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      float* const row = distances + i * stride;
      std::uint32_t* const chosen = worker.picks.data() + i * recipe_.picks;
      row[i] = kInfinity;
      worker.counts[i] =
          static_cast<std::uint32_t>(products ? selection_.smallest(row, stride, recipe_.picks, chosen)
                                              : selection_.pick(distances, stride, i, stride, leaf_alpha, recipe_.picks,
                                                                worker.work.data(), chosen));
      row[i] = -kInfinity;
    }
  }

  /// Every edge in both directions, by row.
  void exchange(Worker& worker, const Rows& rows) const {
    worker.ends.assign(rows.size(), 0);
    const auto for_each_pick = [&](const auto& f) {
      for (std::size_t i = 0; i < rows.size(); ++i)
        for (std::uint32_t j = 0; j < worker.counts[i]; ++j) f(i, worker.picks[i * recipe_.picks + j]);
    };
    for_each_pick([&](std::size_t i, std::uint32_t j) {
      ++worker.ends[i];
      ++worker.ends[j];
    });
    std::uint32_t begin = 0;
    for (std::uint32_t& end : worker.ends) {
      const std::uint32_t size = end;
      end = begin;
      begin += size;
    }
    worker.found.resize(begin);
    for_each_pick([&](std::size_t i, std::uint32_t j) {
      worker.found[worker.ends[i]++] = rows[j];
      worker.found[worker.ends[j]++] = rows[i];
    });
  }

  void prune(const Rows& order) {
    base::ProgressMeter progress(execution_, "prune candidates", order.size());
    team_.run(order.size(), 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
      Worker& worker = *workers_[thread];
      for (std::uint64_t i = begin; i < end; ++i) {
        const Slot row = order[i];
        reservoirs_.collect(row, worker.pruner, worker.candidates);
        const std::uint32_t degree = worker.pruner.prune(row, worker.candidates, worker.pruned.data());
        reservoirs_.close(row, {worker.pruned.data(), degree});
      }
      progress.add(end - begin);
    });
  }

  const KernelSpace& space_;
  const BuildParameters& parameters_;
  base::ThreadTeam& team_;
  const Execution& execution_;
  Recipe recipe_;
  const distance::TileKernels& tiles_;
  const distance::SelectionKernels& selection_;
  Reservoirs reservoirs_;
  std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace

BuilderMemory partitioned_memory(std::uint64_t rows, std::size_t dimension, VectorType type, Distance metric,
                                 const BuildParameters& parameters, unsigned threads) {
  BuilderMemory memory;
  memory.graph = base::checked_multiply(rows, Reservoirs::bytes_per_row(parameters.max_degree), "the estimate",
                                        ErrorCode::InvalidArgument);
  const PartitionShape shape = recipe_for(metric, dimension).shape;
  const std::uint64_t leaf = std::min<std::uint64_t>(rows, shape.leaf_rows);
  const std::uint64_t tile_row = base::round_up(dimension * (size_of(type) > 1 ? 4 : 2), 64);
  const std::uint64_t clusters = rows > leaf ? shape.fanouts[0] * rows * sizeof(Slot) : 0;
  const std::uint64_t norms = metric == Distance::InnerProduct ? rows * sizeof(float) : 0;
  // A block of rows and one of leaders, twice each for both sides of a product, and all distances of a leaf.
  const std::uint64_t of_thread = leaf * leaf * sizeof(float) + 4 * leaf * tile_row + leaf * 256;
  memory.scratch = clusters + rows * sizeof(Slot) + norms + threads * of_thread;
  return memory;
}

Graph build_partitioned(const KernelSpace& space, std::vector<Slot> entry_points, const BuildParameters& parameters,
                        base::ThreadTeam& team, const Execution& execution) {
  PartitionedBuilder builder(space, parameters, team, execution);
  if (space.metric() != Distance::InnerProduct) {
    Graph graph{std::move(builder).run(growing_row_slots(parameters.max_degree)), std::move(entry_points)};
    return repair(space, std::move(graph), parameters, team, execution);
  }
  base::Adjacency graph = std::move(builder).run(row_slots(parameters.max_degree));
  make_reachable(space, graph, parameters.max_degree, std::span(entry_points).first(1));
  return {std::move(graph), std::move(entry_points)};
}

}  // namespace diskann::graph
