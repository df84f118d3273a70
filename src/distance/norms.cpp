#include "distance/norms.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "diskann/distance.hpp"
#include "distance/half.hpp"
#include "distance/kernels.hpp"

namespace diskann::distance {
namespace {

constexpr std::size_t kLanes = 8;  // running sums side by side: a fixed order that compilers can vectorise

template <class T>
T load(const std::byte* row, std::size_t i) noexcept {
  T value;
  std::memcpy(&value, row + i * sizeof(T), sizeof(T));
  return value;
}

template <class Stored, class Value>
double sum_of_squares(const std::byte* row, std::size_t dimension, Value value) noexcept {
  double sums[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= dimension; i += kLanes) {
    for (std::size_t k = 0; k < kLanes; ++k) {
      const auto x = static_cast<double>(value(load<Stored>(row, i + k)));
      sums[k] += x * x;
    }
  }
  for (std::size_t k = 0; i + k < dimension; ++k) {
    const auto x = static_cast<double>(value(load<Stored>(row, i + k)));
    sums[k] += x * x;
  }
  double total = 0;
  for (const double sum : sums) total += sum;
  return total;
}

template <class Stored>
double sum_of_integer_squares(const std::byte* row, std::size_t dimension) noexcept {
  std::uint32_t total = 0;  // 65,535 x 255^2 fits
  for (std::size_t i = 0; i < dimension; ++i) {
    const int x = load<Stored>(row, i);
    total += static_cast<std::uint32_t>(x * x);
  }
  return total;
}

}  // namespace

double squared_norm(const std::byte* row, VectorType type, std::size_t dimension) noexcept {
  switch (type) {
    case VectorType::F32: return sum_of_squares<float>(row, dimension, [](float x) { return x; });
    case VectorType::F16: return sum_of_squares<std::uint16_t>(row, dimension, half_to_float);
    case VectorType::I8: return sum_of_integer_squares<std::int8_t>(row, dimension);
    case VectorType::U8: return sum_of_integer_squares<std::uint8_t>(row, dimension);
  }
  return 0;
}

float inverse_norm(double squared_norm) noexcept {
  if (squared_norm == 0) return 0;
  const double inverse = 1 / std::sqrt(squared_norm);
  return static_cast<float>(std::min<double>(inverse, std::numeric_limits<float>::max()));
}

bool is_usable(const std::byte* row, VectorType type, std::size_t dimension, double squared_norm) noexcept {
  if (type != VectorType::F16) return squared_norm <= std::numeric_limits<float>::max();
  // half_to_float takes all halves for finite, so that the sum does not show the others.
  std::uint32_t largest = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    largest = std::max<std::uint32_t>(largest, load<std::uint16_t>(row, i) & 0x7FFFu);
  }
  return largest < 0x7C00u;
}

void throw_unusable(const std::byte* row, VectorType type, std::size_t dimension, const std::string& what) {
  for (std::size_t i = 0; i < dimension; ++i) {
    const float value = type == VectorType::F32 ? load<float>(row, i) : static_cast<float>(load<float16>(row, i));
    if (std::isfinite(value)) continue;
    throw Error(ErrorCode::InvalidArgument, what + ", column " + std::to_string(i) +
                                                ": expected a finite number, found " +
                                                (std::isnan(value) ? "NaN"
                                                 : value > 0       ? "infinity"
                                                                   : "-infinity"));
  }
  throw Error(ErrorCode::InvalidArgument, what + ": the squared norm overflows f32", "scale the vectors down");
}

void squared_norms(const base::RowsView& rows, std::size_t first, std::size_t count, double* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = squared_norm(rows.row(first + i), rows.type, rows.dimension);
}

void inverse_norms(const base::RowsView& rows, std::size_t first, std::size_t count, float* out) {
  for (std::size_t i = 0; i < count; ++i) {
    out[i] = inverse_norm(squared_norm(rows.row(first + i), rows.type, rows.dimension));
  }
}

void row_norms(Distance metric, const base::RowsView& rows, std::size_t first, std::size_t count, float* out) {
  if (metric == Distance::Cosine) return inverse_norms(rows, first, count, out);
  std::fill_n(out, count, 0.0f);
  const bool integers = rows.type == VectorType::U8 || rows.type == VectorType::I8;
  if (metric != Distance::L2 || !integers) return;
  for (std::size_t i = 0; i < count; ++i) {
    const double norm = squared_norm(rows.row(first + i), rows.type, rows.dimension);
    out[i] = std::bit_cast<float>(static_cast<std::uint32_t>(norm));
  }
}

void check_finite(const VectorView& rows, std::uint64_t first_row) {
  if (rows.type() == VectorType::I8 || rows.type() == VectorType::U8) return;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const std::byte* row = rows.row(i);
    const double norm = rows.type() == VectorType::F32 ? squared_norm(row, VectorType::F32, rows.dimension()) : 0;
    if (!is_usable(row, rows.type(), rows.dimension(), norm)) {
      throw_unusable(row, rows.type(), rows.dimension(), "row " + std::to_string(first_row + i));
    }
  }
}

}  // namespace diskann::distance

namespace diskann {

void check_finite(VectorView vectors) { distance::check_finite(vectors, 0); }

}  // namespace diskann
