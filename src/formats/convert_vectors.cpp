#include <algorithm>
#include <string>

#include "base/convert.hpp"
#include "base/threads.hpp"
#include "diskann/vector_file.hpp"

namespace diskann {

namespace {

std::string component_text(const VectorView& vectors, std::size_t row, std::size_t column) {
  float value = 0;
  base::convert_row(vectors.row(row) + column * size_of(vectors.type()), vectors.type(),
                    reinterpret_cast<std::byte*>(&value), VectorType::F32, 1);
  return std::to_string(value);
}

}  // namespace

VectorSet convert_vectors(VectorView vectors, VectorType type, const Execution& execution) {
  VectorSet set(type, vectors.rows(), vectors.dimension());
  base::ProgressMeter meter(execution, "convert vectors", vectors.rows());
  constexpr std::size_t kRows = 1024;
  for (std::size_t first = 0; first < vectors.rows(); first += kRows) {
    base::check_cancelled(execution.cancel);
    const std::size_t count = std::min(kRows, vectors.rows() - first);
    for (std::size_t row = first; row < first + count; ++row) {
      const std::size_t column =
          base::convert_row(vectors.row(row), vectors.type(), set.row(row), type, vectors.dimension());
      if (column != base::kAllColumns)
        throw Error(ErrorCode::InvalidArgument, "row " + std::to_string(row) + ", column " + std::to_string(column) +
                                                    ": " + component_text(vectors, row, column) + " is no " +
                                                    std::string(to_string(type)) + " value");
    }
    meter.add(count);
  }
  return set;
}

}  // namespace diskann
