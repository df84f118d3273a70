#include "graph/build_partitioned.hpp"

#include <algorithm>
#include <optional>

#include "base/random.hpp"
#include "graph/leaf.hpp"
#include "graph/look.hpp"
#include "graph/reachability.hpp"
#include "graph/reservoirs.hpp"

namespace diskann::graph {
namespace {

/// By what factor picks of a leaf occlude one another at most. Less than the usual alpha, so that a row's few picks go
/// in different directions (sift-textures-200k, R 32, distances a query at recall@10 0.99: 1,191; with 1.2 1,210).
constexpr float kLeafAlpha = 1.1f;
/// In augmented space, whose distances spread as those of L2 do.
constexpr float kAugmentedAlpha = 1.2f;
/// Picks of a row in a leaf by inner product.
constexpr std::uint32_t kProductPicks = 5;

/// Neighbours that a row picks in a leaf by distance.
constexpr std::uint32_t kPicks = 4;

/// Many components make products dear and each leaf's picks better: fewer leaves.
PartitionShape shape_for(std::size_t dimension) { return {{dimension > 512 ? 6u : 8u, 2}, 1024}; }

/// By inner product a row has neighbours of two kinds, each with a reservoir of half the room: the likeliest answers of
/// queries like the row, up to half of its edges, and rows near it in augmented space, by which a walk comes to all
/// others. (Edges of two kinds after MAG, Chen et al., arXiv 2504.14861, whose second is Euclidean.) More of the first
/// kind takes fewer hops where norms differ much (wordnet-lsa), more of the second where they differ little.
std::uint32_t side_degree(Distance metric, std::uint32_t max_degree) noexcept {
  return metric == Distance::InnerProduct ? std::max(2u, (max_degree + 1) / 2) : max_degree;
}

/// How many of a row's edges are of the first kind where they are searched for, among tight clusters: as few as answer
/// (5,000 clusters, 100,000 x 32, R 32, distances at recall@100 0.95 and 0.99: 1,092 / 2,051 with 6, 1,683 / 2,921 with
/// 16; the second kind alone 1,114 / 2,097).
std::uint32_t searched_degree(std::uint32_t max_degree) noexcept { return std::max(2u, max_degree * 3 / 16); }

/// Room for candidates of a row on each side, and how many of them are kept: of 20 to 45 that leaves find, more than
/// these add nothing (sift-textures-200k, R 32, distances a query at recall@10 0.99: 1,075; with twice as many 1,095).
struct ReservoirShape {
  std::uint32_t room, kept;
};
ReservoirShape reservoir_shape(Distance metric, std::uint32_t max_degree) noexcept {
  const auto padded = static_cast<std::uint32_t>(base::round_up(std::max(32u, max_degree), 16));
  if (metric == Distance::InnerProduct) return {padded, padded / 4 * 3};
  const std::uint32_t room = padded + std::max(8u, padded / 8);
  return {room, (padded + room) / 2};
}

/// Candidates by one kind of distance, and what prunes them.
template <class Space>
class Side {
 public:
  Side(const Space& space, std::uint32_t max_degree, float alpha, ReservoirShape shape, unsigned threads)
      : reservoirs_(space.rows().rows, shape.room, shape.kept) {
    for (unsigned thread = 0; thread < threads; ++thread) pruners_.emplace_back(space, max_degree, alpha);
    work_.resize(threads);
  }

  void add(unsigned thread, const Leaf& leaf, const Partitioner::Rows& rows) {
    constexpr std::size_t kAhead = 6;
    for (std::size_t i = 0; i < std::min(kAhead, rows.size()); ++i) reservoirs_.prefetch(rows[i]);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size()) reservoirs_.prefetch(rows[i + kAhead]);
      reservoirs_.add(rows[i], leaf.found(i), leaf.error(), pruners_[thread], work_[thread]);
    }
  }

  /// Writes the neighbours of a row, at most max_degree, and returns how many.
  std::uint32_t prune(unsigned thread, Slot row, std::vector<Candidate>& work, Slot* out) {
    reservoirs_.collect(row, pruners_[thread], work);
    return pruners_[thread].prune(row, work, out);
  }
  Reservoirs& reservoirs() noexcept { return reservoirs_; }

