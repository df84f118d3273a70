#pragma once

#include <span>
#include <vector>

#include "diskann/types.hpp"
#include "graph/candidate_list.hpp"
#include "index/point_table.hpp"

namespace diskann::index {

/// As hits are ordered; a file of others can bring values that are no numbers, which must not confuse sorting.
inline bool is_before(const Hit& a, const Hit& b) noexcept {
  const auto left = graph::sortable(a.distance), right = graph::sortable(b.distance);
  return left != right ? left < right : a.id < b.id;
}

/// The nearest points of nodes that are sorted by distance; returns how many. `scratch` keeps its memory.
std::size_t take_nearest(const PointTable& points, std::span<const graph::Candidate> sorted, std::span<Hit> hits,
                         std::vector<Hit>& scratch);

}  // namespace diskann::index
