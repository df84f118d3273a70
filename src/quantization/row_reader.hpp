#pragma once

#include <cmath>
#include <vector>

#include "base/random.hpp"
#include "base/row_store.hpp"

namespace diskann::quantization {

/// The components of rows, times the inverse norm where there are such.
class RowReader {
 public:
  RowReader(const base::RowsView& rows, const float* inverse_norms) : rows_(rows), inverse_norms_(inverse_norms) {}
  std::size_t dimension() const noexcept { return rows_.dimension; }
  /// All of a row.
  void read(std::size_t row, float* values) const {
    with(row, [&](const auto* components, float scale) { scaled(components, scale, rows_.dimension, values); });
  }
  /// f(component, value) for each.
  template <class F>
  void for_each(std::size_t row, const F& f) const {
    with(row, [&](const auto* components, float scale) {
      for (std::size_t j = 0; j < rows_.dimension; ++j) f(j, static_cast<float>(components[j]) * scale);
    });
  }

 private:
  template <class F>
  void with(std::size_t row, const F& f) const {
    const float scale = inverse_norms_ == nullptr ? 1.0f : inverse_norms_[row];
    const std::byte* const bytes = rows_.row(row);
    switch (rows_.type) {
      case VectorType::F32: return f(reinterpret_cast<const float*>(bytes), scale);
      case VectorType::F16: return f(reinterpret_cast<const float16*>(bytes), scale);
      case VectorType::U8: return f(reinterpret_cast<const std::uint8_t*>(bytes), scale);
      case VectorType::I8: return f(reinterpret_cast<const std::int8_t*>(bytes), scale);
    }
  }
  /// Becomes vectors.
  template <class T>
  static void scaled(const T* __restrict components, float scale, std::size_t count, float* __restrict values) {
    for (std::size_t j = 0; j < count; ++j) values[j] = static_cast<float>(components[j]) * scale;
  }

  const base::RowsView& rows_;
  const float* inverse_norms_;
};

/// The mean of each component, of 4,096 of so many rows.
inline std::vector<float> means_of(const RowReader& reader, std::size_t rows) {
  constexpr std::size_t kSampleRows = 4096;
  std::vector<double> sums(reader.dimension());
  const auto sample = base::sample(rows, kSampleRows, base::Random(2));
  for (const base::Slot slot : sample)
    reader.for_each(slot, [&](std::size_t j, float value) { sums[j] += static_cast<double>(value); });
  std::vector<float> means(sums.size());
  for (std::size_t j = 0; j < means.size(); ++j)
    means[j] = static_cast<float>(sums[j] / static_cast<double>(sample.size()));
  return means;
}

/// The same, of length 1 unless they are all 0, with zeros up to so many: products with them have room in a float.
inline std::vector<float> direction_of(const std::vector<float>& means, std::size_t padded) {
  double square = 0;
  for (const float mean : means) square += static_cast<double>(mean) * static_cast<double>(mean);
  std::vector<float> direction(padded);
  for (std::size_t j = 0; square > 0 && j < means.size(); ++j)
    direction[j] = static_cast<float>(static_cast<double>(means[j]) / std::sqrt(square));
  return direction;
}

/// Takes the means from a row. Becomes vectors, as the loops that scalar_codes.hpp has.
inline void centre(const float* __restrict means, std::size_t count, float* __restrict values) noexcept {
  for (std::size_t j = 0; j < count; ++j) values[j] -= means[j];
}

}  // namespace diskann::quantization
