#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/checked.hpp"

namespace diskann::quantization {

/// A random rotation of vectors, filled up with zeros to a multiple of 64: four rounds of random signs, a fast Hadamard
/// transform of the first or the last components, as many as a power of two, and a turn of each component of the first
/// half with one of the second (a step of Kac's walk). As in RaBitQ's library (Gao, Gou, Xu, et al. 2024). The same for
/// all vectors of a dimension: it is part of the file format.
class Rotation {
 public:
  explicit Rotation(std::size_t dimension = 0);
  std::size_t padded() const noexcept { return padded_; }
  std::size_t bytes() const noexcept { return signs_.size() * sizeof(float); }
  /// In place.
  void apply(float* values) const noexcept;
  void revert(float* values) const noexcept;

 private:
  void change_signs(std::size_t round, float* values) const noexcept;
  void mix(std::size_t round, float* values) const noexcept;
  void turn(float* values) const noexcept;

  std::size_t padded_, block_;
  std::vector<float> signs_;  // 1 or -1, of each round
};

}  // namespace diskann::quantization
