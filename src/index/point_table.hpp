#pragma once

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/row_store.hpp"
#include "base/shared_array.hpp"

namespace diskann::index {

using base::Slot;

/// Which points a node of the graph stands for, and their ids. Mostly one point a node, and the id is the row number;
/// equal rows ("twins") share a node, so that no number of duplicates can fill a neighbour list.
class PointTable {
 public:
  PointTable() = default;
  /// One point a node; ids are row numbers.
  explicit PointTable(std::size_t points) : points_(points) {}
  /// `starts` (nodes + 1) and `members` (points) as in docs/format.md, both empty where a node is a point.
  PointTable(std::size_t points, base::SharedArray<std::uint32_t> starts, base::SharedArray<std::uint32_t> members,
             base::SharedArray<std::uint64_t> ids);

  /// For searches alone: `starts` of nodes that stand for one point each, nearly all, need no memory. What it shares
  /// with this table is copied, so that this one may go.
  PointTable compact() const;

  std::size_t points() const noexcept { return points_; }
  bool has_twins() const noexcept { return nodes_ != 0; }
  bool has_ids() const noexcept { return !ids_.empty(); }
  /// Nodes that stand for no point at all (a frozen start point of Microsoft's, deleted points).
  std::size_t hidden_nodes() const noexcept { return hidden_; }
  /// None of a compact table.
  std::span<const std::uint32_t> starts() const noexcept { return starts_.span(); }
  std::span<const std::uint32_t> members() const noexcept { return members_.span(); }
  std::span<const std::uint64_t> ids() const noexcept { return ids_.span(); }
  std::uint64_t bytes() const noexcept;

  bool has_points(Slot node) const noexcept { return nodes_ == 0 || start_of(node) != start_of(node + 1); }
  /// Calls f(point) for each point of a node.
  template <class F>
  void for_each_point(Slot node, F&& f) const {
    if (nodes_ == 0) {
      f(node);
      return;
    }
    const std::uint32_t end = start_of(node + 1);
    for (std::uint32_t i = start_of(node); i < end; ++i) f(members_[i]);
  }
  /// Calls f(id) for each point of a node.
  template <class F>
  void for_each_id(Slot node, F&& f) const {
    for_each_point(node, [&](std::uint32_t point) { f(id_of(point)); });
  }
  std::uint64_t id_of(std::uint32_t point) const noexcept { return ids_.empty() ? point : ids_[point]; }
  /// The node of an id; nothing where the id is unknown. The first call builds a table of 4 to 8 bytes a point.
  std::optional<Slot> node_of(std::uint64_t id) const;

  /// What is wrong with the tables: lengths, ranges, a point in two nodes, an id twice. Empty where all is right.
  std::vector<std::string> check(std::size_t nodes) const;

 private:
  struct Lookup {
    std::once_flag once;
    std::vector<std::uint32_t> by_id;  // points sorted by id; empty where ids are row numbers
    std::vector<Slot> node_of_point;   // empty where a node is a point
  };
  /// Of a compact table: before a node beyond `node` stand `before` points more than nodes.
  struct Shift {
    Slot node = 0;
    std::int32_t before = 0;
  };
  std::uint32_t start_of(Slot node) const noexcept {
    if (!starts_.empty()) return starts_[node];
    const auto next = std::lower_bound(shifts_.begin(), shifts_.end(), node,
                                       [](const Shift& shift, Slot wanted) { return shift.node < wanted; });
    return next == shifts_.begin() ? node : node + static_cast<std::uint32_t>(std::prev(next)->before);
  }

  std::size_t points_ = 0;
  std::size_t hidden_ = 0;
  std::size_t nodes_ = 0;  // 0 where each is a point
  std::vector<Shift> shifts_;
  base::SharedArray<std::uint32_t> starts_, members_;
  base::SharedArray<std::uint64_t> ids_;
  std::shared_ptr<Lookup> lookup_ = std::make_shared<Lookup>();
};

}  // namespace diskann::index
