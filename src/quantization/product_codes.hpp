#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "distance/centroids.hpp"

namespace diskann::quantization {

/// Components in chunks, each of which is said in 4 or 8 bits: which of 16 or 256 centroids is nearest (product
/// quantization, Jégou, Douze and Schmid 2011). The first chunks have a component more where not all have the same.
struct ProductShape {
  std::size_t dimension = 0, chunks = 0, bits = 8;
  std::size_t begin(std::size_t chunk) const noexcept {
    return chunk * (dimension / chunks) + std::min(chunk, dimension % chunks);
  }
  std::size_t length(std::size_t chunk) const noexcept { return begin(chunk + 1) - begin(chunk); }
  std::size_t centroids() const noexcept { return std::size_t{1} << bits; }
  std::size_t row_bytes() const noexcept { return (chunks * bits + 7) / 8; }
};
/// 2 bits a component.
ProductShape usual_shape(std::size_t dimension, std::size_t bits) noexcept;

struct ProductGrid {
  ProductShape shape;
  std::vector<float> mean;    ///< of each component; centroids are those of rows less that
  std::vector<float> values;  ///< centroids of all chunks, one after the other, as distance::Centroids has them
  /// What near rows have in common with what a code y' loses of a row y: of the product of y and y - y' this part.
  float shared = 1;
  distance::Centroids of(std::size_t chunk) const noexcept {
    return {values.data() + shape.begin(chunk) * shape.centroids(), shape.length(chunk), shape.centroids()};
  }
};

/// From a sample of the rows, times `inverse_norms` (by row) unless null. The same at every thread count.
ProductGrid train_product(const ProductShape& shape, const base::RowsView& rows, const float* inverse_norms,
                          base::ThreadTeam& team);
/// Bytes that takes.
std::uint64_t product_training_bytes(const ProductShape& shape, std::uint64_t rows, unsigned threads) noexcept;

/// Codes of rows, one right behind the other: a byte a chunk, or two chunks, of which the first is in the lower half.
struct ProductCodes {
  base::RowStore rows;
  /// Of each row, centred: with what its code stands for, with itself, and with the direction of the means.
  std::vector<float> products, squares, of_means;
};
ProductCodes encode_product(const ProductGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                            base::ThreadTeam& team);
/// Bytes that takes on each thread, beside the codes.
std::uint64_t product_encoding_bytes(const ProductShape& shape) noexcept;
/// What the code of a row stands for.
void decode_product(const ProductGrid& grid, const std::byte* code, float* values);

/// out[i] = what `tables`, a number for each centroid of each chunk, chunk after chunk, have for the code of row
/// slots[i], added up.
void look_up(const ProductShape& shape, const float* tables, const base::RowsView& rows, const base::Slot* slots,
             std::size_t count, float* out) noexcept;

}  // namespace diskann::quantization
