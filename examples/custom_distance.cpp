// An index over a distance of one's own: here the sum of absolute differences, which the library does not have.
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "diskann/diskann.hpp"

namespace {

class Manhattan : public diskann::DistanceFunction {
 public:
  float distance(std::span<const float> a, std::span<const float> b) const override {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum;
  }
  std::string name() const override { return "manhattan"; }
};

}  // namespace

int main() {
  std::mt19937 random(7);
  std::vector<std::vector<float>> vectors(2000, std::vector<float>(16));
  for (auto& vector : vectors) {
    for (auto& x : vector) x = static_cast<float>(random() % 1000) / 1000;
  }
  const auto manhattan = std::make_shared<Manhattan>();
  const auto index = diskann::IndexBuilder().distance_function(manhattan).build_from_vectors(vectors);

  // Every stored vector finds itself, at distance 0.
  std::size_t found = 0;
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    const auto hits = index.search(vectors[i], 1);
    found += !hits.empty() && hits[0].distance == 0;
  }
  std::printf("%zu of %zu vectors found themselves\n", found, vectors.size());

  // The file names the function, and opening needs it.
  const auto path = std::filesystem::temp_directory_path() / "diskann_example_custom.idx";
  index.save(path, true);
  bool refused = false;
  try {
    diskann::Index::open(path);
  } catch (const diskann::Error& error) {
    std::printf("without the function: %s\n", error.what());
    refused = true;
  }
  diskann::OpenOptions options;
  options.distance_function = manhattan;
  const auto again = diskann::Index::open(path, options);
  const bool same = again.search(vectors[0], 10) == index.search(vectors[0], 10);
  std::filesystem::remove(path);
  return found * 100 >= vectors.size() * 99 && refused && same ? 0 : 1;
}
