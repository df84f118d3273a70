#pragma once

#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "distance/planes.hpp"
#include "quantization/rotation.hpp"

namespace diskann::quantization {

/// How rows become codes of 1 to 8 bits (RaBitQ, Gao and Long 2024, Gao et al. 2025): less their means they are turned
/// at random, and each component is rounded to a place on a grid of the row's own step.
struct PlaneGrid {
  std::vector<float> mean;  ///< of each component
  Rotation rotation;
  std::size_t bits = 1;
};

/// Means of the rows, times `inverse_norms` (by row) unless null.
PlaneGrid train_planes(const base::RowsView& rows, const float* inverse_norms, std::size_t bits);

/// Codes of rows; `products[i]` and `squares[i]`: of the row, centred, with what its code stands for in steps, and with
/// itself, and `of_means[i]` of the row with the direction of the means. By them the product with any query that does
/// not know the rotation is, on average, what products of codes say times squares / products.
struct PlaneCodes {
  base::RowStore rows;
  std::vector<float> products, squares, of_means;
};
PlaneCodes encode_planes(const PlaneGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                         base::ThreadTeam& team);

/// What the code of a row stands for, one step being `scale`.
void decode_planes(const PlaneGrid& grid, const std::byte* code, float scale, float* values);

}  // namespace diskann::quantization
