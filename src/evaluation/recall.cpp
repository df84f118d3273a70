#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "diskann/evaluation.hpp"
#include "evaluation/recall_row.hpp"

namespace diskann {
namespace evaluation {

void check_recall_input(const SearchResults& found, const SearchResults& truth, std::size_t k) {
  const auto refuse = [](const std::string& message, const char* hint = "") {
    throw Error(ErrorCode::InvalidArgument, message, hint);
  };
  if (k == 0) refuse("recall@0 has no meaning", "ask for k of 1 or more");
  if (found.rows != truth.rows) {
    refuse("results of " + std::to_string(found.rows) + " queries cannot be compared with the truth of " +
               std::to_string(truth.rows),
           "both must come from the same queries");
  }
  if (found.rows == 0) refuse("empty input: no queries");
  if (truth.k < k) {
    refuse("recall@" + std::to_string(k) + " needs " + std::to_string(k) + " true neighbours a query, the truth has " +
               std::to_string(truth.k),
           "compute a ground truth with a larger k, or ask for a smaller one");
  }
  if (found.k < k) {
    refuse("recall@" + std::to_string(k) + " needs " + std::to_string(k) + " hits a query, the results have " +
               std::to_string(found.k),
           "search with a larger k, or ask for a smaller one");
  }
}

std::vector<std::size_t> distinct_hits(std::span<const std::uint64_t> found, std::size_t k) {
  std::vector<std::size_t> columns;
  std::unordered_set<std::uint64_t> seen;
  for (std::size_t i = 0; i < k; ++i) {
    if (found[i] != kNoId && seen.insert(found[i]).second) columns.push_back(i);
  }
  return columns;
}

}  // namespace evaluation

namespace {

/// Two roundings of one distance; cosine distances near 0 keep few digits, so `scale` is the largest of the row.
bool agree(float a, float b, float scale) { return std::fabs(a - b) <= 1e-5f * scale; }

/// Whether both sides report the same measure in the same convention, told by the ids that both have. Truth files
/// come with squared and plain Euclidean distances, similarities of either sign, and 1 - cos; found distances may be
/// estimates.
bool distances_mean_the_same(const SearchResults& found, const SearchResults& truth, std::size_t k) {
  if (found.distances.size() != found.ids.size() || truth.distances.size() != truth.ids.size()) return false;
  std::uint64_t same = 0, different = 0;
  for (std::size_t row = 0; row < truth.rows; ++row) {
    const auto ids = truth.ids_of(row);
    const auto distances = truth.distances_of(row);
    std::unordered_map<std::uint64_t, float> known;
    float scale = 0;
    for (std::size_t i = 0; i < evaluation::true_neighbors(ids, k); ++i) {
      known.emplace(ids[i], distances[i]);
      scale = std::max(scale, std::fabs(distances[i]));
    }
    for (const std::size_t i : evaluation::distinct_hits(found.ids_of(row), k)) {
      const auto match = known.find(found.ids_of(row)[i]);
      if (match == known.end()) continue;
      ++(agree(found.distances_of(row)[i], match->second, scale) ? same : different);
    }
  }
  return same > 0 && different <= same / 100;
}

}  // namespace

double recall_at(const SearchResults& found, const SearchResults& truth, std::size_t k) {
  evaluation::check_recall_input(found, truth, k);
  const bool by_distance = distances_mean_the_same(found, truth, k);
  const bool truth_has_distances = truth.distances.size() == truth.ids.size();
  double sum = 0;
  for (std::size_t row = 0; row < truth.rows; ++row) {
    const auto ids = truth.ids_of(row);
    const std::size_t wanted = evaluation::true_neighbors(ids, k);
    if (wanted == 0) {  // nothing to find, nothing missed
      sum += 1;
      continue;
    }
    std::size_t last = wanted;  // behind the last tie with the k-th
    if (truth_has_distances) {
      const auto distances = truth.distances_of(row);
      while (last < truth.k && ids[last] != kNoId && distances[last] == distances[wanted - 1]) ++last;
    }
    const std::unordered_set<std::uint64_t> right(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(last));
    std::size_t hits = 0;
    for (const std::size_t i : evaluation::distinct_hits(found.ids_of(row), k)) {
      const bool near = by_distance && found.distances_of(row)[i] <= truth.distances_of(row)[wanted - 1];
      if (near || right.contains(found.ids_of(row)[i])) ++hits;
    }
    sum += static_cast<double>(std::min(hits, wanted)) / static_cast<double>(wanted);
  }
  return sum / static_cast<double>(truth.rows);
}

}  // namespace diskann
