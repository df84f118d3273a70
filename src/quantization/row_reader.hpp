#pragma once

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

}  // namespace diskann::quantization
