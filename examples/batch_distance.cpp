// The distances of one query to a thousand points in one call, by the best kernel of this processor.
#include <cstdio>
#include <span>
#include <vector>

#include "diskann/diskann.hpp"

int main() {
  constexpr std::size_t kDimension = 128, kPoints = 1000;
  std::vector<float> query(kDimension), points(kPoints * kDimension), distances(kPoints);
  for (std::size_t i = 0; i < query.size(); ++i) query[i] = static_cast<float>(i % 7);
  for (std::size_t i = 0; i < points.size(); ++i) points[i] = static_cast<float>(i % 11);

  const auto function = diskann::create_distance_function(diskann::Distance::L2, kDimension);
  function->batch_distance(query, points, distances);

  // Each agrees with the definition, the sum of squared differences (here integers, so exactly).
  for (std::size_t i = 0; i < kPoints; ++i) {
    const std::span<const float> point(points.data() + i * kDimension, kDimension);
    float expected = 0;
    for (std::size_t j = 0; j < kDimension; ++j) expected += (query[j] - point[j]) * (query[j] - point[j]);
    if (distances[i] != expected || function->distance(query, point) != expected) {
      std::printf("point %zu: %g, expected %g\n", i, distances[i], expected);
      return 1;
    }
  }
  std::printf("%zu distances (%s) by %s, the first is %g\n", kPoints, function->name().c_str(),
              diskann::system_info().isa.c_str(), distances[0]);
  return function->metric() == diskann::Distance::L2 ? 0 : 1;
}
