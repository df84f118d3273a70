#pragma once

#include <algorithm>
#include <memory>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "distance/nibbles.hpp"
#include "quantization/projection.hpp"

namespace diskann::quantization {

/// Places for components: a component less its mean, or what lies along a direction of such, in steps, is rounded to
/// one of 128 whole numbers or of 16 places.
struct NibbleGrid {
  std::vector<float> mean;  ///< of each component
  float step = 0;
  distance::NibblePlaces places{};
  distance::NibbleShape shape;
  std::shared_ptr<const Projection> projection;  ///< none: the components themselves are rounded
  /// What a code loses of its row, a neighbour is taken to lie along by so much of it.
  float shared = 1;
};

/// Means of the rows, times `inverse_norms` (by row) unless null, and the places that a sample of their components is
/// nearest to (Lloyd and Max). The step is 0 where all are the same.
NibbleGrid train_nibbles(const base::RowsView& rows, const float* inverse_norms);

/// The shape of codes along directions, for rows of so many components, and how many directions a shape wants of them:
/// what stands behind those in the last line of bytes is nothing.
distance::NibbleShape mixed_shape(std::size_t dimension) noexcept;
constexpr std::size_t directions_of(const distance::NibbleShape& shape, std::size_t dimension) noexcept {
  return std::min(shape.bytes, dimension) + shape.nibbles;
}
/// Up to so many components: training takes memory for the square of them.
inline constexpr std::size_t kMostMixed = 4096;
/// The same along the directions in which a sample of the rows varies most, turned at random among the first ones, of
/// which each takes a byte, and among those of 4 bits, so that one step does for all (a form of LeanVec, Tepper et al.
/// 2023, with two resolutions).
NibbleGrid train_mixed(const base::RowsView& rows, const float* inverse_norms, base::ThreadTeam& team);
/// What that takes for a while, at most.
std::uint64_t mixed_training_bytes(std::size_t dimension, unsigned threads) noexcept;

/// Codes of rows; `products[i]`, `squares[i]` and `of_means[i]`: of the row, centred, with its code, itself, and the
/// direction of the means.
struct NibbleCodes {
  base::RowStore rows;
  std::vector<float> products, squares, of_means;
};
NibbleCodes encode_nibbles(const NibbleGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                           base::ThreadTeam& team);

/// What the code of a row stands for, of all its components; what no direction sees is left to the means.
void decode_nibbles(const NibbleGrid& grid, const std::byte* code, float* values);

}  // namespace diskann::quantization
