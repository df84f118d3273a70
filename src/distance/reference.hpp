#pragma once

#include <cstddef>

#include "diskann/types.hpp"

namespace diskann::distance {

/// The definition of each metric in double precision (integers: exactly), component by component. Slow; the oracle
/// of the kernels and of ground truth in tests. Both rows have `dimension` components of their own type.
double reference_distance(Distance metric, const std::byte* a, VectorType a_type, const std::byte* b, VectorType b_type,
                          std::size_t dimension);

/// Component `i` of a row, as a double.
double component(const std::byte* row, VectorType type, std::size_t i);

}  // namespace diskann::distance
