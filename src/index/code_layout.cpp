#include "index/code_layout.hpp"

#include <algorithm>

#include "distance/kernels.hpp"
#include "distance/planes.hpp"
#include "graph/search.hpp"
#include "quantization/nibble_codes.hpp"
#include "quantization/product_codes.hpp"

namespace diskann::index {

bool on_nibble_grid(Codec codec) noexcept { return codec == Codec::SQ4 || codec == Codec::Mix; }

distance::NibbleShape nibble_shape(Codec codec, std::size_t dimension) noexcept {
  return codec == Codec::Mix ? quantization::mixed_shape(dimension) : distance::NibbleShape{0, dimension};
}

std::size_t plane_bits(Codec codec) noexcept {
  if (codec < Codec::RaBitQ1 || codec > Codec::RaBitQ8) return 0;
  return static_cast<std::size_t>(codec) - static_cast<std::size_t>(Codec::RaBitQ1) + 1;
}

std::size_t product_bits(Codec codec) noexcept {
  if (codec == Codec::PQ4) return 4;
  return codec == Codec::PQ8 ? 8 : 0;
}

VectorType code_type(Codec codec, Distance metric) noexcept {
  if (codec == Codec::F16) return VectorType::F16;
  return metric == Distance::L2 ? VectorType::U8 : VectorType::I8;
}

Distance code_metric(Codec codec, Distance metric) noexcept {
  if (codec != Codec::SQ8 || metric == Distance::L2) return metric;
  // Codes are those of rows of length 1. Products order them as cosines do, without norms; and lengths in the place of
  // inverse norms turn their cosines into products.
  return metric == Distance::Cosine ? Distance::InnerProduct : Distance::Cosine;
}

CodeLayout code_layout(const CodeChoice& codes, Distance metric, std::size_t dimension, std::uint64_t rows) {
  const Codec codec = codes.codec;
  if (on_nibble_grid(codec)) {
    const distance::NibbleShape shape = nibble_shape(codec, dimension);
    const std::size_t factors = metric == Distance::InnerProduct ? 2 : 1;
    CodeLayout layout{VectorType::U8, shape.row_bytes(), false, factors, 4, dimension};
    if (codec == Codec::Mix) {
      const std::size_t directions = quantization::directions_of(shape, dimension);
      layout.directions = directions * (base::row_stride(VectorType::I8, dimension) + sizeof(float));
    }
    return layout;
  }
  if (const std::size_t bits = plane_bits(codec)) {
    const std::size_t bytes = distance::plane_row_bytes(base::round_up(dimension, 64), bits);
    return {VectorType::U8, bytes, true, 2, 4, dimension};
  }
  if (const std::size_t bits = product_bits(codec)) {
    const quantization::ProductShape shape = quantization::product_shape(dimension, bits, codes.chunks);
    const std::size_t factors = metric == Distance::InnerProduct ? 2 : 1;
    CodeLayout layout{VectorType::U8, shape.row_bytes(), true, factors, 4, dimension};
    layout.centroids = dimension * shape.centroids() * sizeof(float);  // at most: fewer directions may be enough
    if (shape.along_directions)
      layout.directions = shape.dimension * (base::row_stride(VectorType::I8, dimension) + sizeof(float));
    return layout;
  }
  if (codec == Codec::LVQ8) return {VectorType::I8, dimension, false, 3, 6, dimension};
  const VectorType type = code_type(codec, metric);
  const bool norms = distance::has_norms(code_metric(codec, metric), type, dimension, rows);
  return {type, dimension, false, norms ? std::size_t{1} : 0, 1, 0, 0};
}

std::uint64_t training_bytes(const CodeChoice& codes, std::uint64_t rows, std::size_t dimension, unsigned threads) {
  if (codes.codec == Codec::Mix) return quantization::mixed_training_bytes(dimension, threads);
  if (const std::size_t bits = product_bits(codes.codec))
    return quantization::product_training_bytes(quantization::product_shape(dimension, bits, codes.chunks), dimension,
                                                rows, threads);
  return std::uint64_t{2} << 20;  // samples of values
}

std::uint64_t coding_bytes(const CodeChoice& codes, std::size_t dimension) {
  const std::size_t bits = product_bits(codes.codec);
  if (bits == 0) return 0;
  const quantization::ProductShape shape = quantization::product_shape(dimension, bits, codes.chunks);
  const std::uint64_t tables = graph::kWalks * shape.chunks * shape.centroids() * sizeof(float);
  return std::max(tables, quantization::product_encoding_bytes(dimension));
}

bool has_codes(Codec codec, VectorType rows, std::size_t dimension) noexcept {
  const bool floats = rows == VectorType::F32 || rows == VectorType::F16;
  if (codec == Codec::F16) return rows == VectorType::F32;
  if (codec == Codec::SQ8 || codec == Codec::LVQ8) return floats;
  if (codec == Codec::SQ4 || product_bits(codec) != 0) return true;
  if (codec == Codec::Mix) return dimension <= quantization::kMostMixed;
  return plane_bits(codec) != 0 && dimension <= distance::kMostInPlanes;
}

std::vector<CodeChoice> codes_to_try(const CodeChoice& codes, Distance metric, VectorType rows, std::size_t dimension) {
  if (metric == Distance::Custom) return {};
  std::vector<CodeChoice> tried{Codec::SQ4, Codec::SQ8};
  if (codes.codec != Codec::Auto) tried = {codes};
  std::erase_if(tried, [&](const CodeChoice& which) { return !has_codes(which.codec, rows, dimension); });
  return tried;
}

}  // namespace diskann::index
