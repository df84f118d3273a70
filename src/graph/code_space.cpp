#include "graph/code_space.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/convert.hpp"

namespace diskann::graph {

CodeSpace::Query CodeSpace::prepare(const VectorView& query, Buffer& buffer) const {
  const distance::Query row = buffer.row.prepare(query, rows().type);
  if (!nibbles_ && !grid_) return {buffer.code.prepare(query, codes_.rows().type), row, {}};
  const std::size_t dimension = query.dimension();
  base::convert_row(query.row(0), query.type(), reinterpret_cast<std::byte*>(buffer.values.data()), VectorType::F32,
                    dimension);
  // In steps of the grid. By products any length puts rows in the same order: one that uses the whole grid loses least.
  std::vector<float>& steps = buffer.values;
  if (nibbles_) return {{}, row, prepare_nibbles(row.inverse_norm, buffer)};
  if (grid_->type == VectorType::I8) {
    float largest = 0;
    for (const float value : steps) largest = std::max(largest, std::abs(value));
    for (float& value : steps) value = largest > 0 ? value / largest * 127.0f : 0.0f;
  } else {
    for (float& value : steps) value = (value - grid_->zero) / grid_->step;
  }
  buffer.bytes.resize(dimension);
  if (!quantization::encode(grid_->type, steps.data(), dimension, buffer.bytes.data())) {
    float squares = 0;
    for (const float value : steps) squares += value * value;
    // Beyond that even f32 has no room: from so far away the ends of the grid do as well.
    if (squares < 0x1p100f) return {buffer.code.prepare(VectorView(steps.data(), 1, dimension), grid_->type), row, {}};
  }
  distance::Query code = buffer.code.prepare({buffer.bytes.data(), grid_->type, 1, dimension, dimension}, grid_->type);
  code.inverse_norm *= grid_->step;  // rows are of length 1 before they are codes
  return {code, row, {}};
}

/// Any length puts rows in the same order, so that the whole range of 8 bits is used.
distance::NibbleQuery CodeSpace::prepare_nibbles(float inverse_norm, Buffer& buffer) const {
  const quantization::NibbleGrid& grid = *nibbles_->grid;
  std::vector<float>& values = buffer.values;
  const float scale = nibbles_->metric == Distance::Cosine ? inverse_norm : 1.0f;
  std::uint32_t largest = 0;  // as bits, whose order is that of magnitudes: loops with it become vectors
  for (std::size_t j = 0; j < values.size(); ++j) {
    values[j] = values[j] * scale - grid.mean[j];
    largest = std::max(largest, std::bit_cast<std::uint32_t>(values[j]) & 0x7FFFFFFFu);
  }
  const float most = std::bit_cast<float>(largest);
  for (std::size_t j = 0; j < values.size(); ++j) {
    const float place = std::min(std::max(-127.0f, values[j] / most * 127.0f), 127.0f);  // NaN becomes the least
    buffer.nibbles[j] = static_cast<std::int8_t>(quantization::round_to_whole(place));
  }
  // By inner product no length of a query changes the order of rows.
  const bool products = nibbles_->metric == Distance::InnerProduct;
  return {buffer.nibbles.data(), &grid.places, products ? 1.0f : -2.0f * (most / 127.0f) * grid.step};
}

}  // namespace diskann::graph
