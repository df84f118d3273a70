// Three vectors of four components, asked for five neighbours: three come back, nearest first.
#include <cstdio>
#include <vector>

#include "diskann/diskann.hpp"

int main() {
  const std::vector<std::vector<float>> vectors = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 1}};
  const auto index = diskann::IndexBuilder()
                         .dimensions(4)
                         .metric(diskann::Distance::L2)
                         .max_degree(64)
                         .search_list_size(100)
                         .build_from_vectors(vectors);

  const std::vector<float> query = {0.9f, 0.1f, 0, 0};
  const auto hits = index.search(query, 5);
  for (const auto& hit : hits) std::printf("id %d  distance %.2f\n", static_cast<int>(hit.id), hit.distance);

  const bool right = hits.size() == 3 && hits[0].id == 0 && hits[1].id == 1 && hits[2].id == 2;
  return right ? 0 : 1;
}
