// A point against centroids.
#include "distance/centroids.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/centroids.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <limits>

#include "distance/simd_compat-inl.h"

HWY_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

#if DISKANN_SIMD

using Numbers = hn::CappedTag<float, 16>;
using NumberVector = hn::VFromD<Numbers>;
inline constexpr std::size_t kLanes = hn::MaxLanes(Numbers());
inline constexpr std::size_t kAtOnce = 16 / kLanes;  // vectors of 16 centroids

struct Squares {
  static HWY_INLINE NumberVector add(NumberVector sum, NumberVector point, NumberVector centroid) {
    const auto difference = hn::Sub(point, centroid);
    return hn::Add(sum, hn::Mul(difference, difference));
  }
};
struct Products {
  static HWY_INLINE NumberVector add(NumberVector sum, NumberVector point, NumberVector centroid) {
    return hn::Add(sum, hn::Mul(point, centroid));
  }
};

/// f(first, sums): sums of 16 centroids from `first` on, in vectors.
template <class Sum, class F>
HWY_INLINE void for_each_group(const Centroids& centroids, const float* point, const F& f) {
  const Numbers d;
  for (std::size_t first = 0; first < centroids.count; first += 16) {
    NumberVector sums[kAtOnce];
    for (auto& sum : sums) sum = hn::Zero(d);
    const float* values = centroids.values + first;
    for (std::size_t j = 0; j < centroids.length; ++j, values += centroids.count) {
      const auto component = hn::Set(d, point[j]);
      for (std::size_t i = 0; i < kAtOnce; ++i)
        sums[i] = Sum::add(sums[i], component, hn::LoadU(d, values + i * kLanes));
    }
    f(first, sums);
  }
}

void multiply_centroids(const Centroids& centroids, const float* point, float* out) {
  const Numbers d;
  for_each_group<Products>(centroids, point, [&](std::size_t first, const NumberVector* sums) HWY_ATTR {
    for (std::size_t i = 0; i < kAtOnce; ++i) hn::StoreU(sums[i], d, out + first + i * kLanes);
  });
}

NearestCentroid nearest_centroid(const Centroids& centroids, const float* point) {
  const Numbers d;
  const hn::RebindToUnsigned<Numbers> places;
  auto best = hn::Set(d, std::numeric_limits<float>::infinity());
  auto of_best = hn::Zero(places);
  for_each_group<Squares>(centroids, point, [&](std::size_t first, const NumberVector* sums) HWY_ATTR {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      const auto nearer = hn::Lt(sums[i], best);
      best = hn::IfThenElse(nearer, sums[i], best);
      of_best = hn::IfThenElse(hn::RebindMask(places, nearer),
                               hn::Set(places, static_cast<std::uint32_t>(first + i * kLanes)), of_best);
    }
  });
  alignas(64) float squares[kLanes];
  alignas(64) std::uint32_t firsts[kLanes];
  hn::Store(best, d, squares);
  hn::Store(of_best, places, firsts);
  NearestCentroid found{firsts[0], squares[0]};
  for (std::uint32_t lane = 1; lane < kLanes; ++lane) {
    const std::uint32_t index = firsts[lane] + lane;
    if (squares[lane] < found.square || (squares[lane] == found.square && index < found.index))
      found = {index, squares[lane]};
  }
  return found;
}

#else

struct Squares {
  static float add(float sum, float point, float centroid) {
    const float difference = point - centroid;
    return sum + difference * difference;
  }
};
struct Products {
  static float add(float sum, float point, float centroid) { return sum + point * centroid; }
};

void multiply_centroids(const Centroids& centroids, const float* point, float* out) {
  for (std::size_t k = 0; k < centroids.count; ++k) {
    out[k] = 0;
    for (std::size_t j = 0; j < centroids.length; ++j)
      out[k] = Products::add(out[k], point[j], centroids.values[j * centroids.count + k]);
  }
}

NearestCentroid nearest_centroid(const Centroids& centroids, const float* point) {
  NearestCentroid found{0, std::numeric_limits<float>::infinity()};
  for (std::size_t k = 0; k < centroids.count; ++k) {
    float square = 0;
    for (std::size_t j = 0; j < centroids.length; ++j)
      square = Squares::add(square, point[j], centroids.values[j * centroids.count + k]);
    if (square < found.square) found = {static_cast<std::uint32_t>(k), square};
  }
  return found;
}

#endif  // DISKANN_SIMD

const CentroidKernels* find_centroids() {
  static constexpr CentroidKernels kKernels{multiply_centroids, nearest_centroid};
  return &kKernels;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetCentroids> centroid_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_centroids},
  static constexpr TargetCentroids kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
