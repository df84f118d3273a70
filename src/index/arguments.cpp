#include "index/arguments.hpp"

#include <exception>
#include <limits>
#include <string>

#include "base/checked.hpp"

namespace diskann::index {
namespace {

constexpr std::uint32_t kMaxListSize = 100'000'000;

}  // namespace

void check_queries(std::size_t dimension, const VectorView& queries) {
  if (queries.dimension() == dimension) return;
  throw Error(ErrorCode::DimensionMismatch, "the query has " + std::to_string(queries.dimension()) +
                                                " dimensions, the index has " + std::to_string(dimension));
}

void check_query(std::size_t dimension, const VectorView& query) {
  check_queries(dimension, query);
  if (query.rows() == 1) return;
  throw Error(ErrorCode::InvalidArgument, "one query expected, " + std::to_string(query.rows()) + " rows given",
              "use search_batch for several queries");
}

std::size_t checked_list_size(std::uint32_t search_list_size) {
  if (search_list_size >= 1 && search_list_size <= kMaxListSize) return search_list_size;
  throw Error(ErrorCode::InvalidArgument, "search_list_size must be 1 to " + std::to_string(kMaxListSize) + ", not " +
                                              std::to_string(search_list_size));
}

SearchResults empty_results(std::size_t rows, std::size_t k, std::size_t points) {
  SearchResults results;
  results.rows = rows;
  results.k = k;
  const std::uint64_t cells = base::checked_multiply(rows, k, "results", ErrorCode::InvalidArgument);
  try {
    results.ids.assign(cells, kNoId);
    results.distances.assign(cells, std::numeric_limits<float>::infinity());
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(ErrorCode::OutOfMemory,
                "cannot hold " + std::to_string(k) + " hits for each of " + std::to_string(rows) + " queries",
                "ask for fewer: the index has " + std::to_string(points) + " points");
  }
  return results;
}

}  // namespace diskann::index
