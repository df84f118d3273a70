#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "graph/candidate_list.hpp"

namespace diskann::index {

/// The k nearest of a stream of rows. Candidates gather unsorted and are cut back to k when twice as many are there,
/// so that most distances cost one comparison with the limit and no k makes a heap slow. Packed as graph::Candidate,
/// whose order is that of (distance, row). NaN must not come.
class NearestRows {
 public:
  /// k > 0.
  explicit NearestRows(std::size_t k) : k_(k), capacity_(k + std::max<std::size_t>(k, 64)) {}

  /// Distances of rows first, first + 1, …
  void offer(const float* distances, std::size_t count, base::Slot first) {
    constexpr std::size_t kGroup = 16;
    std::size_t i = 0;
    for (; i + kGroup <= count; i += kGroup) {
      unsigned near = 0;
      for (std::size_t j = 0; j < kGroup; ++j) near |= static_cast<unsigned>(distances[i + j] <= limit_);
      if (near == 0) continue;
      for (std::size_t j = 0; j < kGroup; ++j) offer_one(distances[i + j], first + static_cast<base::Slot>(i + j));
    }
    for (; i < count; ++i) offer_one(distances[i], first + static_cast<base::Slot>(i));
  }

  /// Takes the candidates of another part of the rows.
  void merge(const NearestRows& other) {
    keys_.insert(keys_.end(), other.keys_.begin(), other.keys_.end());
    if (keys_.size() > k_) cut();
  }

  /// The nearest, sorted; ends the stream.
  const std::vector<graph::Candidate>& finish() {
    if (keys_.size() > k_) cut();
    std::sort(keys_.begin(), keys_.end());
    return keys_;
  }

 private:
  void offer_one(float distance, base::Slot row) {
    if (!(distance <= limit_)) return;
    const graph::Candidate key = graph::make_candidate(distance, row);
    if (key >= worst_) return;  // a tie with the limit, but a later row
    keys_.push_back(key);
    if (keys_.size() == capacity_) cut();
  }
  void cut() {
    const auto last = keys_.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
    std::nth_element(keys_.begin(), last, keys_.end());
    worst_ = *last;
    limit_ = graph::distance_of(worst_);
    keys_.resize(k_);
  }

  std::size_t k_, capacity_;
  float limit_ = std::numeric_limits<float>::infinity();
  graph::Candidate worst_ = ~graph::Candidate{0};
  std::vector<graph::Candidate> keys_;
};

}  // namespace diskann::index
