#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/random.hpp"
#include "diskann/types.hpp"
#include "distance/reference.hpp"

namespace diskann::testing {

inline constexpr VectorType kTypes[] = {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8};
inline constexpr Distance kMetrics[] = {Distance::L2, Distance::Cosine, Distance::InnerProduct};

inline void set_component(VectorSet& set, std::size_t row, std::size_t column, double value) {
  std::byte* out = set.row(row) + column * size_of(set.type());
  const auto put = [out](auto typed) { std::memcpy(out, &typed, sizeof typed); };
  switch (set.type()) {
    case VectorType::F32: return put(static_cast<float>(value));
    case VectorType::F16: return put(float16(static_cast<float>(value)));
    case VectorType::I8: return put(static_cast<std::int8_t>(value));
    case VectorType::U8: return put(static_cast<std::uint8_t>(value));
  }
}

/// Whole numbers in a small range: every distance but cosine is exact in every type, and many are tied.
inline VectorSet random_integers(VectorType type, std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  VectorSet set(type, rows, dimension);
  base::Random random(base::mix(seed));
  const double lowest = type == VectorType::U8 ? 0 : -4;
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t d = 0; d < dimension; ++d) set_component(set, i, d, lowest + static_cast<double>(random.below(9)));
  }
  return set;
}

/// Real numbers for the float types, the whole range for the others.
inline VectorSet random_vectors(VectorType type, std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  VectorSet set(type, rows, dimension);
  base::Random random(base::mix(seed));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t d = 0; d < dimension; ++d) {
      const double value = size_of(type) > 1        ? 2 * random.uniform() - 1
                           : type == VectorType::U8 ? static_cast<double>(random.below(256))
                                                    : static_cast<double>(random.below(256)) - 128;
      set_component(set, i, d, value);
    }
  }
  return set;
}

struct OracleHit {
  double distance;
  std::uint64_t id;
  friend bool operator<(const OracleHit& a, const OracleHit& b) {
    return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
  }
};

/// Every row by the definition of the metric in double precision, sorted by (distance, id).
inline std::vector<OracleHit> oracle(const VectorView& base, const VectorView& query, Distance metric) {
  std::vector<OracleHit> hits(base.rows());
  for (std::size_t i = 0; i < base.rows(); ++i) {
    hits[i] = {
        distance::reference_distance(metric, query.row(0), query.type(), base.row(i), base.type(), base.dimension()),
        i};
  }
  std::sort(hits.begin(), hits.end());
  return hits;
}

}  // namespace diskann::testing
