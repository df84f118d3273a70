#pragma once

#include "base/row_store.hpp"

namespace diskann::quantization {

/// The components of rows of f32 or f16, times the inverse norm where there are such.
class RowReader {
 public:
  RowReader(const base::RowsView& rows, const float* inverse_norms) : rows_(rows), inverse_norms_(inverse_norms) {}
  /// f(component, value) for each.
  template <class F>
  void for_each(std::size_t row, const F& f) const {
    const float scale = inverse_norms_ == nullptr ? 1.0f : inverse_norms_[row];
    if (rows_.type == VectorType::F32) {
      const auto* values = reinterpret_cast<const float*>(rows_.row(row));
      for (std::size_t j = 0; j < rows_.dimension; ++j) f(j, values[j] * scale);
    } else {
      const auto* values = reinterpret_cast<const float16*>(rows_.row(row));
      for (std::size_t j = 0; j < rows_.dimension; ++j) f(j, static_cast<float>(values[j]) * scale);
    }
  }

 private:
  const base::RowsView& rows_;
  const float* inverse_norms_;
};

}  // namespace diskann::quantization