 private:
  Reservoirs reservoirs_;
  std::vector<Pruner<Space>> pruners_;  // of each thread, as is the work
  std::vector<std::vector<Candidate>> work_;
};

class PartitionedBuilder {
 public:
  /// `augmented`: for the inner product, else null. `products`: neighbours by inner product, where leaves are not to
  /// look for them; side_degree() at most.
  PartitionedBuilder(const KernelSpace& space, const AugmentedSpace* augmented, const base::Adjacency* products,
                     const BuildParameters& parameters, base::ThreadTeam& team, const Execution& execution)
      : space_(space),
        augmented_space_(augmented),
        products_(products),
        parameters_(parameters),
        team_(team),
        execution_(execution) {
    for (unsigned thread = 0; thread < team.threads(); ++thread) leaves_.emplace_back(space);
    const ReservoirShape shape = reservoir_shape(space.metric(), parameters.max_degree);
    if (products == nullptr)
      main_.emplace(space, side_degree(space.metric(), parameters.max_degree), parameters.alpha, shape, team.threads());
    if (augmented != nullptr)
      augmented_.emplace(*augmented, parameters.max_degree, kAugmentedAlpha, shape, team.threads());
  }

  /// The graph in rows of so many slots, with whatever is out of reach.
  base::Adjacency run(std::uint32_t row_slots) && {
    const Rows order = fill_reservoirs();
    leaves_.clear();
    prune(order);
    return std::move(finished()).release(row_slots);
  }

 private:
  using Rows = Partitioner::Rows;

  /// Carves all rows and lets each leaf find candidates; returns the rows, those near one another side by side.
  Rows fill_reservoirs() {
    Partitioner partitioner(space_, shape_for(space_.rows().dimension), team_);
    std::vector<Rows> clusters = partitioner.carve_all(base::mix(parameters_.seed), execution_);
    std::uint64_t total = 0;
    for (const Rows& cluster : clusters) total += cluster.size();
    base::ProgressMeter progress(execution_, "find candidates", total);
    team_.run(clusters.size(), 1, [&](unsigned thread, std::uint64_t i, std::uint64_t) {
      const std::size_t size = clusters[i].size();
      partitioner.carve(thread, std::move(clusters[i]), base::mix(parameters_.seed + i + 1), [&](const Rows& leaf) {
        base::check_cancelled(execution_.cancel);
        search_leaf(thread, leaf);
      });
      progress.add(size);
    });
    return partitioner.order();
  }

  void search_leaf(unsigned thread, const Rows& rows) {
    if (rows.size() < 2) return;
    Leaf& leaf = leaves_[thread];
    leaf.measure(rows);
    if (augmented_ && main_) {
      leaf.pick_nearest(kProductPicks);
      main_->add(thread, leaf, rows);
    }
    if (augmented_) leaf.augment(*augmented_space_);
    leaf.pick_apart(kPicks, std::min(kLeafAlpha, parameters_.alpha));
    if (augmented_)
      augmented_->add(thread, leaf, rows);
    else
      main_->add(thread, leaf, rows);
  }

