#include <algorithm>
#include <cmath>
#include <unordered_map>
#include <unordered_set>

#include "diskann/evaluation.hpp"
#include "evaluation/recall_row.hpp"

namespace diskann {
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
    for (std::size_t i = 0; i < evaluation::true_neighbors(truth, row, k); ++i) {
      known.emplace(ids[i], distances[i]);
      scale = std::max(scale, std::fabs(distances[i]));
    }
    for (const std::size_t i : evaluation::distinct_hits(found, row, k)) {
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
    const std::size_t wanted = evaluation::true_neighbors(truth, row, k);
    if (wanted == 0) {  // nothing to find, nothing missed
      sum += 1;
      continue;
    }
    std::size_t last = wanted;  // behind the last tie with the k-th
    if (truth_has_distances) {
      const auto distances = truth.distances_of(row);
      while (last < truth.k && truth.has_hit(row, last) && distances[last] == distances[wanted - 1]) ++last;
    }
    const std::unordered_set<std::uint64_t> right(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(last));
    std::size_t hits = 0;
    for (const std::size_t i : evaluation::distinct_hits(found, row, k)) {
      const bool near = by_distance && found.distances_of(row)[i] <= truth.distances_of(row)[wanted - 1];
      if (near || right.contains(found.ids_of(row)[i])) ++hits;
    }
    sum += static_cast<double>(std::min(hits, wanted)) / static_cast<double>(wanted);
  }
  return sum / static_cast<double>(truth.rows);
}

}  // namespace diskann
