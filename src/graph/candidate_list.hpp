#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/row_store.hpp"

namespace diskann::graph {

using base::Slot;

/// A scored node in one word, so that order is one integer comparison and ties fall to the lower slot: the distance in
/// sortable form above, then the slot, then whether the node was expanded.
using Candidate = std::uint64_t;
inline constexpr Candidate kExpanded = 1;

/// Unsigned order equals the order of the floats, negative ones included.
inline std::uint32_t sortable(float distance) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(distance + 0.0f);  // -0 becomes 0
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
inline Candidate make_candidate(float distance, Slot slot) noexcept {
  return Candidate{sortable(distance)} << 32 | Candidate{slot} << 1;
}
inline Slot slot_of(Candidate candidate) noexcept { return static_cast<Slot>(candidate) >> 1; }
inline float distance_of(Candidate candidate) noexcept {
  const auto key = static_cast<std::uint32_t>(candidate >> 32);
  return std::bit_cast<float>((key & 0x80000000u) != 0 ? key & 0x7FFFFFFFu : ~key);
}

/// The nearest `capacity` candidates seen so far, sorted.
class CandidateList {
 public:
  /// Empties the list. Memory only grows.
  void reset(std::size_t capacity) {
    if (entries_.size() < capacity) entries_.resize(capacity);
    capacity_ = capacity;
    size_ = 0;
    next_ = 0;
  }
  std::span<const Candidate> entries() const noexcept { return {entries_.data(), size_}; }
  bool full() const noexcept { return size_ == capacity_; }
  /// Anything not below this would fall off the end.
  Candidate limit() const noexcept { return full() ? entries_[size_ - 1] : ~Candidate{0}; }

  bool has_unexpanded() const noexcept { return next_ < size_; }
  /// Nearest candidate that was not expanded; only where has_unexpanded().
  Slot next_unexpanded() const noexcept { return slot_of(entries_[next_]); }
  Candidate expand_next() noexcept {
    const Candidate candidate = entries_[next_];
    entries_[next_] |= kExpanded;
    skip_expanded();
    return candidate;
  }

  /// Merges candidates that are new to the list, in any order; `fresh` is left sorted. One pass from the back moves
  /// each entry at most once a hop, in words, so that no wide load waits for a narrow store.
  void merge(std::span<Candidate> fresh) {
    if (fresh.empty()) return;
    sort_few(fresh);
    std::size_t from = size_;
    std::size_t take = fresh.size();
    std::size_t to = size_ + take;
    if (to > capacity_) {  // the largest of both lists fall off
      for (std::size_t surplus = to - capacity_; surplus > 0; --surplus) {
        if (from > 0 && entries_[from - 1] > fresh[take - 1]) {
          --from;
        } else if (--take == 0) {
          return;
        }
      }
      to = capacity_;
    }
    size_ = to;
    while (take > 0) {
      const Candidate candidate = fresh[take - 1];
      while (from > 0 && entries_[from - 1] > candidate) entries_[--to] = entries_[--from];
      entries_[--to] = candidate;
      --take;
    }
    next_ = std::min(next_, to);
    skip_expanded();
  }

 private:
  void skip_expanded() noexcept {
    while (next_ < size_ && (entries_[next_] & kExpanded) != 0) ++next_;
  }
  static void sort_few(std::span<Candidate> fresh) noexcept {
    if (fresh.size() > 24) {
      std::sort(fresh.begin(), fresh.end());
      return;
    }
    for (std::size_t i = 1; i < fresh.size(); ++i) {
      const Candidate candidate = fresh[i];
      std::size_t at = i;
      for (; at > 0 && fresh[at - 1] > candidate; --at) fresh[at] = fresh[at - 1];
      fresh[at] = candidate;
    }
  }

  std::vector<Candidate> entries_;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t next_ = 0;  // every entry before it is expanded
};

}  // namespace diskann::graph
