#pragma once

#include <cstddef>
#include <cstdint>

namespace diskann::quantization {

/// Centroids of points of a few components, by Lloyd's k-means from points drawn at random; where no point is nearest
/// to a centroid it moves to one that is far from its own. `points`: `rows` (at least one) of `length` floats.
/// `centroids`: as distance::Centroids has them. With fewer different points than centroids some are the same. On every
/// processor the same.
void learn_centroids(const float* points, std::size_t rows, std::size_t length, std::size_t count, std::uint64_t seed,
                     float* centroids);

}  // namespace diskann::quantization
