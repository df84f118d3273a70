#pragma once

#include <algorithm>
#include <vector>

#include "diskann/types.hpp"
#include "distance/reference.hpp"

namespace diskann::index {

/// All rows by double-precision distance, nearest first, ties by row.
inline std::vector<std::pair<double, std::uint64_t>> exact_order(const VectorView& base, const VectorView& query,
                                                                 Distance metric) {
  std::vector<std::pair<double, std::uint64_t>> order;
  for (std::size_t i = 0; i < base.rows(); ++i) {
    order.emplace_back(
        distance::reference_distance(metric, query.row(0), query.type(), base.row(i), base.type(), base.dimension()),
        i);
  }
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace diskann::index
