#include "evaluation/recall_row.hpp"

#include <string>
#include <unordered_set>

namespace diskann::evaluation {

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

std::vector<std::size_t> distinct_hits(const SearchResults& found, std::size_t row, std::size_t k) {
  std::vector<std::size_t> columns;
  std::unordered_set<std::uint64_t> seen;
  for (std::size_t i = 0; i < k; ++i) {
    if (found.has_hit(row, i) && seen.insert(found.ids_of(row)[i]).second) columns.push_back(i);
  }
  return columns;
}

}  // namespace diskann::evaluation
