#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "base/threads.hpp"
#include "diskann/vector_file.hpp"

namespace diskann {

namespace {

template <class Source, class Target>
bool convert_one(Source source, Target& target) {
  const auto value = static_cast<float>(source);
  if constexpr (std::is_same_v<Target, float>) {
    target = value;
  } else if constexpr (std::is_same_v<Target, float16>) {
    target = float16(value);
    return std::isfinite(static_cast<float>(target)) || !std::isfinite(value);
  } else {
    // NaN fails both comparisons.
    if (!(value >= static_cast<float>(std::numeric_limits<Target>::min()) &&
          value <= static_cast<float>(std::numeric_limits<Target>::max())) ||
        value != std::trunc(value))
      return false;
    target = static_cast<Target>(value);
  }
  return true;
}

/// Index of the first component that the target cannot take, or `dimension`.
template <class Source, class Target>
std::size_t convert_row(const std::byte* in, std::byte* out, std::size_t dimension) {
  for (std::size_t i = 0; i < dimension; ++i) {
    Source source;
    std::memcpy(&source, in + i * sizeof source, sizeof source);
    Target target;
    if (!convert_one(source, target)) return i;
    std::memcpy(out + i * sizeof target, &target, sizeof target);
  }
  return dimension;
}

using RowFunction = std::size_t (*)(const std::byte*, std::byte*, std::size_t);

template <class Source>
RowFunction row_function(VectorType target) {
  switch (target) {
    case VectorType::F32: return convert_row<Source, float>;
    case VectorType::F16: return convert_row<Source, float16>;
    case VectorType::I8: return convert_row<Source, std::int8_t>;
    case VectorType::U8: return convert_row<Source, std::uint8_t>;
  }
  return convert_row<Source, float>;
}

RowFunction row_function(VectorType source, VectorType target) {
  switch (source) {
    case VectorType::F32: return row_function<float>(target);
    case VectorType::F16: return row_function<float16>(target);
    case VectorType::I8: return row_function<std::int8_t>(target);
    case VectorType::U8: return row_function<std::uint8_t>(target);
  }
  return row_function<float>(target);
}

float component(const VectorView& vectors, std::size_t row, std::size_t column) {
  float value = 0;
  row_function(vectors.type(), VectorType::F32)(vectors.row(row) + column * size_of(vectors.type()),
                                                reinterpret_cast<std::byte*>(&value), 1);
  return value;
}

}  // namespace

VectorSet convert_vectors(VectorView vectors, VectorType type, const Execution& execution) {
  VectorSet set(type, vectors.rows(), vectors.dimension());
  const RowFunction convert = row_function(vectors.type(), type);
  base::ProgressMeter meter(execution, "convert vectors", vectors.rows());
  constexpr std::size_t kRows = 1024;
  for (std::size_t first = 0; first < vectors.rows(); first += kRows) {
    base::check_cancelled(execution.cancel);
    const std::size_t count = std::min(kRows, vectors.rows() - first);
    for (std::size_t row = first; row < first + count; ++row) {
      const std::size_t column = convert(vectors.row(row), set.row(row), vectors.dimension());
      if (column != vectors.dimension())
        throw Error(ErrorCode::InvalidArgument, "row " + std::to_string(row) + ", column " + std::to_string(column) +
                                                    ": " + std::to_string(component(vectors, row, column)) + " is no " +
                                                    std::string(to_string(type)) + " value");
    }
    meter.add(count);
  }
  return set;
}

}  // namespace diskann
