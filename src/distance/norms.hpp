#pragma once

#include <cstddef>
#include <string>

#include "diskann/types.hpp"

namespace diskann::distance {

/// Squared norm in double precision; the row may be unaligned. Not finite where an f32 component is not.
double squared_norm(const std::byte* row, VectorType type, std::size_t dimension) noexcept;

/// 1 / norm, rounded once; 0 for a zero vector. Vectors so short that this is beyond f32 get the largest float: their
/// products stay finite, their cosines are too small.
float inverse_norm(double squared_norm) noexcept;

/// Whether every component is finite and `squared_norm`, that of the row, is within f32.
bool is_usable(const std::byte* row, VectorType type, std::size_t dimension, double squared_norm) noexcept;

/// InvalidArgument that says why a row is not usable, with the column of the first NaN or infinity; `what` names it.
[[noreturn]] void throw_unusable(const std::byte* row, VectorType type, std::size_t dimension, const std::string& what);

}  // namespace diskann::distance
