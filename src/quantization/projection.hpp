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
  /// Adds to `values` what so much along each direction is.
  void add_back(const float* along, float* values) const noexcept;
};

/// The `first` directions in which centred rows vary most and the `next` ones behind them, turned at random inside each
/// part, which evens out how much lies along each. By subspace iteration on the products of components, of rows in F32.
/// The same at every thread count.
Projection find_directions(const base::RowsView& sample, std::size_t first, std::size_t next, base::ThreadTeam& team);

/// Directions in 32 bits, of so many components each.
struct Directions {
  std::size_t dimension = 0;
  std::vector<std::vector<float>> rows;
  std::vector<float> shares;  ///< how much of what centred rows vary by lies along each, of 1
  float covered = 0;          ///< along all
};
/// Those themselves, the strongest first.
Directions principal_directions(const base::RowsView& sample, std::size_t count, base::ThreadTeam& team);
/// Turns some of them at random, so that as much lies along each as along any other.
void turn(Directions& directions, std::size_t begin, std::size_t count, base::ThreadTeam& team);
/// Those at `order`, one after the other.
Projection in_bytes(const Directions& directions, const std::vector<std::size_t>& order);
/// Bytes that both take beside the sample, for so many directions of so many components.
std::uint64_t direction_bytes(std::uint64_t sample, std::size_t dimension, std::size_t count,
                              unsigned threads) noexcept;

}  // namespace diskann::quantization
