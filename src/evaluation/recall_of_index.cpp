#include <algorithm>
#include <string>
#include <vector>

#include "diskann/evaluation.hpp"
#include "evaluation/recall_row.hpp"

namespace diskann {

double recall_at(const Index& index, VectorView queries, const SearchResults& found, const SearchResults& truth,
                 std::size_t k) {
  evaluation::check_recall_input(found, truth, k);
  if (queries.rows() != truth.rows) {
    throw Error(ErrorCode::InvalidArgument,
                std::to_string(queries.rows()) + " queries do not fit a truth of " + std::to_string(truth.rows));
  }
  // Distances of codes alone do not say which rows are neighbours.
  if (!index.has_vectors()) return recall_at({found.rows, found.k, found.ids, {}}, truth, k);
  double sum = 0;
  std::vector<std::uint64_t> ids;
  std::vector<float> distances;
  const auto measure = [&](std::size_t row, const char* side, const char* hint) {
    distances.resize(ids.size());
    try {
      index.distances(queries.slice(row, 1), ids, distances);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::NotFound) throw;
      throw Error(ErrorCode::NotFound, std::string(side) + ", query " + std::to_string(row) + ": " + error.what(),
                  hint);
    }
  };
  for (std::size_t row = 0; row < truth.rows; ++row) {
    const auto true_ids = truth.ids_of(row);
    const std::size_t wanted = evaluation::true_neighbors(truth, row, k);
    if (wanted == 0) {  // nothing to find, nothing missed
      sum += 1;
      continue;
    }
    ids.assign(true_ids.begin(), true_ids.begin() + static_cast<std::ptrdiff_t>(wanted));
    measure(row, "ground truth", "the truth was made for other vectors than those of this index");
    const float limit = *std::max_element(distances.begin(), distances.end());

    ids.clear();
    for (const std::size_t i : evaluation::distinct_hits(found, row, k)) ids.push_back(found.ids_of(row)[i]);
    measure(row, "results", "the results come from another index");
    const auto hits = static_cast<std::size_t>(
        std::count_if(distances.begin(), distances.end(), [&](float distance) { return distance <= limit; }));
    sum += static_cast<double>(std::min(hits, wanted)) / static_cast<double>(wanted);
  }
  return sum / static_cast<double>(truth.rows);
}

}  // namespace diskann
