#pragma once

#include "base/row_store.hpp"

namespace diskann::quantization {

/// The components of rows, times the inverse norm where there are such.
class RowReader {
 public:
  RowReader(const base::RowsView& rows, const float* inverse_norms) : rows_(rows), inverse_norms_(inverse_norms) {}
  /// f(component, value) for each.
  template <class F>
  void for_each(std::size_t row, const F& f) const {
    const float scale = inverse_norms_ == nullptr ? 1.0f : inverse_norms_[row];
    const auto read = [&](const auto* values) {
      for (std::size_t j = 0; j < rows_.dimension; ++j) f(j, static_cast<float>(values[j]) * scale);
    };
    const std::byte* const bytes = rows_.row(row);
    switch (rows_.type) {
      case VectorType::F32: return read(reinterpret_cast<const float*>(bytes));
      case VectorType::F16: return read(reinterpret_cast<const float16*>(bytes));
      case VectorType::U8: return read(reinterpret_cast<const std::uint8_t*>(bytes));
      case VectorType::I8: return read(reinterpret_cast<const std::int8_t*>(bytes));
    }
  }

 private:
  const base::RowsView& rows_;
  const float* inverse_norms_;
};

}  // namespace diskann::quantization
