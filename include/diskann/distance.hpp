#pragma once

#include <memory>
#include <span>
#include <string>

#include "diskann/types.hpp"

namespace diskann {

/// A distance between f32 vectors. Derive from it to build and search an index by a measure of your own; it is then
/// called from several threads at once and must be deterministic and symmetric. Smaller is nearer, NaN is not allowed.
class DISKANN_EXPORT DistanceFunction {
 public:
  virtual ~DistanceFunction();
  /// Distance of two vectors of equal length.
  virtual float distance(std::span<const float> a, std::span<const float> b) const = 0;
  /// Distances of `query` to each of distances.size() points that stand one after the other in `points`.
  /// The default calls distance() for each.
  virtual void batch_distance(std::span<const float> query, std::span<const float> points,
                              std::span<float> distances) const;
  /// Distance::Custom unless the function is one of the library's own.
  virtual Distance metric() const;
  /// Kept in index files, so that an index is not opened with another function by mistake.
  virtual std::string name() const = 0;
};

/// The library's own distance for `dimension` components, by the best kernel of this processor.
/// Both calls throw DimensionMismatch where lengths do not fit. Throws InvalidArgument for Distance::Custom.
DISKANN_EXPORT std::unique_ptr<DistanceFunction> create_distance_function(Distance metric, std::size_t dimension);

/// What building and searching refuse: InvalidArgument that names row and column of the first NaN or infinity, or the
/// row whose squared norm overflows f32.
DISKANN_EXPORT void check_finite(VectorView vectors);

}  // namespace diskann
