#pragma once

#include <cstdint>
#include <vector>

#include "diskann/index.hpp"
#include "distance/nibbles.hpp"

namespace diskann::index {

/// What is known of the codes of a codec without the rows: which rows have some, and how large they are.

/// A codec and, of product codes, how many chunks: 0 where that is left to the codec.
struct CodeChoice {
  CodeChoice(Codec which = Codec::None, std::uint32_t of_product = 0) : codec(which), chunks(of_product) {}
  Codec codec;
  std::uint32_t chunks;
};

/// Whether codes of a codec stand for places on a NibbleGrid, and of what shape they are for rows of a dimension.
bool on_nibble_grid(Codec codec) noexcept;
distance::NibbleShape nibble_shape(Codec codec, std::size_t dimension) noexcept;
/// Bits of codes in planes; 0 for others.
std::size_t plane_bits(Codec codec) noexcept;

/// Bits of codes that stand for a chunk of components; 0 for others.
std::size_t product_bits(Codec codec) noexcept;

/// Type of the codes of f16 and sq8, and the metric that compares them.
VectorType code_type(Codec codec, Distance metric) noexcept;
Distance code_metric(Codec codec, Distance metric) noexcept;

/// How large codes are.
struct CodeLayout {
  VectorType type = VectorType::U8;
  std::size_t dimension = 0;                  ///< components of that type in a row
  bool packed = false;                        ///< rows of bytes stand one right behind the other, else they are padded
  std::size_t factors = 0;                    ///< floats beside each row, for the kernels
  std::size_t made = 0;                       ///< floats of each row while codes are made
  std::size_t means = 0;                      ///< floats of all rows together
  std::size_t directions = 0, centroids = 0;  ///< bytes of all, where such were learnt
  std::size_t stride() const noexcept { return packed ? dimension : base::row_stride(type, dimension); }
};
/// Of so many rows: scalar codes have norms where those pay.
CodeLayout code_layout(const CodeChoice& codes, Distance metric, std::size_t dimension, std::uint64_t rows);

/// Bytes that learning from rows takes for a while.
std::uint64_t training_bytes(const CodeChoice& codes, std::uint64_t rows, std::size_t dimension, unsigned threads);
/// Bytes for each thread while rows are encoded or queries are prepared, beyond a few rows of theirs.
std::uint64_t coding_bytes(const CodeChoice& codes, std::size_t dimension);

/// Whether rows of a type have such codes: not where they are as small themselves. Not for Codec::Auto.
bool has_codes(Codec codec, VectorType rows, std::size_t dimension) noexcept;
/// The codecs that this one stands for, smallest first, where rows of a type have such codes.
std::vector<CodeChoice> codes_to_try(const CodeChoice& codes, Distance metric, VectorType rows, std::size_t dimension);

}  // namespace diskann::index
