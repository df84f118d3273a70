#pragma once

#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"

namespace diskann::quantization {

/// Directions, each of length 1 but for rounding to 8 bits and where a sample varied along fewer, and what lies along
/// them.
struct Projection {
  base::RowStore directions;  ///< of I8
  std::vector<float> scales;  ///< what the bytes of each are multiplied with

  std::size_t count() const noexcept { return scales.size(); }
  /// out[i] = what of `values` lies along direction i; values are rounded to 8 bits by to_bytes(), into `bytes`, which
  /// are 64-byte aligned, as many as directions.stride, and zero behind the last.
  void apply(const float* values, std::int8_t* bytes, float* scratch, float* out) const noexcept;
};

/// The `first` directions in which centred rows vary most and the `next` ones behind them, turned at random inside each
/// part, which evens out how much lies along each. By subspace iteration on the products of components, of rows in F32.
/// The same at every thread count.
Projection find_directions(const base::RowsView& sample, std::size_t first, std::size_t next, base::ThreadTeam& team);

}  // namespace diskann::quantization
