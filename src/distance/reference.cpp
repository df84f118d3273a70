#include "distance/reference.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace diskann::distance {
namespace {

template <class T>
T load(const std::byte* row, std::size_t i) {
  T value;
  std::memcpy(&value, row + i * sizeof(T), sizeof(T));
  return value;
}

}  // namespace

double component(const std::byte* row, VectorType type, std::size_t i) {
  switch (type) {
    case VectorType::F32: return static_cast<double>(load<float>(row, i));
    case VectorType::F16: return static_cast<double>(static_cast<float>(load<float16>(row, i)));
    case VectorType::I8: return load<std::int8_t>(row, i);
    case VectorType::U8: return load<std::uint8_t>(row, i);
  }
  return 0;
}

double reference_distance(Distance metric, const std::byte* a, VectorType a_type, const std::byte* b, VectorType b_type,
                          std::size_t dimension) {
  // Sums of products of bytes stay far below 2^53, so that doubles hold them exactly.
  double squares = 0, dot = 0, a_norm = 0, b_norm = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    const double x = component(a, a_type, i), y = component(b, b_type, i);
    squares += (x - y) * (x - y);
    dot += x * y;
    a_norm += x * x;
    b_norm += y * y;
  }
  switch (metric) {
    case Distance::L2: return squares;
    case Distance::InnerProduct: return 0 - dot;
    case Distance::Cosine:
      if (a_norm == 0 || b_norm == 0) return 1;
      return std::clamp(1 - dot / (std::sqrt(a_norm) * std::sqrt(b_norm)), 0.0, 2.0);
    case Distance::Custom: break;
  }
  throw Error(ErrorCode::Internal, "a custom distance has no reference");
}

}  // namespace diskann::distance
