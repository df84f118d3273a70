#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "distance/centroids.hpp"
#include "quantization/projection.hpp"

namespace diskann::quantization {

/// Components in chunks, each of which is said in 4 or 8 bits: which of 16 or 256 centroids is nearest (product
/// quantization, Jégou, Douze and Schmid 2011).
struct ProductShape {
  std::size_t dimension = 0, chunks = 0, bits = 8;
  /// Chunks are made of what lies along so many directions, found in the rows: each strong one with few others or none
  /// (as optimized product quantization, Ge et al. 2013, for data whose components are normally distributed).
  bool along_directions = false;
  /// Of each chunk, and the dimension; empty: all have as many components, but the first ones one more where that is
  /// not whole.
  std::vector<std::uint32_t> starts = {};
  std::size_t begin(std::size_t chunk) const noexcept {
    return starts.empty() ? chunk * (dimension / chunks) + std::min(chunk, dimension % chunks) : starts[chunk];
  }
  std::size_t length(std::size_t chunk) const noexcept { return begin(chunk + 1) - begin(chunk); }
  std::size_t centroids() const noexcept { return std::size_t{1} << bits; }
  std::size_t row_bytes() const noexcept { return (chunks * bits + 7) / 8; }
};
/// For rows of so many components; 2 bits a component where `chunks` is 0. Along directions, as many as training looks
/// at, unless finding those would take longer than a graph does.
ProductShape product_shape(std::size_t dimension, std::size_t bits, std::size_t chunks = 0);

struct ProductGrid {
  ProductShape shape;
  std::vector<float> mean;    ///< of each component of a row; centroids are those of rows less that
  std::vector<float> values;  ///< centroids of all chunks, one after the other, as distance::Centroids has them
  /// What near rows have in common with what a code y' loses of a row y: of the product of y and y - y' this part.
  float shared = 1;
  std::shared_ptr<const Projection> projection = nullptr;  ///< what chunks are made of; none: the components themselves
  distance::Centroids of(std::size_t chunk) const noexcept {
    return {values.data() + shape.begin(chunk) * shape.centroids(), shape.length(chunk), shape.centroids()};
  }
};

/// From a sample of the rows, times `inverse_norms` (by row) unless null. The same at every thread count. Where less of
/// what rows vary by lies along the directions of the shape than codes would lose, components are taken.
ProductGrid train_product(const ProductShape& wanted, const base::RowsView& rows, const float* inverse_norms,
                          base::ThreadTeam& team);
/// Bytes that takes, for rows of so many components.
std::uint64_t product_training_bytes(const ProductShape& shape, std::size_t dimension, std::uint64_t rows,
                                     unsigned threads);

/// Codes of rows, one right behind the other: a byte a chunk, or two chunks, of which the first is in the lower half.
struct ProductCodes {
  base::RowStore rows;
  /// Of each row, centred: with what its code stands for, with itself, and with the direction of the means.
  std::vector<float> products, squares, of_means;
};
ProductCodes encode_product(const ProductGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                            base::ThreadTeam& team);
/// Bytes that takes on each thread, beside the codes.
std::uint64_t product_encoding_bytes(std::size_t dimension) noexcept;
/// Of a row or a query, less the means, what chunks are made of. Memory as Projection::apply wants it.
void see_chunks(const ProductGrid& grid, const float* values, std::int8_t* bytes, float* scratch, float* seen) noexcept;
/// What the code of a row stands for; what no direction sees is left to the means.
void decode_product(const ProductGrid& grid, const std::byte* code, float* values);

/// out[i] = what `tables`, a number for each centroid of each chunk, chunk after chunk, have for the code of row
/// slots[i], added up.
void look_up(const ProductShape& shape, const float* tables, const base::RowsView& rows, const base::Slot* slots,
             std::size_t count, float* out) noexcept;

}  // namespace diskann::quantization
