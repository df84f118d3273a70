#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/row_store.hpp"

namespace diskann::index {

/// Edges of some nodes of an index on a drive, in memory: expanding those takes no read.
class NodeCache {
 public:
  NodeCache() = default;
  /// Room for these, whose edges put() brings.
  NodeCache(std::vector<base::Slot> slots, std::uint32_t max_degree)
      : slots_(std::move(slots)), stride_(max_degree + std::size_t{1}), edges_(slots_.size() * stride_) {
    std::sort(slots_.begin(), slots_.end());
    if (slots_.empty()) return;
    places_.assign(std::bit_ceil(2 * slots_.size()), kNone);
    for (std::size_t place = 0; place < slots_.size(); ++place) {
      std::size_t at = first_of(slots_[place]);
      while (places_[at] != kNone) at = next_of(at);
      places_[at] = static_cast<std::uint32_t>(place);
    }
  }
  /// At most, with its share of the table that it is found by.
  static std::uint64_t bytes_of_node(std::uint32_t max_degree) noexcept {
    return (max_degree + std::uint64_t{2}) * sizeof(base::Slot) + 4 * sizeof(std::uint32_t);
  }
  std::uint64_t bytes() const noexcept {
    return (slots_.size() + edges_.size()) * sizeof(base::Slot) + places_.size() * sizeof(std::uint32_t);
  }
  std::span<const base::Slot> slots() const noexcept { return slots_; }

  void put(std::size_t place, std::span<const base::Slot> neighbors) noexcept {
    edges_[place * stride_] = static_cast<base::Slot>(neighbors.size());
    std::copy(neighbors.begin(), neighbors.end(), edges_.begin() + static_cast<std::ptrdiff_t>(place * stride_ + 1));
  }
  /// Null for a node that is not here; else its degree and its neighbours.
  const base::Slot* find(base::Slot node) const noexcept {
    if (places_.empty()) return nullptr;
    for (std::size_t at = first_of(node); places_[at] != kNone; at = next_of(at))
      if (slots_[places_[at]] == node) return edges_.data() + places_[at] * stride_;
    return nullptr;
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  std::size_t first_of(base::Slot node) const noexcept {
    return (node * std::uint64_t{0x9E3779B97F4A7C15u} >> 32) & (places_.size() - 1);
  }
  std::size_t next_of(std::size_t at) const noexcept { return (at + 1) & (places_.size() - 1); }

  std::vector<base::Slot> slots_;
  std::size_t stride_ = 0;
  std::vector<base::Slot> edges_;
  std::vector<std::uint32_t> places_;  // of slots_, where a walk looks for each of its candidates: half of it is empty
};

}  // namespace diskann::index
