#pragma once

#include <cstddef>
#include <cstdint>

#include "diskann/index.hpp"

namespace diskann::index {

/// What every index demands of the queries that it is given: DimensionMismatch where theirs differs.
void check_queries(std::size_t dimension, const VectorView& queries);
/// The same for exactly one; else InvalidArgument.
void check_query(std::size_t dimension, const VectorView& query);
/// A list size as it was given; InvalidArgument out of range.
std::size_t checked_list_size(std::uint32_t search_list_size);
/// Results without hits so far. OutOfMemory where so many cannot be held.
SearchResults empty_results(std::size_t rows, std::size_t k, std::size_t points);

}  // namespace diskann::index
