#include "index/calibration.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <string>

#include "diskann/error.hpp"

namespace diskann::index {
namespace {

constexpr double kGivenUp = 0.002;  // of the neighbours in a list, those that may be left to chance

/// The least number of places, from the first on, that hold all but a few of a rank's neighbours in the list.
std::uint32_t places_needed(const ListTrial& trial, std::size_t rank, const Probes& probes) {
  const auto& places = trial.ranks[rank].places;
  const auto all = static_cast<double>(std::accumulate(places.begin(), places.end(), std::uint64_t{0}));
  std::size_t count = probes.wanted[rank];
  const auto begin = places.begin();
  std::uint64_t found = std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(count), std::uint64_t{0});
  const double enough = all - std::max(1.0, kGivenUp * all);  // one outlier is not worth longer lists for all
  for (; count < places.size() && static_cast<double>(found) < enough; ++count) found += places[count];
  return static_cast<std::uint32_t>(count);
}

/// Of a quantity that is known for some k, its value for another, as a power of k between them, in proportion beyond.
double for_k(const std::vector<std::uint32_t>& ks, std::size_t k, const auto& value_at) {
  const auto after = std::lower_bound(ks.begin(), ks.end(), k);
  const auto at = static_cast<std::size_t>(after - ks.begin());
  if (after == ks.end()) return value_at(at - 1) * static_cast<double>(k) / ks.back();
  if (*after == k || at == 0) return value_at(at);
  const double part =
      std::log(static_cast<double>(k) / ks[at - 1]) / std::log(static_cast<double>(*after) / ks[at - 1]);
  return std::exp((1 - part) * std::log(value_at(at - 1)) + part * std::log(value_at(at)));
}

/// The list size at which a rank's recall reaches `recall`: between two that were measured, what is missing falls as a
/// power of the list size. NaN where it never does.
double list_size_at(const Calibration& calibration, std::size_t rank, double recall) {
  const auto& lists = calibration.lists;
  const auto reaches = std::find_if(lists.begin(), lists.end(),
                                    [&](const ListMeasurement& list) { return list.recall[rank] >= recall - kTie; });
  if (reaches == lists.end()) return std::numeric_limits<double>::quiet_NaN();
  const double size = reaches->search_list_size;
  if (reaches == lists.begin() || std::prev(reaches)->recall[rank] == 0) return size;
  const ListMeasurement& before = *std::prev(reaches);
  const double least = 0.5 / (static_cast<double>(calibration.queries) * calibration.k[rank]);  // half a neighbour
  const auto missing = [&](double there) { return std::log(std::max(1 - there, least)); };
  const double fall = missing(before.recall[rank]) - missing(reaches->recall[rank]);
  const double part = fall > 0 ? (missing(before.recall[rank]) - missing(recall)) / fall : 1;
  return before.search_list_size * std::pow(size / before.search_list_size, std::clamp(part, 0.0, 1.0));
}

}  // namespace

Calibration measure(const Index::State& state, const Probes& probes, std::span<const std::uint32_t> lists,
                    double enough, const Execution& execution, bool alone) {
  base::ThreadTeam team(execution);
  const bool compared = state.codes.codec != Codec::None && !alone;
  return measure_with(
      [&](const Reach& reach) {
        return std::visit([&](const auto& searcher) { return searcher.try_list(probes, reach, alone, team); },
                          *state.searcher);
      },
      state.graph.nodes(), compared, probes, lists, enough, execution);
}