  void prune(const Rows& order) {
    base::ProgressMeter progress(execution_, "prune candidates", order.size());
    std::vector<std::vector<Candidate>> candidates(team_.threads());
    team_.run(order.size(), 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
      std::vector<Slot> slots(std::size_t{2} * parameters_.max_degree);
      for (std::uint64_t i = begin; i < end; ++i) {
        const Slot row = order[i];
        Slot* const pruned = slots.data();
        std::uint32_t degree = main_ ? main_->prune(thread, row, candidates[thread], pruned)
                                     : append_new(pruned, 0, products_->neighbors(row));
        if (augmented_) {
          Slot* const more = pruned + degree;
          degree = append_new(pruned, degree, {more, augmented_->prune(thread, row, candidates[thread], more)});
        }
        finished().close(row, {pruned, degree});
      }
      progress.add(end - begin);
    });
  }

  /// Where neighbours take the place of candidates.
  Reservoirs& finished() noexcept { return main_ ? main_->reservoirs() : augmented_->reservoirs(); }

  /// Puts those that are not among `size` slots behind them, up to max_degree. They may stand there already.
  std::uint32_t append_new(Slot* slots, std::uint32_t size, std::span<const Slot> more) const {
    const Slot* const end = slots + size;
    for (const Slot slot : more) {
      if (size == parameters_.max_degree) break;
      if (std::find(static_cast<const Slot*>(slots), end, slot) == end) slots[size++] = slot;
    }
    return size;
  }

  const KernelSpace& space_;
  const AugmentedSpace* augmented_space_;
  const base::Adjacency* products_;
  const BuildParameters& parameters_;
  base::ThreadTeam& team_;
  const Execution& execution_;
  std::optional<Side<KernelSpace>> main_;          // by the metric
  std::optional<Side<AugmentedSpace>> augmented_;  // by inner product
  std::vector<Leaf> leaves_;                       // of each thread
};

}  // namespace

BuilderMemory partitioned_memory(std::uint64_t rows, std::size_t dimension, VectorType type, Distance metric,
                                 const BuildParameters& parameters, unsigned threads) {
  BuilderMemory memory;
  const bool products = metric == Distance::InnerProduct;
  const std::size_t of_row = Reservoirs::bytes_per_row(reservoir_shape(metric, parameters.max_degree).room);
  memory.graph =
      base::checked_multiply(rows, products ? 2 * of_row : of_row, "the estimate", ErrorCode::InvalidArgument);
  const PartitionShape shape = shape_for(dimension);
  const std::uint64_t leaf = std::min<std::uint64_t>(rows, shape.leaf_rows);
  const std::uint64_t tile_row = base::round_up(dimension * (size_of(type) > 1 ? 4 : 2), 64);
  const std::uint64_t clusters = rows > leaf ? shape.fanouts[0] * rows * sizeof(Slot) : 0;
  const std::uint64_t components = products ? rows * (sizeof(float) + sizeof(double)) : 0;
  // All distances of a leaf, and its rows for both sides of a product; leaders are fewer where rows are many.
  const std::uint64_t of_thread = leaf * leaf * sizeof(float) + 2 * leaf * tile_row + leaf * 256;
  memory.scratch = clusters + rows * sizeof(Slot) + components + threads * of_thread;
  return memory;
}

double partitioned_comparisons(std::uint64_t rows, std::size_t dimension) {
  return expected_comparisons(rows, shape_for(dimension));
}

Graph build_partitioned(const KernelSpace& space, std::vector<Slot> entry_points, const BuildParameters& parameters,
                        base::ThreadTeam& team, const Execution& execution) {
  std::optional<AugmentedSpace> augmented;
  if (space.metric() == Distance::InnerProduct) augmented.emplace(space.rows());
  const auto build = [&](const base::Adjacency* products) {
    return PartitionedBuilder(space, augmented ? &*augmented : nullptr, products, parameters, team, execution)
        .run(row_slots(parameters.max_degree));
  };
  Graph graph{build(nullptr), std::move(entry_points), GraphBuilder::Partitioned};
  if (!leads_home(space, graph, parameters.seed, team)) {
    graph.adjacency = {};
    if (!augmented) return build_incremental(space, std::move(graph.entry_points), parameters, team, execution);
    // Answers may lie in clusters that no leaf holds together with the row. Among tight clusters searching finds them
    // only with the other kind of edges too (1,000 clusters, 50,000 x 128: recall@10 0.95 with 2,239 distances a query
    // instead of never).
    BuildParameters few = parameters;
    few.max_degree = searched_degree(parameters.max_degree);
    const Graph found = build_incremental(space, graph.entry_points, few, team, execution);
    graph.adjacency = build(&found.adjacency);
    graph.builder = GraphBuilder::Incremental;
  }
  // From the medoid alone: Microsoft's files hold one start, and the other entry points are there for speed.
  make_reachable(space, graph.adjacency, parameters.max_degree, std::span(graph.entry_points).first(1), team);
  return graph;
}

}  // namespace diskann::graph
