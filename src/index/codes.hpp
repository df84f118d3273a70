#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/row_store.hpp"
#include "base/shared_array.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/code_space.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::index {

/// What walks compare in place of rows.
struct Codes {
  Codec codec = Codec::None;
  base::RowStore rows;
  base::SharedArray<float> norms;          ///< as kernels of code_metric() take them; empty where they do without
  std::optional<quantization::Grid> grid;  ///< of 8 bits
  /// Of 4 bits; shared, so that it stays where it is while the codes move.
  std::shared_ptr<const quantization::NibbleGrid> nibbles;
};

/// Type of the codes of a codec, and the metric that compares them.
VectorType code_type(Codec codec, Distance metric) noexcept;
Distance code_metric(Codec codec, Distance metric) noexcept;
/// Bytes of one code.
std::size_t code_bytes(Codec codec, Distance metric, std::size_t dimension) noexcept;
/// Whether rows of a type have such codes: not where they are as small themselves. Not for Codec::Auto.
bool has_codes(Codec codec, VectorType rows) noexcept;

/// The codecs that this one stands for, smallest first, where rows of a type have such codes.
std::vector<Codec> codes_to_try(Codec codec, Distance metric, VectorType rows);

/// Throws InvalidArgument for rows that have no such codes: values beyond the range of f16.
void check_codec(Codec codec, const base::RowsView& rows, base::ThreadTeam& team);
/// Codes of all rows, which check_codec() has seen. Codec::None where there are none to make: rows that are as small
/// themselves, or all the same.
Codes make_codes(Codec codec, Distance metric, const base::RowsView& rows, base::ThreadTeam& team);
/// Whether codes are those of the rows, on their own grid. The rows are finite.
bool are_codes_of(const Codes& codes, Distance metric, const base::RowsView& rows, base::ThreadTeam& team);

/// `rows` and `norms` must outlive the space.
graph::CodeSpace code_space(const Codes& codes, Distance metric, const base::RowsView& rows, const float* norms);

}  // namespace diskann::index
