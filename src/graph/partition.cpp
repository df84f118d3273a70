#include "graph/partition.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "base/convert.hpp"
#include "base/random.hpp"

namespace diskann::graph {
namespace {

constexpr std::size_t kStripe = 64;         // rows compared with all leaders at a time
constexpr std::size_t kMostLeaders = 1000;  // more levels are cheaper than more leaders
constexpr std::size_t kLeastRows = 32;      // of a cluster; smaller ones join
constexpr double kFill = 0.6;               // of a leaf, aimed at: clusters differ in size
constexpr double kNoProgress = 0.95;        // of a cluster's rows in one of its parts: they cannot be told apart

/// By what rows are compared with leaders: by inner product the few of great norm would attract all others.
Distance carving_metric(Distance metric) noexcept { return metric == Distance::InnerProduct ? Distance::L2 : metric; }

std::uint32_t fanout_of(const PartitionShape& shape, std::size_t level) noexcept {
  return level < shape.fanouts.size() ? shape.fanouts[level] : 1;
}

std::size_t leader_count(std::size_t rows, const PartitionShape& shape, std::size_t level) noexcept {
  const std::uint32_t fanout = fanout_of(shape, level);
  const double wanted = std::ceil(static_cast<double>(rows) * fanout / (kFill * static_cast<double>(shape.leaf_rows)));
  return std::min({std::max(static_cast<std::size_t>(wanted), std::size_t{2} * fanout), kMostLeaders, rows});
}

/// The share of all rows that is in clusters of more than `limit` rows, where clusters have `mean` rows. Cells about
/// random leaders differ in size about as a gamma distribution of shape 3 does (sift-textures, 8 x 3: 15.4 leaves a row
/// at 100,000 rows and 21.8 at 200,000, by this 15.4 and 21.9); seen from the rows the shape is 4.
double share_in_larger(double limit, double mean) noexcept {
  const double x = 3 * limit / mean;
  return std::exp(-x) * (1 + x + x * x / 2 + x * x * x / 6);
}

}  // namespace

double expected_comparisons(std::uint64_t rows, const PartitionShape& shape) {
  const auto all = static_cast<double>(rows), most = static_cast<double>(shape.leaf_rows);
  if (rows <= shape.leaf_rows) return all * all;
  const double leaf = kFill * most;
  const auto leaders = static_cast<double>(leader_count(rows, shape, 0));
  const double cluster = all * fanout_of(shape, 0) / leaders;
  const double again = share_in_larger(most, cluster);
  const auto leaders_again =
      static_cast<double>(leader_count(static_cast<std::size_t>(std::max(cluster, most)), shape, 1));
  // Further levels hardly count: their rows go to one leader of a few.
  const double of_cluster =
      again * (leaders_again + fanout_of(shape, 1) * leaf) + (1 - again) * std::min(leaf, cluster);
  return all * (leaders + fanout_of(shape, 0) * of_cluster);
}

std::vector<float> tile_center(Distance metric, const base::RowsView& rows, Slot row) {
  if (metric != Distance::L2 || tile_form(rows) != VectorType::F32) return {};
  std::vector<float> center(base::round_up(rows.dimension, distance::TileBlock::kPanel));
  base::convert_row(rows.row(row), rows.type, reinterpret_cast<std::byte*>(center.data()), VectorType::F32,
                    rows.dimension);
  return center;
}

Partitioner::Partitioner(const KernelSpace& space, const PartitionShape& shape, base::ThreadTeam& team)
    : space_(space),
      shape_(shape),
      team_(team),
      tiles_(distance::tiles(carving_metric(space.metric()), space.rows().type, tile_form(space.rows()))),
      selection_(distance::selection()),
      scratch_(team.threads()) {}

distance::TileSource Partitioner::source(const Slot* rows, std::size_t count, const Leaders& leaders) const {
  return {
      space_.rows(), space_.inverse_norms(), rows, 0, count, leaders.center.empty() ? nullptr : leaders.center.data()};
}

Partitioner::Leaders Partitioner::load_leaders(const Rows& rows, std::size_t level, std::uint64_t seed,
                                               distance::TileBlock& block) const {
  Leaders leaders;
  leaders.count = leader_count(rows.size(), shape_, level);
  leaders.fanout = std::min(fanout_of(shape_, level), static_cast<std::uint32_t>(leaders.count));
  Rows chosen = base::sample(rows.size(), leaders.count, base::Random(seed));
  for (Slot& slot : chosen) slot = rows[slot];
  leaders.center = tile_center(carving_metric(space_.metric()), space_.rows(), chosen.front());
  tiles_.load(source(chosen.data(), chosen.size(), leaders), true, block);
  return leaders;
}

void Partitioner::assign(const Leaders& leaders, const distance::TileBlock& block, const Slot* rows, std::size_t count,
                         Scratch& scratch, std::uint16_t* choices) const {
  const std::size_t columns = block.padded_rows();
  if (scratch.distances.size() < kStripe * columns) scratch.distances = base::HugeArray<float>(kStripe * columns);
  scratch.selection.resize(columns);
  std::vector<std::uint32_t> chosen(leaders.fanout);
  for (std::size_t begin = 0; begin < count; begin += kStripe) {
    const std::size_t size = std::min(kStripe, count - begin);
    tiles_.load(source(rows + begin, size, leaders), false, scratch.rows);
    tiles_.multiply(scratch.rows, 0, size, block, scratch.distances.data(), columns);
    for (std::size_t i = 0; i < size; ++i) {
      const float* distances = scratch.distances.data() + i * columns;
      // Distances that overflow are not chosen; such a row goes to the first leaders.
      if (selection_.smallest(distances, columns, leaders.fanout, scratch.selection, chosen.data()) < leaders.fanout)
        std::iota(chosen.begin(), chosen.end(), 0u);
      for (std::uint32_t j = 0; j < leaders.fanout; ++j)
        choices[(begin + i) * leaders.fanout + j] = static_cast<std::uint16_t>(chosen[j]);
    }
  }
}

/// The rows of each leader, in the order of `rows`; clusters too small for a leaf of their own are put together.
std::vector<Partitioner::Rows> Partitioner::gather(const Rows& rows, const Leaders& leaders,
                                                   const std::vector<std::uint16_t>& choices) const {
  std::vector<std::size_t> sizes(leaders.count);
  for (const std::uint16_t leader : choices) ++sizes[leader];
  std::vector<Rows> clusters(leaders.count);
  for (std::size_t i = 0; i < leaders.count; ++i) clusters[i].reserve(sizes[i]);
  for (std::size_t i = 0; i < choices.size(); ++i) clusters[choices[i]].push_back(rows[i / leaders.fanout]);

  std::vector<Rows> parts;
  Rows few;
  const auto close = [&] {
    std::sort(few.begin(), few.end());
    few.erase(std::unique(few.begin(), few.end()), few.end());
    parts.push_back(std::move(few));
    few = {};
  };
  for (Rows& cluster : clusters) {
    if (cluster.size() >= kLeastRows) {
      parts.push_back(std::move(cluster));
      continue;
    }
    few.insert(few.end(), cluster.begin(), cluster.end());
    if (few.size() >= kLeastRows) close();
  }
  if (few.empty()) return parts;
  const auto smaller = [](const Rows& a, const Rows& b) { return a.size() < b.size(); };
  const auto host = std::min_element(parts.begin(), parts.end(), smaller);
  if (host != parts.end() && host->size() + few.size() <= shape_.leaf_rows) {
    few.insert(few.end(), host->begin(), host->end());
    parts.erase(host);
  }
  close();
  return parts;
}

std::vector<Partitioner::Rows> Partitioner::carve_all(std::uint64_t seed, const Execution& execution) {
  Rows rows(space_.rows().rows);
  std::iota(rows.begin(), rows.end(), Slot{0});
  base::ProgressMeter progress(execution, "partition", rows.size());
  if (rows.size() <= shape_.leaf_rows) {
    order_ = rows;
    return {std::move(rows)};
  }
  distance::TileBlock block;
  const Leaders leaders = load_leaders(rows, 0, seed, block);
  std::vector<std::uint16_t> choices(rows.size() * leaders.fanout);
  team_.run(rows.size(), 4 * kStripe, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    assign(leaders, block, rows.data() + begin, end - begin, scratch_[thread], choices.data() + begin * leaders.fanout);
    progress.add(end - begin);
  });

