#include "index/drive_stops.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <optional>

#include "base/threads.hpp"
#include "graph/search.hpp"
#include "index/calibration.hpp"
#include "index/rerank_rule.hpp"

namespace diskann::index {
namespace {

using graph::Candidate;
using graph::distance_of;
using graph::LoneCodeSpace;
using graph::slot_of;

// Walks stop by their spreads; short lists are for low recalls.
constexpr std::array<double, 10> kSpreadsTried{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4};
constexpr std::array<std::uint32_t, 3> kListsTried{28, 100, 200};

/// One thread's walks.
class Walker {
 public:
  explicit Walker(const DriveGround& ground)
      : ground_(ground),
        buffer_(ground.space.rows().dimension),
        row_(ground.space.rows().dimension),
        scratch_(ground.nodes(), std::max<std::size_t>(ground.max_degree, 64)),
        room_(ground.space.rows().type, 1, ground.space.rows().dimension) {}

  void begin(const VectorView& query, const graph::Breadth& breadth, std::optional<base::Slot> hidden) {
    query_ = row_.prepare(query, ground_.space.rows().type);
    walk_ = graph::Walk<LoneCodeSpace>(ground_.space, ground_.nodes(), ground_.space.prepare(query, buffer_),
                                       ground_.entry_points, breadth, scratch_, hidden);
  }
  bool has_choice() const noexcept { return walk_.has_choice(); }
  /// What step() expands.
  Candidate next() const { return scratch_.list.entries()[scratch_.list.next_place()]; }
  void step() {
    walk_.expand(ground_.neighbors(slot_of(walk_.choose()), slots_));
    walk_.absorb();
  }
  float exact_of(Candidate candidate) { return ground_.exact(query_, slot_of(candidate), room_.row(0)); }
  std::span<const Candidate> entries() const noexcept { return scratch_.list.entries(); }
  const SearchStatistics& statistics() const noexcept { return walk_.statistics(); }

 private:
  const DriveGround& ground_;
  LoneCodeSpace::Buffer buffer_;
  distance::QueryBuffer row_;
  distance::Query query_;
  graph::SearchScratch scratch_;
  graph::Walk<LoneCodeSpace> walk_;
  base::RowStore room_;
  std::vector<base::Slot> slots_;
};

/// Compares a list with rows as searches do, from the first candidate on: f(place, exact) of each that they compare or
/// saw on their way, and whether they compare it now.
template <class F>
void compare(Walker& walker, std::size_t k, double spreads, const F& f) {
  const std::span<const Candidate> entries = walker.entries();
  k = std::min(k, entries.size());
  RerankRule rule;
  std::vector<float> nearest;
  bool stopped = false;
  for (std::size_t place = 0; place < entries.size(); ++place) {
    const bool on_the_way = (entries[place] & graph::kExpanded) != 0;
    if (place >= RerankRule::first(k) && place % RerankRule::kNext == 0)
      stopped = stopped || !rule.may_be_near(distance_of(entries[place]), nearest[k - 1], spreads);
    if (stopped && !on_the_way) continue;
    const float exact = walker.exact_of(entries[place]);
    f(place, exact, !stopped);
    if (stopped) continue;
    rule.add(distance_of(entries[place]), exact);
    nearest.insert(std::upper_bound(nearest.begin(), nearest.end(), exact), exact);
    if (nearest.size() > k) nearest.pop_back();
  }
}

/// Walks for probes as on a drive, where rows are seen on the way, and are compared at the end.
class StopTrial {
 public:
  StopTrial(const DriveGround& ground, const Probes& probes) : ground_(ground), probes_(probes) {}

  /// Of all probes: neighbours of a rank that were found, and nodes that were expanded or compared at the end.
  struct Sums {
    std::uint64_t found = 0, nodes = 0;
  };
  /// `kept`: candidates that the list holds.
  Sums run(std::uint32_t list_size, std::size_t kept, double spreads, std::size_t rank, base::ThreadTeam& team) const {
    const graph::Breadth breadth{std::min<std::size_t>(list_size, ground_.nodes()), std::min(kept, ground_.nodes())};
    std::vector<Sums> of_thread(team.threads());
    team.run(probes_.limits.size(), 8, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
      Walker walker(ground_);
      for (std::uint64_t i = begin; i < end; ++i) {
        walker.begin(probes_.queries.view().slice(i, 1), breadth, probes_.hidden_of(i));
        of_thread[thread].nodes += walk(walker, spreads, kRanks[rank]);
        std::uint32_t wanted = probes_.wanted[rank];
        compare(walker, kRanks[rank], spreads, [&](std::size_t place, float exact, bool) {
          of_thread[thread].nodes += (walker.entries()[place] & graph::kExpanded) == 0 ? 1 : 0;
          if (wanted == 0 || !(exact <= probes_.limits[i][rank])) return;
          --wanted;
          ++of_thread[thread].found;
        });
      }
    });
    Sums sums;
    for (const Sums& part : of_thread) {
      sums.found += part.found;
      sums.nodes += part.nodes;
    }
    return sums;
  }

 private:
  /// Returns how many nodes it expanded.
  static std::uint64_t walk(Walker& walker, double spreads, std::size_t k) {
    WalkRule rule;
    rule.begin(k, spreads);
    while (walker.has_choice()) {
      const Candidate next = walker.next();
      if (!rule.is_worth_expanding(distance_of(next))) break;
      walker.step();
      const float exact = walker.exact_of(next);
      rule.add(distance_of(next), exact);
      rule.found(exact);
    }
    return walker.statistics().hops;
  }

