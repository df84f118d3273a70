#pragma once

#include <string_view>

#include "diskann/types.hpp"

namespace diskann::cli {

/// Subtracts the mean of all rows from each. The rows must be f32.
void center_rows(VectorSet& vectors);
/// Scales every row to length 1; a zero row stays. The rows must be f32.
void normalize_rows(VectorSet& vectors);

enum class Quantization { MinMax, Standard };
/// "minmax" or "standard". Throws InvalidArgument.
Quantization parse_quantization(std::string_view name);
/// Replaces components by whole numbers of 8 bits (`type` I8 or U8): the range of all components, or three standard
/// deviations on both sides of their mean, is spread over the 256 values; what lies outside is cut. The rows must be
/// f32.
void quantize_rows(VectorSet& vectors, Quantization quantization, VectorType type);

}  // namespace diskann::cli
