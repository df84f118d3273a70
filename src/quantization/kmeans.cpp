#include "quantization/kmeans.hpp"

#include <algorithm>
#include <vector>

#include "base/random.hpp"
#include "distance/centroids.hpp"

namespace diskann::quantization {
namespace {

constexpr int kRounds = 8;  // what more take away from the loss is less than a hundredth of it

class Lloyd {
 public:
  Lloyd(const float* points, std::size_t rows, std::size_t length, std::size_t count, float* centroids)
      : points_(points), length_(length), count_(count), centroids_(centroids), nearest_(rows), sizes_(count) {}

  void start(std::uint64_t seed) {
    const std::vector<std::uint32_t> drawn = base::sample(nearest_.size(), count_, base::Random(seed));
    for (std::size_t k = 0; k < count_; ++k) move(k, drawn[k < drawn.size() ? k : 0]);
  }
  /// Whether any point has another centroid than before.
  bool assign() {
    bool moved = false;
    for (std::size_t i = 0; i < nearest_.size(); ++i) {
      const auto found = kernels_.nearest({centroids_, length_, count_}, points_ + i * length_);
      moved |= found.index != nearest_[i].index;
      nearest_[i] = found;
    }
    return moved;
  }
  void update() {
    std::vector<double> sums(count_ * length_);
    std::fill(sizes_.begin(), sizes_.end(), 0);
    for (std::size_t i = 0; i < nearest_.size(); ++i) {
      const std::uint32_t k = nearest_[i].index;
      ++sizes_[k];
      for (std::size_t j = 0; j < length_; ++j) sums[k * length_ + j] += static_cast<double>(points_[i * length_ + j]);
    }
    for (std::size_t k = 0; k < count_; ++k)
      for (std::size_t j = 0; sizes_[k] > 0 && j < length_; ++j)
        centroids_[j * count_ + k] = static_cast<float>(sums[k * length_ + j] / static_cast<double>(sizes_[k]));
    fill_empty();
  }

 private:
  void move(std::size_t k, std::size_t point) {
    for (std::size_t j = 0; j < length_; ++j) centroids_[j * count_ + k] = points_[point * length_ + j];
  }
  void fill_empty() {
    const auto empty = static_cast<std::size_t>(std::count(sizes_.begin(), sizes_.end(), 0u));
    if (empty == 0) return;
    std::vector<std::uint32_t> far(nearest_.size());
    for (std::size_t i = 0; i < far.size(); ++i) far[i] = static_cast<std::uint32_t>(i);
    const std::size_t some = std::min(empty, far.size());
    std::partial_sort(far.begin(), far.begin() + static_cast<std::ptrdiff_t>(some), far.end(),
                      [&](std::uint32_t a, std::uint32_t b) {
                        if (nearest_[a].square != nearest_[b].square) return nearest_[a].square > nearest_[b].square;
                        return a < b;
                      });
    std::size_t next = 0;
    for (std::size_t k = 0; k < count_ && next < some; ++k) {
      if (sizes_[k] > 0) continue;
      if (!(nearest_[far[next]].square > 0)) return;  // all points have a centroid
      move(k, far[next++]);
    }
  }

  const float* points_;
  std::size_t length_, count_;
  float* centroids_;
  std::vector<distance::NearestCentroid> nearest_;
  std::vector<std::uint32_t> sizes_;
  const distance::CentroidKernels& kernels_ = distance::centroid_kernels();
};

}  // namespace

void learn_centroids(const float* points, std::size_t rows, std::size_t length, std::size_t count, std::uint64_t seed,
                     float* centroids) {
  Lloyd lloyd(points, rows, length, count, centroids);
  lloyd.start(seed);
  for (int round = 0; round < kRounds; ++round) {
    if (!lloyd.assign() && round > 0) break;
    lloyd.update();
  }
}

}  // namespace diskann::quantization
