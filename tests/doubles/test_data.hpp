#pragma once

#include <cstdint>
#include <vector>

#include "base/random.hpp"
#include "base/row_store.hpp"
#include "diskann/types.hpp"

namespace diskann::doubles {

/// Rows drawn around a few centres, in any type, the same for the same seed. Floats are not integral.
inline VectorSet clustered(VectorType type, std::size_t rows, std::size_t dimension, std::uint64_t seed,
                           std::size_t clusters = 8) {
  VectorSet set(type, rows, dimension);
  base::Random random(seed);
  std::vector<double> centres(clusters * dimension);
  for (double& value : centres) value = random.uniform() * 160.0 - 80.0;
  for (std::size_t i = 0; i < rows; ++i) {
    const std::size_t cluster = random.below(clusters);
    for (std::size_t j = 0; j < dimension; ++j) {
      const double value = centres[cluster * dimension + j] + (random.uniform() - 0.5) * 60.0;
      std::byte* at = set.row(i) + j * size_of(type);
      switch (type) {
        case VectorType::F32: *reinterpret_cast<float*>(at) = static_cast<float>(value); break;
        case VectorType::F16: *reinterpret_cast<float16*>(at) = float16(static_cast<float>(value)); break;
        case VectorType::I8: *reinterpret_cast<std::int8_t*>(at) = static_cast<std::int8_t>(value); break;
        case VectorType::U8: *reinterpret_cast<std::uint8_t*>(at) = static_cast<std::uint8_t>(value + 128.0); break;
      }
    }
  }
  return set;
}

/// The rows padded, as the rooms below the index take them.
inline base::RowStore store_of(const VectorSet& set) {
  base::RowStore store(set.type(), set.rows(), set.dimension());
  for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set, i, store.row(i));
  return store;
}

}  // namespace diskann::doubles
