#include "index/choose_codes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "index/calibration.hpp"
#include "index/code_layout.hpp"
#include "index/drive_stops.hpp"

namespace diskann::index {
namespace {

// Comparing them with all rows is most of the work; codes are judged by more of them than recall is foretold by.
constexpr std::size_t kProbes = 128;
// Codes are compared with rows by recall@10: with a list of 100 (half of fewer rows), and with a short one, where codes
// that tell groups of rows apart but not the rows in them would pass the first, and have a list twice as long.
constexpr std::uint32_t kLong = 100, kShort = 20;
constexpr double kMostLost = 0.004;  // of the half a point that may be lost: probes are few

// Nanoseconds: of a distance, of each line of its row or of 4-bit codes, and of making codes of a query. They put rows
// and codes of the five sets of docs/benchmarks.md in the order of the times that queries took. Constants, since the
// same rows are to give the same index, whatever else the machine does.
constexpr double kDistance = 10, kLine = 2.15, kNibbleLine = 2.6, kEncode = 500;
constexpr double kWorthIt = 0.95;  // of the cost by rows

constexpr std::size_t kTen = 1;  // the rank of k = 10
static_assert(kRanks[kTen] == 10);

/// Walks by these codes, or by rows where there are none.
void walk_by(Index::State& state, Codes codes) {
  state.searcher.reset();
  state.codes = std::move(codes);
  state.make_searcher();
}

/// Nanoseconds that a query with this recall@10 is expected to take (or, where no list reaches that, one with the
/// longest list that was measured).
double expected_cost(const Index::State& state, const Calibration& calibration, double recall) {
  const auto& lists = calibration.lists;
  const std::uint32_t size = list_size_for(calibration, recall, 10).value_or(lists.back().search_list_size);
  const auto after =
      std::find_if(lists.begin(), lists.end(), [&](const auto& list) { return list.search_list_size >= size; });
  double distances = after->distance_computations;
  if (after != lists.begin() && after->search_list_size > size) {
    const ListMeasurement& before = *std::prev(after);
    distances -= (distances - before.distance_computations) * (after->search_list_size - size) /
                 (after->search_list_size - before.search_list_size);
  }
  const auto cost = [](const base::RowsView& rows, double line) {
    return kDistance + line * static_cast<double>(rows.stride) / 64;
  };
  const double of_rows = cost(state.rows, kLine);
  if (state.codes.codec == Codec::None) return distances * of_rows;
  const double of_codes = cost(state.codes.rows, on_nibble_grid(state.codes.codec) ? kNibbleLine : kLine);
  return kEncode + distances * of_codes + after->compared[kTen] * of_rows;
}

double recall_at(const Calibration& calibration, std::uint32_t size) {
  for (const ListMeasurement& list : calibration.lists)
    if (list.search_list_size == size) return list.recall[kTen];
  return 1;  // shorter ones found all
}

bool finds_as_much(const Calibration& by_codes, const Calibration& by_rows) {
  const std::uint32_t longest = by_rows.lists.back().search_list_size;
  if (by_codes.rerank[kTen] > longest + longest / 2) return false;  // they tell too little apart
  if (recall_at(by_codes, longest) < recall_at(by_rows, longest) - kMostLost) return false;
  return longest <= kShort || recall_at(by_codes, 2 * kShort) >= recall_at(by_rows, kShort) - kMostLost;
}

/// By cosine a row of zeros has distance 1 to everything, and not the half that codes of length 0 have: it is put that
/// much farther where nothing is to correct it.
Codes with_far_zeros(Codes codes, const Index::State& state) {
  const base::RowsView& rows = state.rows.view();
  const CodeLayout layout = code_layout(codes.codec, state.metric, rows.dimension, rows.rows);
  if (codes.codec == Codec::None || state.metric != Distance::Cosine || layout.means == 0) return codes;
  std::vector<float> factors(codes.factors.data(), codes.factors.data() + codes.factors.size());
  for (std::size_t i = 0; i < rows.rows; ++i)
    if (state.norms[i] == 0) factors[layout.factors * i] += 1;
  codes.factors = {std::move(factors)};
  return codes;
}

}  // namespace

void choose_codes(Index::State& state, const CodeChoice& choice, const VectorView& queries,
                  const Execution& execution) {
  walk_by(state, {});
  if (state.metric == Distance::Custom) return;
  base::ThreadTeam team(execution);
  const auto codes_of = [&](const CodeChoice& which) { return make_codes(which, state.metric, state.rows, team); };
  const auto measured = [&](const Probes& probes, std::span<const std::uint32_t> lists) {
    return measure(state, probes, lists, kEnough, execution);
  };
  const std::vector<CodeChoice> candidates =
      codes_to_try(choice, state.metric, state.rows.view().type, state.rows.view().dimension);
  const std::size_t most = candidates.empty() ? kProbes : kProbesOfCodes;
  const Probes probes = choose_probes(state.rows, state.metric, queries, most, execution);
  if (candidates.empty() || probes.limits.empty()) {
    state.calibration = measured(probes, kLists);
    return;
  }

  const std::size_t room = std::max<std::size_t>(kLists[0], std::min<std::size_t>(kLong, state.graph.nodes() / 2));
  std::vector<std::uint32_t> lists;
  for (const std::uint32_t size : kLists)
    if (size <= room && (size == kLists[0] || size == kShort || size == 2 * kShort || 2 * size > room))
      lists.push_back(size);
  const Calibration by_rows = measured(probes, lists);
  CodeChoice best;
  // Of both at the recall that was seen of both.
  const double recall = std::min(0.95, by_rows.lists.back().recall[kTen]);
  const double cost_by_rows = expected_cost(state, by_rows, recall);
  Calibration calibration;
  for (const CodeChoice& candidate : candidates) {
    walk_by(state, {});  // before others are made: no two take memory at once
    walk_by(state, codes_of(candidate));
    if (state.codes.codec == Codec::None) continue;
    Calibration by_codes = measured(probes, kLists);
    if (!finds_as_much(by_codes, by_rows)) continue;
    if (choice.codec == Codec::Auto && expected_cost(state, by_codes, recall) >= kWorthIt * cost_by_rows) continue;
    best = candidate;
    calibration = std::move(by_codes);
    break;  // those behind it are larger
  }
  if (state.codes.codec != best.codec) {
    walk_by(state, {});
    if (best.codec != Codec::None) walk_by(state, codes_of(best));
  }
  state.calibration = best.codec == Codec::None ? measured(probes, kLists) : std::move(calibration);
}

void keep_codes(Index::State& state, const CodeChoice& choice, bool alone, const VectorView& queries,
                const Execution& execution) {
  base::ThreadTeam team(execution);
  const base::RowsView rows = state.rows.view();
  Codes codes = make_codes(choice, state.metric, rows, team);
  if (codes.codec == Codec::None) {
    throw Error(ErrorCode::InvalidArgument,
                "these vectors have no codes " + std::string(to_string(choice.codec)) +
                    " that could take their place: all are the same, or they lie too far apart or too close",
                alone ? "choose another codec, or keep the vectors" : "choose another codec, or none");
  }
  walk_by(state, alone ? with_far_zeros(std::move(codes), state) : std::move(codes));
  const Probes probes = choose_probes(rows, state.metric, queries, kProbesOfCodes, execution);
  state.calibration = measure(state, probes, kLists, kEnough, execution, alone);
  if (!alone) return measure_stops(ground_of(state, state.codes), probes, state.calibration, execution);
  state.searcher.reset();
  state.rows = base::RowStore({nullptr, 0, rows.rows, rows.dimension, rows.type}, nullptr);
  state.norms = {};
  state.make_searcher();
}

}  // namespace diskann::index
