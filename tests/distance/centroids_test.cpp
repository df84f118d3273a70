// Points against centroids, of every instruction set of this machine: the same as sums one after the other.
#include "distance/centroids.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.hpp"
#include "distance/dispatch.hpp"

namespace diskann::distance {
namespace {

TEST(Centroids, AreComparedAsOneAfterTheOther) {
  base::Random random(11);
  for (const std::size_t count : {16u, 32u, 256u}) {
    for (const std::size_t length : {1u, 2u, 3u, 4u, 7u, 33u}) {
      std::vector<float> values(count * length), point(length);
      for (float& value : values) value = static_cast<float>(random.normal());
      for (float& value : point) value = static_cast<float>(random.normal());
      std::vector<float> squares(count), products(count);
      for (std::size_t k = 0; k < count; ++k) {
        for (std::size_t j = 0; j < length; ++j) {
          const float difference = point[j] - values[j * count + k];
          squares[k] += difference * difference;
          products[k] += point[j] * values[j * count + k];
        }
      }
      const auto nearest = std::min_element(squares.begin(), squares.end());
      const Centroids centroids{values.data(), length, count};
      for (const std::string& isa : available_isas()) {
        const CentroidKernels& kernels = centroid_kernels_for(isa);
        std::vector<float> out(count);
        kernels.products(centroids, point.data(), out.data());
        EXPECT_EQ(out, products) << isa << " " << count << " " << length;
        const NearestCentroid found = kernels.nearest(centroids, point.data());
        EXPECT_EQ(found.index, nearest - squares.begin()) << isa << " " << count << " " << length;
        EXPECT_EQ(found.square, *nearest);
      }
    }
  }
}

TEST(Centroids, OfEqualsTheFirstIsNearest) {
  std::vector<float> values(256, 5.0f);
  const float point = 2;
  for (const std::string& isa : available_isas()) {
    for (const std::size_t first : {0u, 3u, 15u, 16u, 130u, 255u}) {
      std::vector<float> some = values;
      for (std::size_t k = first; k < 256; k += 1 + first % 7) some[k] = k % 2 == 0 ? 1.0f : 3.0f;
      const NearestCentroid found = centroid_kernels_for(isa).nearest({some.data(), 1, 256}, &point);
      EXPECT_EQ(found.index, first) << isa;
      EXPECT_EQ(found.square, 1.0f);
    }
    // Beyond what squares have room for.
    const std::vector<float> far(256, 3e38f);
    EXPECT_EQ(centroid_kernels_for(isa).nearest({far.data(), 1, 256}, &point).index, 0u) << isa;
  }
}

}  // namespace
}  // namespace diskann::distance
