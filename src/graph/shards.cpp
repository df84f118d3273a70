#include "graph/shards.hpp"

#include <algorithm>
#include <numeric>

#include "distance/centroids.hpp"
#include "quantization/kmeans.hpp"

namespace diskann::graph {

ShardCenters::ShardCenters(const float* points, std::size_t rows, std::size_t length, std::size_t count,
                           std::uint64_t seed)
    : length_(length), centers_(count * length), halves_(count) {
  quantization::learn_centroids(points, rows, length, count, seed, centers_.data());
  for (std::size_t j = 0; j < length; ++j)
    for (std::size_t k = 0; k < count; ++k) halves_[k] += centers_[j * count + k] * centers_[j * count + k] / 2;
}

ShardCenters::Near ShardCenters::nearest(const float* point, float* work) const {
  distance::centroid_kernels().products({centers_.data(), length_, size()}, point, work);
  for (std::size_t k = 0; k < size(); ++k) work[k] = halves_[k] - work[k];
  std::array<Shard, kMost> order;
  std::iota(order.begin(), order.end(), Shard{0});
  Near near;
  std::partial_sort_copy(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size()), near.begin(), near.end(),
                         [&](Shard a, Shard b) { return work[a] != work[b] ? work[a] < work[b] : a < b; });
  return near;
}

ShardFill::Place ShardFill::take(const ShardCenters::Near& near) {
  Place place;
  place.first = take_one(near, ShardCenters::kNone);
  place.second = take_one(near, place.first);
  return place;
}

ShardFill::Shard ShardFill::take_one(const ShardCenters::Near& near, Shard other) {
  Shard taken = ShardCenters::kNone;
  for (const Shard shard : near) {
    if (shard == other || sizes_[shard] >= capacity_) continue;
    taken = shard;
    break;
  }
  if (taken == ShardCenters::kNone) {
    for (std::size_t k = 0; k < sizes_.size(); ++k)
      if (k != other && (taken == ShardCenters::kNone || sizes_[k] < sizes_[taken])) taken = static_cast<Shard>(k);
  }
  ++sizes_[taken];
  return taken;
}

std::uint64_t ShardFill::largest() const noexcept { return *std::max_element(sizes_.begin(), sizes_.end()); }

}  // namespace diskann::graph