Calibration measure_with(const std::function<ListTrial(const Reach&)>& try_list, std::size_t nodes, bool compared,
                         const Probes& probes, std::span<const std::uint32_t> lists, double enough,
                         const Execution& execution) {
  Calibration calibration;
  calibration.queries = probes.limits.size();
  calibration.stored_rows = !probes.hidden.empty();
  calibration.k.assign(kRanks.begin(), kRanks.end());
  if (calibration.queries == 0) return calibration;
  base::ProgressMeter progress(execution, "measure recall", lists.size());
  const auto kept_at_first = [](std::size_t size) { return 2 * size + 16; };
  std::vector<ListTrial> trials;
  for (const std::uint32_t size : lists) {
    trials.push_back(try_list({size, kept_at_first(size)}));
    progress.add(1);
    if (size >= nodes) break;
    const bool few = nodes <= lists.back();  // then some list finds all, and soon
    const std::size_t last = kRanks.size() - 1;
    if (!few && size >= kRanks[last] && trials.back().recall(last, kept_at_first(size), probes) >= enough) break;
  }
  if (compared)
    for (std::size_t r = 0; r < kRanks.size(); ++r)
      calibration.rerank.push_back(places_needed(trials.back(), r, probes));
  const auto queries = static_cast<double>(calibration.queries);
  const auto kept = [&](std::size_t i, std::size_t rank) {
    return std::max<std::size_t>(lists[i], compared ? calibration.rerank[rank] : kRanks[rank]);
  };
  for (std::size_t i = 0; i < trials.size(); ++i) {
    std::size_t most = 0;  // that a search with this list holds
    for (std::size_t r = 0; r < kRanks.size() && kRanks[r] <= lists[i]; ++r) most = std::max(most, kept(i, r));
    if (compared && most > kept_at_first(lists[i])) trials[i] = try_list({lists[i], most});
    const SearchStatistics& done = trials[i].statistics;
    ListMeasurement list{lists[i],
                         rounded(static_cast<double>(done.hops) / queries),
                         rounded(static_cast<double>(done.distance_computations) / queries),
                         {},
                         {}};
    for (std::size_t r = 0; r < kRanks.size(); ++r) {
      const bool short_list = lists[i] < std::min<std::size_t>(kRanks[r], nodes);
      const double before = i == 0 ? 0.0 : calibration.lists.back().recall[r];
      list.recall.push_back(short_list ? 0.0 : std::max(before, rounded(trials[i].recall(r, kept(i, r), probes))));
      if (compared) list.compared.push_back(rounded(trials[i].compared(r, kept(i, r)) / queries));
    }
    calibration.lists.push_back(std::move(list));
  }
  return calibration;
}

std::size_t kept_for(const Calibration& calibration, std::size_t k) {
  if (calibration.rerank.empty()) return k;
  const double needed =
      for_k(calibration.k, k, [&](std::size_t rank) { return static_cast<double>(calibration.rerank[rank]); });
  return std::max(static_cast<std::size_t>(std::ceil(std::min(needed, double{base::kMaxSlots}))), k);
}

std::uint32_t known_list_size(const Calibration& calibration, std::size_t nodes, float recall, std::size_t k) {
  if (!(recall > 0 && recall <= 1))
    throw Error(ErrorCode::InvalidArgument, "a recall of " + std::to_string(recall) + " is not in (0, 1]");
  if (k == 0) return 1;
  if (nodes == 1)  // which every list finds
    return static_cast<std::uint32_t>(std::min<std::size_t>(k, base::kMaxSlots));
  if (calibration.queries == 0) {
    throw Error(ErrorCode::Unsupported, "the index does not know which list size gives which recall",
                "measure it: diskann tune, Index::calibrate; or give search_list_size");
  }
  if (const auto size = list_size_for(calibration, static_cast<double>(recall), k)) return *size;
  throw Error(ErrorCode::InvalidArgument,
              "no list that was measured finds the " + std::to_string(k) + " nearest with a recall of " +
                  std::to_string(recall),
              "measure longer lists: diskann tune, Index::calibrate; or give search_list_size, above " +
                  std::to_string(calibration.lists.back().search_list_size));
}

}  // namespace diskann::index

std::optional<std::uint32_t> diskann::list_size_for(const Calibration& calibration, double recall, std::size_t k) {
  if (calibration.k.empty() || calibration.lists.empty()) return std::nullopt;
  const double size =
      index::for_k(calibration.k, k, [&](std::size_t rank) { return index::list_size_at(calibration, rank, recall); });
  if (std::isnan(size)) return std::nullopt;
  const double whole = std::ceil(size * (1 - 1e-6));  // down to a millionth is a rounding error
  return static_cast<std::uint32_t>(
      std::min(std::max(whole, static_cast<double>(k)), static_cast<double>(base::kMaxSlots)));
}
