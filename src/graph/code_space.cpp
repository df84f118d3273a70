#include "graph/code_space.hpp"

#include <algorithm>
#include <cmath>

#include "base/convert.hpp"

namespace diskann::graph {

CodeSpace::Query CodeSpace::prepare(const VectorView& query, Buffer& buffer) const {
  const distance::Query row = buffer.row.prepare(query, rows().type);
  if (!grid_) return {buffer.code.prepare(query, codes_.rows().type), row};
  const std::size_t dimension = query.dimension();
  base::convert_row(query.row(0), query.type(), reinterpret_cast<std::byte*>(buffer.values.data()), VectorType::F32,
                    dimension);
  // In steps of the grid. By products any length puts rows in the same order: one that uses the whole grid loses least.
  std::vector<float>& steps = buffer.values;
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
    if (squares < 0x1p100f) return {buffer.code.prepare(VectorView(steps.data(), 1, dimension), grid_->type), row};
  }
  distance::Query code = buffer.code.prepare({buffer.bytes.data(), grid_->type, 1, dimension, dimension}, grid_->type);
  code.inverse_norm *= grid_->step;  // rows are of length 1 before they are codes
  return {code, row};
}

}  // namespace diskann::graph