  std::vector<std::size_t> places(leaders.count + 1);
  for (std::size_t i = 0; i < rows.size(); ++i) ++places[choices[i * leaders.fanout] + std::size_t{1}];
  std::partial_sum(places.begin(), places.end(), places.begin());
  order_.resize(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) order_[places[choices[i * leaders.fanout]]++] = rows[i];

  std::vector<Rows> clusters = gather(rows, leaders, choices);
  std::stable_sort(clusters.begin(), clusters.end(), [](const Rows& a, const Rows& b) { return a.size() > b.size(); });
  return clusters;
}

void Partitioner::carve(unsigned thread, Rows cluster, std::uint64_t seed, const LeafBody& leaf) {
  carve_level(thread, std::move(cluster), 1, seed, leaf);
}

void Partitioner::carve_level(unsigned thread, Rows rows, std::size_t level, std::uint64_t seed, const LeafBody& leaf) {
  if (rows.size() <= shape_.leaf_rows) return leaf(rows);
  std::vector<Rows> parts;
  {
    Scratch& scratch = scratch_[thread];
    const Leaders leaders = load_leaders(rows, level, seed, scratch.leaders);
    std::vector<std::uint16_t> choices(rows.size() * leaders.fanout);
    assign(leaders, scratch.leaders, rows.data(), rows.size(), scratch, choices.data());
    parts = gather(rows, leaders, choices);
  }
  const auto stuck = static_cast<std::size_t>(kNoProgress * static_cast<double>(rows.size()));
  const bool overlapping = level < shape_.fanouts.size();
  Rows().swap(rows);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    Rows& part = parts[i];
    if (part.size() > shape_.leaf_rows && part.size() > stuck && !overlapping) {
      for (std::size_t begin = 0; begin < part.size(); begin += shape_.leaf_rows) {
        const std::size_t end = std::min(part.size(), begin + shape_.leaf_rows);
        leaf(Rows(part.begin() + static_cast<std::ptrdiff_t>(begin), part.begin() + static_cast<std::ptrdiff_t>(end)));
      }
    } else {
      carve_level(thread, std::move(part), level + 1, base::mix(seed + i + 1), leaf);
    }
  }
}

}  // namespace diskann::graph
