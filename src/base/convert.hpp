#pragma once

#include <cstddef>

#include "diskann/types.hpp"

namespace diskann::base {

inline constexpr std::size_t kAllColumns = static_cast<std::size_t>(-1);

/// Converts one row between component types without changing what it says: integers and f32 go to f16 by rounding where
/// they are in its range (integers only where exact), everything goes to 8 bits only where it is an integer in range.
/// Returns kAllColumns, or the first column that cannot be converted; `to` is then unspecified.
std::size_t convert_row(const std::byte* from, VectorType from_type, std::byte* to, VectorType to_type,
                        std::size_t dimension) noexcept;

}  // namespace diskann::base
