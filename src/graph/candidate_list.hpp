#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/huge_array.hpp"
#include "base/row_store.hpp"
#include "distance/merge.hpp"

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

/// The nearest `capacity` candidates seen so far, sorted. Those that are to be expanded are the first `window` of them.
class CandidateList {
 public:
  /// Takes up to `most` scores at once.
  explicit CandidateList(std::size_t most) : fresh_(most) {}

  /// Empties the list, which holds `kept` candidates where that is more than the window. Memory only grows.
  void reset(std::size_t window, std::size_t kept = 0) {
    const std::size_t capacity = std::max(window, kept);
    const std::size_t room = base::round_up(capacity, 8);
    if (entries_.size() < room) entries_ = base::HugeArray<Candidate>(room);
    window_ = window;
    capacity_ = capacity;
    size_ = 0;
    next_ = 0;
    merge_ = distance::merge_for(capacity);
    if (merge_ != nullptr) std::fill_n(entries_.data(), room, ~Candidate{0});
  }
  std::span<const Candidate> entries() const noexcept { return {entries_.data(), size_}; }
  std::size_t capacity() const noexcept { return capacity_; }
  bool window_is_full() const noexcept { return size_ >= window_; }
  /// Anything not below this would fall off the end.
  Candidate limit() const noexcept { return size_ == capacity_ ? entries_[size_ - 1] : ~Candidate{0}; }

  bool has_unexpanded() const noexcept { return next_ < std::min(size_, window_); }
  /// Where that stands: all before it were expanded.
  std::size_t next_place() const noexcept { return next_; }
  /// Nearest candidate that was not expanded; only where has_unexpanded().
  Slot next_unexpanded() const noexcept { return slot_of(entries_[next_]); }
  Candidate expand_next() noexcept { return expand_at(next_); }

  /// Marks the one at a place, of the window, which was not expanded.
  Candidate expand_at(std::size_t place) noexcept {
    const Candidate candidate = entries_[place];
    entries_[place] |= kExpanded;
    skip_expanded();
    return candidate;
  }
  std::size_t window_end() const noexcept { return std::min(size_, window_); }

  /// Merges scored slots that are new to the list, in any order.
  void merge(const float* distances, const Slot* slots, std::size_t count) {
    if (merge_ != nullptr) {
      const distance::Merged merged = merge_(entries_.data(), capacity_, distances, slots, count);
      size_ = std::min(capacity_, size_ + merged.added);
      next_ = std::min(merged.open, size_);
      return;
    }
    const Candidate limit = this->limit();
    std::size_t near = 0;
    for (std::size_t i = 0; i < count; ++i) {
      fresh_[near] = make_candidate(distances[i], slots[i]);
      near += fresh_[near] < limit;
    }
    sort_few({fresh_.data(), near});
    merge_sorted({fresh_.data(), near});
  }

 private:
  /// One pass from the back moves each entry at most once a hop, in words, so that no wide load waits for a narrow
  /// store.
  void merge_sorted(std::span<const Candidate> fresh) {
    std::size_t from = size_;
    std::size_t take = fresh.size();
    std::size_t to = size_ + take;
    if (take == 0) return;
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

  base::HugeArray<Candidate> entries_;
  std::vector<Candidate> fresh_;
  distance::Merge merge_ = nullptr;
  std::size_t window_ = 0;
  std::size_t capacity_ = 0;
  std::size_t size_ = 0;
  std::size_t next_ = 0;  // every entry before it is expanded
};

}  // namespace diskann::graph
