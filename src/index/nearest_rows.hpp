#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "graph/candidate_list.hpp"

namespace diskann::index {

/// The k nearest of a stream of rows. Candidates gather unsorted and are cut back to k when twice as many are there,
/// so that most distances cost one comparison with the limit and no k makes a heap slow. Packed as graph::Candidate,
/// whose order is that of (distance, row). NaN must not come.
///
/// Distances may be approximate: after widen() whatever could be among the k nearest within the error is kept as well,
/// until settle() puts exact distances in their place.
class NearestRows {
 public:
  /// k > 0.
  explicit NearestRows(std::size_t k) : k_(k), room_(std::max<std::size_t>(k, 64)), capacity_(k) {}

  /// Distances from here on, until settle(), are off by at most `bound`.
  void widen(float bound) {
    if (2 * bound <= slack_) return;
    slack_ = 2 * bound;  // a row that seems this much farther than the k-th may be as near
    worst_ = ~graph::Candidate{0};
    update_threshold();
  }

  /// Distances of rows first, first + 1, …
  void offer(const float* distances, std::size_t count, base::Slot first) {
    constexpr std::size_t kGroup = 16;
    std::size_t i = 0;
    for (; i + kGroup <= count; i += kGroup) {
      unsigned near = 0;
      for (std::size_t j = 0; j < kGroup; ++j) near |= static_cast<unsigned>(distances[i + j] <= threshold_);
      if (near == 0) continue;
      for (std::size_t j = 0; j < kGroup; ++j) offer_one(distances[i + j], first + static_cast<base::Slot>(i + j));
    }
    for (; i < count; ++i) offer_one(distances[i], first + static_cast<base::Slot>(i));
  }

  /// The same for those of `count` rows that may be near enough: all at up to threshold() must be among them.
  void offer(const float* distances, std::size_t count, std::span<const std::uint32_t> positions, base::Slot first) {
    std::size_t undecided = 0;
    for (const std::uint32_t position : positions) {
      const float distance = distances[position];
      undecided += distance <= threshold_ && distance + slack_ >= limit_ ? 1 : 0;
      offer_one(distance, first + position);
    }
    crowded_ = slack_ > 0 && (4 * undecided > count || capacity_ > k_ + room_ + room_ / 2);
  }
  /// Distances of some rows: of first + positions[i], for each i.
  void offer(std::span<const float> distances, const std::uint32_t* positions, base::Slot first) {
    for (std::size_t i = 0; i < distances.size(); ++i) offer_one(distances[i], first + positions[i]);
  }
  float threshold() const noexcept { return threshold_; }

  /// Whether so many of the rows just offered, or of those kept, lie within the error of the k-th that approximate
  /// distances are of little use.
  bool crowded() const noexcept { return crowded_; }

  /// Makes approximate distances exact and forgets the error: exact(slots, count, distances).
  template <class Exact>
  void settle(const Exact& exact) {
    if (slack_ == 0) return;
    if (keys_.size() > k_) cut();
    const auto first = std::partition(keys_.begin(), keys_.end(), [](auto key) { return (key & kSettled) != 0; });
    const auto count = static_cast<std::size_t>(keys_.end() - first);
    std::vector<base::Slot> slots(count);
    std::vector<float> distances(count);
    std::transform(first, keys_.end(), slots.begin(), graph::slot_of);
    exact(slots.data(), count, distances.data());
    for (std::size_t i = 0; i < count; ++i) {
      first[static_cast<std::ptrdiff_t>(i)] = graph::make_candidate(distances[i], slots[i]) | kSettled;
    }
    slack_ = 0;
    crowded_ = false;
    capacity_ = k_;
    if (keys_.size() >= k_) return cut();
    limit_ = std::numeric_limits<float>::infinity();
    update_threshold();
  }

  /// Takes the candidates of another part of the rows; both exact.
  void merge(const NearestRows& other) {
    keys_.insert(keys_.end(), other.keys_.begin(), other.keys_.end());
    if (keys_.size() > k_) cut();
  }

  /// The nearest, sorted; ends the stream, which must be exact.
  const std::vector<graph::Candidate>& finish() {
    if (keys_.size() > k_) cut();
    std::sort(keys_.begin(), keys_.end());
    return keys_;
  }

 private:
  /// The bit that tells settled candidates from others; it stands below the row, so that it does not touch the order.
  static constexpr graph::Candidate kSettled = graph::kExpanded;

  void offer_one(float distance, base::Slot row) {
    if (!(distance <= threshold_)) return;
    const graph::Candidate key = graph::make_candidate(distance, row);
    if (key >= worst_) return;  // a tie with the limit, but a later row
    keys_.push_back(key);
    if (keys_.size() == capacity_) cut();
  }
  void cut() {
    const auto last = keys_.begin() + static_cast<std::ptrdiff_t>(k_) - 1;
    std::nth_element(keys_.begin(), last, keys_.end());
    limit_ = graph::distance_of(*last);
    update_threshold();
    if (slack_ == 0) {
      worst_ = *last;
      keys_.resize(k_);
      capacity_ = k_ + room_;
      return;
    }
    const auto far = [this](graph::Candidate key) { return graph::distance_of(key) > threshold_; };
    keys_.erase(std::remove_if(last + 1, keys_.end(), far), keys_.end());
    capacity_ = keys_.size() + room_;
  }
  void update_threshold() noexcept {
    const double sum = static_cast<double>(limit_) + static_cast<double>(slack_);
    threshold_ = static_cast<float>(sum);
    if (static_cast<double>(threshold_) < sum) {
      threshold_ = std::nextafter(threshold_, std::numeric_limits<float>::infinity());
    }
  }

  std::size_t k_, room_;
  std::size_t capacity_;                                  // at first k, so that there is a limit as soon as possible
  float limit_ = std::numeric_limits<float>::infinity();  // the k-th distance
  float slack_ = 0;
  float threshold_ = std::numeric_limits<float>::infinity();  // of what may be among the k nearest
  graph::Candidate worst_ = ~graph::Candidate{0};
  bool crowded_ = false;
  std::vector<graph::Candidate> keys_;
};

}  // namespace diskann::index
