#include "transform.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "diskann/error.hpp"
#include "diskann/evaluation.hpp"
#include "interrupt.hpp"

namespace diskann::cli {
namespace {

/// Calls `change` with each row, through a copy: the bytes of a set are no array of floats.
template <class Change>
void for_each_row(VectorSet& vectors, const Change& change) {
  std::vector<float> row(vectors.dimension());
  for (std::size_t i = 0; i < vectors.rows(); ++i) {
    throw_if_interrupted();
    std::memcpy(row.data(), vectors.row(i), vectors.row_bytes());
    change(std::span<float>(row));
    std::memcpy(vectors.row(i), row.data(), vectors.row_bytes());
  }
}

}  // namespace

void center_rows(VectorSet& vectors) {
  std::vector<double> mean(vectors.dimension());
  for_each_row(vectors, [&](std::span<float> row) {
    for (std::size_t d = 0; d < row.size(); ++d) mean[d] += static_cast<double>(row[d]);
  });
  for (double& value : mean) value /= static_cast<double>(std::max<std::size_t>(vectors.rows(), 1));
  for_each_row(vectors, [&](std::span<float> row) {
    for (std::size_t d = 0; d < row.size(); ++d) {
      row[d] = static_cast<float>(static_cast<double>(row[d]) - mean[d]);
    }
  });
}

void normalize_rows(VectorSet& vectors) {
  for_each_row(vectors, [](std::span<float> row) {
    double squares = 0;
    for (const float value : row) squares += static_cast<double>(value) * static_cast<double>(value);
    if (squares == 0) return;
    const double factor = 1 / std::sqrt(squares);
    for (float& value : row) value = static_cast<float>(static_cast<double>(value) * factor);
  });
}

Quantization parse_quantization(std::string_view name) {
  if (name == "minmax") return Quantization::MinMax;
  if (name == "standard") return Quantization::Standard;
  throw Error(ErrorCode::InvalidArgument, "unknown quantization '" + std::string(name) + "'", "use minmax or standard");
}

void quantize_rows(VectorSet& vectors, Quantization quantization, VectorType type) {
  const VectorStatistics statistics = analyze_vectors(vectors);
  if (statistics.not_finite != 0) {
    throw Error(ErrorCode::InvalidArgument,
                "row " + std::to_string(statistics.first_not_finite_row) + " holds NaN or infinity");
  }
  double low = statistics.smallest, high = statistics.largest;
  if (quantization == Quantization::Standard) {
    low = statistics.mean - 3 * statistics.standard_deviation;
    high = statistics.mean + 3 * statistics.standard_deviation;
  }
  const double scale = high > low ? 255 / (high - low) : 0;
  const double first = type == VectorType::I8 ? -128 : 0;
  for_each_row(vectors, [&](std::span<float> row) {
    for (float& value : row) {
      const double place = std::clamp((static_cast<double>(value) - low) * scale, 0.0, 255.0);
      value = static_cast<float>(std::round(place) + first);
    }
  });
}

}  // namespace diskann::cli
