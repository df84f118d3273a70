#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "base/row_store.hpp"

namespace diskann::base {

/// Out-neighbours of every node in rows of one stride. A row shorter than the stride is filled with the node's own
/// slot.
class Adjacency {
 public:
  Adjacency() = default;
  /// Empty rows. `stride` is the room for neighbours; rows start on cache lines where it is a multiple of 16.
  Adjacency(std::size_t nodes, std::uint32_t stride)
      : memory_(checked_multiply(nodes, stride, "graph", ErrorCode::OutOfMemory)),
        data_(memory_.data()),
        nodes_(nodes),
        stride_(stride) {
    for (std::size_t i = 0; i < nodes; ++i) assign(static_cast<Slot>(i), {});
  }
  /// Rows that stand in memory which `owner` keeps alive.
  Adjacency(const Slot* data, std::size_t nodes, std::uint32_t stride, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)), data_(data), nodes_(nodes), stride_(stride) {}

  std::size_t nodes() const noexcept { return nodes_; }
  std::uint32_t stride() const noexcept { return stride_; }
  std::size_t bytes() const noexcept { return nodes_ * stride_ * sizeof(Slot); }
  const Slot* data() const noexcept { return data_; }
  /// The whole row, filling included.
  const Slot* row(Slot node) const noexcept { return data_ + std::size_t{node} * stride_; }
  /// Of a row as assign() makes them.
  std::uint32_t degree(Slot node) const noexcept {
    const Slot* slots = row(node);
    std::uint32_t count = 0;
    for (std::uint32_t i = 0; i < stride_; ++i) count += slots[i] != node ? 1 : 0;  // without branches: in vectors
    return count;
  }
  /// The first slot of all rows that is none of a node; nodes() where all are. What is mapped from a file may lie.
  std::size_t stray_slot() const noexcept {
    const Slot* const end = data_ + nodes_ * stride_;
    const Slot* const stray = std::find_if(data_, end, [this](Slot slot) { return slot >= nodes_; });
    return stray == end ? nodes_ : *stray;
  }
  std::span<const Slot> neighbors(Slot node) const noexcept { return {row(node), degree(node)}; }

  /// Only for a graph that owns its rows. At most stride() neighbours, none of them `node`.
  void assign(Slot node, std::span<const Slot> neighbors) noexcept {
    Slot* slots = memory_.data() + std::size_t{node} * stride_;
    std::copy(neighbors.begin(), neighbors.end(), slots);
    std::fill(slots + neighbors.size(), slots + stride_, node);
  }
  /// Room for a caller that fills a row in place.
  Slot* mutable_row(Slot node) noexcept { return memory_.data() + std::size_t{node} * stride_; }
  /// Packs the rows to a smaller stride in place; every row must fit.
  void set_stride(std::uint32_t stride) noexcept {
    for (std::size_t i = 0; i < nodes_; ++i)
      std::copy_n(memory_.data() + i * stride_, stride, memory_.data() + i * stride);
    stride_ = stride;
    memory_.truncate(nodes_ * stride);
  }

 private:
  HugeArray<Slot> memory_;
  std::shared_ptr<const void> owner_;
  const Slot* data_ = nullptr;
  std::size_t nodes_ = 0;
  std::uint32_t stride_ = 0;
};

}  // namespace diskann::base
