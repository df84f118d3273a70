#pragma once

#include <cstddef>
#include <cstdint>

namespace diskann::distance {

/// Centroids of a few components: component j of centroid k is values[j * count + k]. A multiple of 16 of them, up to
/// 256.
struct Centroids {
  const float* values = nullptr;
  std::size_t length = 0, count = 0;
};
struct NearestCentroid {
  std::uint32_t index = 0;
  float square = 0;  ///< of the distance
};

/// A point against centroids. Component after component is added, each sum rounded: the same on every processor.
struct CentroidKernels {
  /// out[k] = the product with centroid k.
  void (*products)(const Centroids& centroids, const float* point, float* out);
  /// The first of equals.
  NearestCentroid (*nearest)(const Centroids& centroids, const float* point);
};
const CentroidKernels& centroid_kernels();

}  // namespace diskann::distance
