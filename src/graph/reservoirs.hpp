#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <span>
#include <vector>

#include "base/adjacency.hpp"
#include "base/prefetch.hpp"
#include "graph/prune.hpp"

namespace diskann::graph {

/// The candidates of every row while many threads find them, in bounded memory. What a reservoir holds in the end does
/// not depend on the order in which candidates came: all of them if they are at most kept(), else the kept() nearest.
class Reservoirs {
 public:
  Reservoirs() = default;
  Reservoirs(std::size_t rows, std::uint32_t max_degree)
      : kept_(kept(max_degree)), slots_(rows, room(max_degree)), sizes_(rows) {}

  /// Places for candidates in a reservoir.
  static constexpr std::uint32_t room(std::uint32_t max_degree) noexcept {
    return std::max(32u, static_cast<std::uint32_t>(base::round_up(std::size_t{2} * max_degree, 16)));
  }
  static constexpr std::size_t bytes_per_row(std::uint32_t max_degree) noexcept {
    return room(max_degree) * sizeof(Slot) + sizeof(std::uint16_t);
  }
  static constexpr std::uint32_t kept(std::uint32_t max_degree) noexcept { return room(max_degree) / 4 * 3; }

  void prefetch(Slot row) const noexcept {
    __builtin_prefetch(sizes_.data() + row);
    base::prefetch(reinterpret_cast<const std::byte*>(slots_.row(row)), slots_.stride() * sizeof(Slot));
  }

  /// Adds candidates, whatever other threads do; those that are there already are left out. `pruner` measures where
  /// there is no room left.
  template <class Space>
  void add(Slot row, std::span<const Slot> found, Pruner<Space>& pruner) {
    Lock lock(sizes_[row]);
    std::uint16_t& size = lock.size;
    Slot* const slots = slots_.mutable_row(row);
    for (const Slot slot : found) {
      unsigned known = 0;
      for (std::uint16_t i = 0; i < size; ++i) known |= static_cast<unsigned>(slots[i] == slot);
      if (known != 0) continue;
      if (size == slots_.stride()) {
        std::vector<Candidate> candidates;
        pruner.score(row, {slots, size}, candidates);
        std::nth_element(candidates.begin(), candidates.begin() + kept_, candidates.end());
        size = static_cast<std::uint16_t>(kept_);
        for (std::uint16_t i = 0; i < size; ++i) slots[i] = slot_of(candidates[i]);
      }
      slots[size++] = slot;
    }
  }

  /// The candidates of a row, nearest first: once all have come.
  template <class Space>
  void collect(Slot row, Pruner<Space>& pruner, std::vector<Candidate>& out) const {
    out.clear();
    pruner.score(row, {slots_.row(row), sizes_[row]}, out);
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
  /// A reservoir for one thread alone; whatever ends its use lets the others in again.
  class Lock {
   public:
    explicit Lock(std::uint16_t& place) noexcept : place_(place) {
      do {
        size = place_.exchange(kLocked, std::memory_order_acquire);
      } while (size == kLocked);
    }
    Lock(const Lock&) = delete;
    ~Lock() { place_.store(size, std::memory_order_release); }

    std::uint16_t size = 0;

   private:
    static constexpr std::uint16_t kLocked = 0xFFFF;  // as a size
    std::atomic_ref<std::uint16_t> place_;
  };

  std::uint32_t kept_ = 0;
  base::Adjacency slots_;
  base::HugeArray<std::uint16_t> sizes_;
};

}  // namespace diskann::graph
