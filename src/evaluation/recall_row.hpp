#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "diskann/types.hpp"

namespace diskann::evaluation {

/// Throws InvalidArgument where recall@k of `found` against `truth` has no meaning: no queries, k = 0, other numbers
/// of queries, fewer than k columns.
void check_recall_input(const SearchResults& found, const SearchResults& truth, std::size_t k);

/// The true neighbours among the first k of a row; fewer than k where the base is smaller.
inline std::size_t true_neighbors(const SearchResults& truth, std::size_t row, std::size_t k) noexcept {
  std::size_t count = 0;
  while (count < k && truth.has_hit(row, count)) ++count;
  return count;
}

/// Columns of the first k found hits, padding and repeats of an id left out.
std::vector<std::size_t> distinct_hits(const SearchResults& found, std::size_t row, std::size_t k);

}  // namespace diskann::evaluation
