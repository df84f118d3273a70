#include "index/drive_stops.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/threads.hpp"
#include "graph/code_space.hpp"
#include "graph/search.hpp"
#include "index/calibration.hpp"
#include "index/rerank_rule.hpp"

namespace diskann::index {
namespace {

using graph::Candidate;
using graph::distance_of;
using graph::slot_of;

// Walks stop by their spreads; short lists are for low recalls.
constexpr std::array<double, 10> kSpreadsTried{0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 2.5, 3, 4};
constexpr std::array<std::uint32_t, 3> kListsTried{28, 100, 200};

/// Walks for probes as on a drive, where rows are seen on the way, and are compared at the end.
class StopTrial {
 public:
  StopTrial(const graph::CodeSpace& space, const base::Adjacency& graph, const graph::EntryPoints& entry_points,
            const Probes& probes)
      : space_(space), graph_(graph), entry_points_(entry_points), probes_(probes) {}

  /// Of all probes: neighbours of a rank that were found, and nodes that were expanded or compared at the end.
  struct Sums {
    std::uint64_t found = 0, nodes = 0;
  };
  /// `kept`: candidates that the list holds.
  Sums run(std::uint32_t list_size, std::size_t kept, double spreads, std::size_t rank, base::ThreadTeam& team) const {
    const graph::Breadth breadth{std::min<std::size_t>(list_size, graph_.nodes()), std::min(kept, graph_.nodes())};
    std::vector<Sums> of_thread(team.threads());
    team.run(probes_.limits.size(), 8, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
      graph::CodeSpace::Buffer buffer(space_.rows().dimension);
      graph::SearchScratch scratch(graph_.nodes(), std::max(graph_.stride(), 64u));
      for (std::uint64_t i = begin; i < end; ++i) {
        const auto query = space_.prepare(probes_.queries.view().slice(i, 1), buffer);
        of_thread[thread].nodes += walk(query, i, breadth, spreads, kRanks[rank], scratch);
        compare(scratch.list.entries(), query, i, spreads, rank, of_thread[thread]);
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
  float exact_of(const graph::CodeSpace::Query& query, Candidate candidate) const {
    const base::Slot node = slot_of(candidate);
    float exact = 0;
    space_.exact(query, &node, 1, &exact);
    return exact;
  }
  /// Returns how many nodes it expanded.
  std::uint64_t walk(const graph::CodeSpace::Query& query, std::uint64_t probe, const graph::Breadth& breadth,
                     double spreads, std::size_t k, graph::SearchScratch& scratch) const {
    graph::Walk<graph::CodeSpace> walk(space_, graph_, query, entry_points_, breadth, scratch,
                                       probes_.hidden.empty() ? std::nullopt : std::optional(probes_.hidden[probe]));
    WalkRule rule;
    rule.begin(k, spreads);
    while (walk.has_choice()) {
      const Candidate next = scratch.list.entries()[scratch.list.next_place()];
      if (!rule.is_worth_expanding(distance_of(next))) break;
      if (walk.gather()) walk.absorb();
      const float exact = exact_of(query, next);
      rule.add(distance_of(next), exact);
      rule.found(exact);
    }
    return walk.statistics().hops;
  }
  void compare(std::span<const Candidate> entries, const graph::CodeSpace::Query& query, std::uint64_t probe,
               double spreads, std::size_t rank, Sums& sums) const {
    const std::size_t k = std::min<std::size_t>(kRanks[rank], entries.size());
    RerankRule rule;
    std::vector<float> nearest;
    std::uint32_t wanted = probes_.wanted[rank];
    bool stopped = false;
    for (std::size_t place = 0; place < entries.size(); ++place) {
      const bool on_the_way = (entries[place] & graph::kExpanded) != 0;
      if (place >= RerankRule::first(k) && place % RerankRule::kNext == 0)
        stopped = stopped || !rule.may_be_near(distance_of(entries[place]), nearest[k - 1], spreads);
      if (stopped && !on_the_way) continue;
      const float exact = exact_of(query, entries[place]);
      if (!on_the_way) ++sums.nodes;
      if (wanted > 0 && exact <= probes_.limits[probe][rank]) {
        --wanted;
        ++sums.found;
      }
      if (stopped) continue;
      rule.add(distance_of(entries[place]), exact);
      nearest.insert(std::upper_bound(nearest.begin(), nearest.end(), exact), exact);
      if (nearest.size() > k) nearest.pop_back();
    }
  }

  const graph::CodeSpace& space_;
  const base::Adjacency& graph_;
  const graph::EntryPoints& entry_points_;
  const Probes& probes_;
};

}  // namespace

void measure_stops(const Index::State& state, const Probes& probes, Calibration& calibration,
                   const Execution& execution) {
  if (calibration.queries == 0 || calibration.rerank.empty()) return;
  const auto queries = static_cast<double>(calibration.queries);
  const float* const norms = state.norms.empty() ? nullptr : state.norms.data();
  const graph::CodeSpace space({state.metric, state.rows, norms}, state.codes.walk());
  const graph::EntryPoints entry_points(space, state.entry_points);
  const StopTrial trial(space, state.graph, entry_points, probes);
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
