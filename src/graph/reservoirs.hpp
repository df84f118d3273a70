#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "base/adjacency.hpp"
#include "base/prefetch.hpp"
#include "graph/prune.hpp"

namespace diskann::graph {

/// The candidates of every row while many threads find them, in bounded memory. What a reservoir holds in the end does
/// not depend on the order in which candidates came: all of them if they are at most `kept`, else the `kept` nearest.
class Reservoirs {
 public:
  Reservoirs() = default;
  /// `room`: places for candidates in a reservoir, more than `kept`.
  Reservoirs(std::size_t rows, std::uint32_t room, std::uint32_t kept)
      : kept_(kept), slots_(rows, room), sizes_(rows), limits_(rows) {
    std::fill_n(limits_.data(), rows, std::numeric_limits<std::uint16_t>::max());
  }

  static constexpr std::size_t bytes_per_row(std::uint32_t room) noexcept {
    return room * sizeof(Slot) + 2 * sizeof(std::uint16_t);
  }

  void prefetch(Slot row) const noexcept {
    __builtin_prefetch(sizes_.data() + row);
    __builtin_prefetch(limits_.data() + row);
    base::prefetch(reinterpret_cast<const std::byte*>(slots_.row(row)), slots_.stride() * sizeof(Slot));
  }

  /// Adds candidates, whatever other threads do; those that are there already are left out. Their distances may be off
  /// by at most `error` from those of `pruner`, which measures where there is no room for all; `work` is its memory.
  template <class Space>
  void add(Slot row, std::span<const Candidate> found, float error, Pruner<Space>& pruner,
           std::vector<Candidate>& work) {
    Lock lock(sizes_[row]);
    Slot* const slots = slots_.mutable_row(row);
    for (const Candidate candidate : found) {
      if (limit_of(distance_of(candidate) - error) > limits_[row]) continue;
      const Slot slot = slot_of(candidate);
      unsigned known = 0;
      for (std::uint16_t i = 0; i < lock.size; ++i) known |= static_cast<unsigned>(slots[i] == slot);
      if (known != 0) continue;
      if (lock.size == slots_.stride()) {
        limits_[row] = limit_of(keep_nearest(row, slots, pruner, work));
        lock.size = static_cast<std::uint16_t>(kept_);
      }
      slots[lock.size++] = slot;
    }
  }

  /// The candidates of a row, nearest first: once all have come.
  template <class Space>
  void collect(Slot row, Pruner<Space>& pruner, std::vector<Candidate>& out) const {
    out.clear();
    pruner.score(row, {slots_.row(row), std::size_t{sizes_[row]}}, out);
    std::sort(out.begin(), out.end());
    if (out.size() > kept_) out.resize(kept_);
  }
  /// Replaces the candidates of a row by its neighbours, at most max_degree.
  void close(Slot row, std::span<const Slot> neighbors) noexcept { slots_.assign(row, neighbors); }
  /// The graph, once every row is closed.
  base::Adjacency release(std::uint32_t row_slots) && {
    slots_.set_stride(row_slots);
    return std::move(slots_);
  }

 private:
  static constexpr std::uint16_t kLocked = 0xFFFF;  // as a size

  /// The upper half of a distance, in the same order.
  static std::uint16_t limit_of(float distance) noexcept {
    return static_cast<std::uint16_t>(sortable(distance) >> 16);
  }

  /// Returns the distance of the last of those kept: what is farther will not be among the nearest.
  template <class Space>
  float keep_nearest(Slot row, Slot* slots, Pruner<Space>& pruner, std::vector<Candidate>& candidates) {
    candidates.clear();
    pruner.score(row, {slots, slots_.stride()}, candidates);
    std::nth_element(candidates.begin(), candidates.begin() + kept_ - 1, candidates.end());
    for (std::uint32_t i = 0; i < kept_; ++i) slots[i] = slot_of(candidates[i]);
    return distance_of(candidates[kept_ - 1]);
  }

  /// A reservoir for one thread alone; whatever ends its use lets the others in again.
  class Lock {
   public:
    explicit Lock(std::uint16_t& place) noexcept : place_(place) {
      std::uint16_t word = kLocked;
      do {
        word = place_.exchange(kLocked, std::memory_order_acquire);
      } while (word == kLocked);
      size = word;
    }
    Lock(const Lock&) = delete;
    ~Lock() { place_.store(size, std::memory_order_release); }

    std::uint16_t size = 0;

   private:
    std::atomic_ref<std::uint16_t> place_;
  };

  std::uint32_t kept_ = 0;
  base::Adjacency slots_;
  base::HugeArray<std::uint16_t> sizes_;
  base::HugeArray<std::uint16_t> limits_;  // beyond which nothing can be among the nearest
};

}  // namespace diskann::graph
