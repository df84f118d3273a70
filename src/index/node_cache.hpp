#pragma once

#include <algorithm>
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
  }
  static std::uint64_t bytes_of_node(std::uint32_t max_degree) noexcept {
    return (max_degree + std::uint64_t{2}) * sizeof(base::Slot);
  }
  std::uint64_t bytes() const noexcept { return (slots_.size() + edges_.size()) * sizeof(base::Slot); }
  std::span<const base::Slot> slots() const noexcept { return slots_; }

  void put(std::size_t place, std::span<const base::Slot> neighbors) noexcept {
    edges_[place * stride_] = static_cast<base::Slot>(neighbors.size());
    std::copy(neighbors.begin(), neighbors.end(), edges_.begin() + static_cast<std::ptrdiff_t>(place * stride_ + 1));
  }
  /// Null for a node that is not here; else its degree and its neighbours.
  const base::Slot* find(base::Slot node) const noexcept {
    const auto found = std::lower_bound(slots_.begin(), slots_.end(), node);
    if (found == slots_.end() || *found != node) return nullptr;
    return edges_.data() + static_cast<std::size_t>(found - slots_.begin()) * stride_;
  }

 private:
  std::vector<base::Slot> slots_;
  std::size_t stride_ = 0;
  std::vector<base::Slot> edges_;
};

}  // namespace diskann::index
