#include "index/hits.hpp"

#include <algorithm>

namespace diskann::index {

using graph::Candidate;
using graph::distance_of;
using graph::slot_of;

std::size_t take_nearest(const PointTable& points, std::span<const Candidate> sorted, std::span<Hit> hits,
                         std::vector<Hit>& scratch) {
  if (!points.has_twins() && !points.has_ids()) {  // then slots are ids, and sorted already
    const std::size_t count = std::min(hits.size(), sorted.size());
    for (std::size_t i = 0; i < count; ++i) hits[i] = {slot_of(sorted[i]), distance_of(sorted[i])};
    return count;
  }
  // Of all that lie as far as the last hit the lowest ids are wanted; however many those are, room for 2 k is enough.
  const std::size_t k = std::min(hits.size(), points.points());
  scratch.clear();
  scratch.reserve(2 * k);
  float last = 0;
  for (const Candidate candidate : sorted) {
    const float distance = distance_of(candidate);
    if (scratch.size() >= k && distance > last) break;
    last = distance;
    points.for_each_id(slot_of(candidate), [&](std::uint64_t id) {
      if (scratch.size() == 2 * k) {
        std::nth_element(scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(k), scratch.end(), is_before);
        scratch.resize(k);
      }
      scratch.push_back({id, distance});
    });
  }
  const std::size_t count = std::min(k, scratch.size());
  std::sort(scratch.begin(), scratch.end(), is_before);
  std::copy_n(scratch.begin(), count, hits.begin());
  return count;
}

}  // namespace diskann::index