  const DriveGround& ground_;
  const Probes& probes_;
};

}  // namespace

DriveGround ground_of(const Index::State& state, const Codes& codes) {
  const graph::KernelSpace rows(state.metric, state.rows, state.norms.empty() ? nullptr : state.norms.data());
  return {{state.metric, state.rows, codes.walk()},
          {rows, state.entry_points},
          state.graph.stride(),
          [&graph = state.graph](base::Slot node, std::vector<base::Slot>&) { return graph.neighbors(node); },
          [rows](const distance::Query& query, base::Slot node, std::byte*) {
            float exact = 0;
            rows.score(query, &node, 1, &exact);
            return exact;
          }};
}

void measure_stops(const DriveGround& ground, const Probes& probes, Calibration& calibration,
                   const Execution& execution) {
  if (calibration.queries == 0 || calibration.rerank.empty()) return;
  const auto queries = static_cast<double>(calibration.queries);
  const StopTrial trial(ground, probes);
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "measure reads", kListsTried.size() * kSpreadsTried.size());
  for (const std::uint32_t list : kListsTried) {
    for (const double spreads : kSpreadsTried) {
      StopMeasurement stop{list, spreads, std::vector<double>(kRanks.size()), std::vector<double>(kRanks.size())};
      for (std::size_t rank = 0; rank < kRanks.size() && kRanks[rank] <= list; ++rank) {
        const StopTrial::Sums sums = trial.run(list, calibration.rerank[rank], spreads, rank, team);
        stop.recall[rank] = rounded(static_cast<double>(sums.found) / (queries * probes.wanted[rank]));
        stop.nodes[rank] = rounded(static_cast<double>(sums.nodes) / queries);
      }
      calibration.stops.push_back(std::move(stop));
      progress.add(1);
    }
  }
}

ListTrial try_list_on(const DriveGround& ground, const Probes& probes, std::size_t list_size, std::size_t kept,
                      base::ThreadTeam& team) {
  const graph::Breadth breadth{std::min(list_size, ground.nodes()), std::min(kept, ground.nodes())};
  ListTrial trial;
  for (ListTrial::OfRank& rank : trial.ranks) rank.resize(std::max(breadth.window, breadth.kept));
  std::vector<ListTrial> of_thread(team.threads(), trial);
  team.run(probes.limits.size(), 8, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    Walker walker(ground);
    ListTrial& seen = of_thread[thread];
    for (std::uint64_t i = begin; i < end; ++i) {
      walker.begin(probes.queries.view().slice(i, 1), breadth, probes.hidden_of(i));
      while (walker.has_choice()) walker.step();
      seen.statistics.hops += walker.statistics().hops;
      seen.statistics.distance_computations += walker.statistics().distance_computations;
      for (std::size_t rank = 0; rank < kRanks.size(); ++rank) {
        std::uint32_t wanted = probes.wanted[rank];
        std::vector<bool> compared(walker.entries().size());
        compare(walker, kRanks[rank], RerankRule::kSpreads, [&](std::size_t place, float, bool now) {
          if (!now) return;
          compared[place] = true;
          ++seen.ranks[rank].compared[place];
        });
        for (std::size_t place = 0; place < compared.size() && wanted > 0; ++place) {
          if (!(walker.exact_of(walker.entries()[place]) <= probes.limits[i][rank])) continue;
          ++seen.ranks[rank].places[place];
          if (compared[place]) ++seen.ranks[rank].found[place];
          --wanted;
        }
      }
    }
  });
  for (const ListTrial& part : of_thread) {
    trial.statistics.hops += part.statistics.hops;
    trial.statistics.distance_computations += part.statistics.distance_computations;
    for (std::size_t rank = 0; rank < kRanks.size(); ++rank) trial.ranks[rank] += part.ranks[rank];
  }
  return trial;
}

std::vector<base::Slot> most_visited(const DriveGround& ground, const VectorView& walkers, std::size_t count,
                                     const Execution& execution) {
  constexpr std::size_t kSearchListSize = 40;
  const auto visits = std::make_unique<std::atomic<std::uint32_t>[]>(ground.nodes());
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "count visits", walkers.rows());
  team.run(walkers.rows(), 64, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    Walker walker(ground);
    for (std::uint64_t i = begin; i < end; ++i) {
      walker.begin(walkers.slice(i, 1), kSearchListSize, std::nullopt);
      while (walker.has_choice()) {
        visits[slot_of(walker.next())].fetch_add(1, std::memory_order_relaxed);
        walker.step();
      }
    }
    progress.add(end - begin);
  });
  std::vector<base::Slot> order(ground.nodes());
  std::iota(order.begin(), order.end(), base::Slot{0});
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](base::Slot a, base::Slot b) { return visits[a] != visits[b] ? visits[a] > visits[b] : a < b; });
  order.resize(count);
  while (!order.empty() && visits[order.back()] == 0) order.pop_back();
  return order;
}

const StopMeasurement* stop_on_drive(const Calibration& calibration, double recall, std::size_t k) {
  const auto rank =
      static_cast<std::size_t>(std::lower_bound(calibration.k.begin(), calibration.k.end(), k) - calibration.k.begin());
  if (rank == calibration.k.size()) return nullptr;
  const StopMeasurement* best = nullptr;
  for (const StopMeasurement& stop : calibration.stops)
    if (stop.recall[rank] >= recall - kTie && (best == nullptr || stop.nodes[rank] < best->nodes[rank])) best = &stop;
  return best;
}

}  // namespace diskann::index
