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
  float scale = 1;
  if (grid_->type ==
      VectorType::I8) {  // any length puts rows in the same order: one that uses the whole grid loses least
    float largest = 0;
    for (const float value : buffer.values) largest = std::max(largest, std::abs(value));
    if (largest > 0) scale = 127.0f * grid_->step / largest;
  }
  for (float& value : buffer.values) value *= scale;
  buffer.bytes.resize(dimension);
  if (quantization::encode(*grid_, buffer.values.data(), dimension, buffer.bytes.data())) {
    distance::Query code =
        buffer.code.prepare({buffer.bytes.data(), grid_->type, 1, dimension, dimension}, grid_->type);
    code.inverse_norm *= grid_->step;  // rows are of length 1 before they are codes
    return {code, row};
  }
  for (float& value : buffer.values) value = (value - grid_->zero) / grid_->step;
  return {buffer.code.prepare(VectorView(buffer.values.data(), 1, dimension), grid_->type), row};
}

}  // namespace diskann::graph
