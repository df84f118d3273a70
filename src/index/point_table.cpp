#include "index/point_table.hpp"

#include <algorithm>
#include <numeric>

namespace diskann::index {

PointTable::PointTable(std::size_t points, base::SharedArray<std::uint32_t> starts,
                       base::SharedArray<std::uint32_t> members, base::SharedArray<std::uint64_t> ids)
    : points_(points),
      nodes_(starts.empty() ? 0 : starts.size() - 1),
      starts_(std::move(starts)),
      members_(std::move(members)),
      ids_(std::move(ids)) {
  for (std::size_t i = 0; i + 1 < starts_.size(); ++i) hidden_ += starts_[i] == starts_[i + 1];
}

PointTable PointTable::compact() const {
  if (starts_.empty()) return *this;
  std::vector<Shift> shifts;
  for (Slot node = 0; node + std::size_t{1} < starts_.size(); ++node)
    if (starts_[node + std::size_t{1}] != starts_[node] + 1)
      shifts.push_back({node, static_cast<std::int32_t>(starts_[node + std::size_t{1}] - (node + 1))});
  if (shifts.size() > starts_.size() / 4) return *this;
  PointTable table(points_);
  table.hidden_ = hidden_;
  table.nodes_ = nodes_;
  table.shifts_ = std::move(shifts);
  table.members_ = std::vector<std::uint32_t>(members_.span().begin(), members_.span().end());
  table.ids_ = ids_;
  return table;
}

std::uint64_t PointTable::bytes() const noexcept {
  return (starts_.size() + members_.size()) * sizeof(std::uint32_t) + shifts_.size() * sizeof(Shift) +
         ids_.size() * sizeof(std::uint64_t);
}

std::optional<Slot> PointTable::node_of(std::uint64_t id) const {
  std::call_once(lookup_->once, [this] {
    if (has_ids()) {
      lookup_->by_id.resize(points_);
      std::iota(lookup_->by_id.begin(), lookup_->by_id.end(), 0u);
      std::sort(lookup_->by_id.begin(), lookup_->by_id.end(),
                [this](std::uint32_t a, std::uint32_t b) { return ids_[a] != ids_[b] ? ids_[a] < ids_[b] : a < b; });
    }
    if (has_twins()) {
      lookup_->node_of_point.resize(points_);
      for (Slot node = 0; node < nodes_; ++node)
        for_each_point(node, [&](std::uint32_t point) { lookup_->node_of_point[point] = node; });
    }
  });
  std::uint64_t point = id;
  if (has_ids()) {
    const auto& by_id = lookup_->by_id;
    const auto found = std::lower_bound(by_id.begin(), by_id.end(), id,
                                        [this](std::uint32_t a, std::uint64_t wanted) { return ids_[a] < wanted; });
    if (found == by_id.end() || ids_[*found] != id) return std::nullopt;
    point = *found;
  }
  if (point >= points_) return std::nullopt;
  return has_twins() ? lookup_->node_of_point[point] : static_cast<Slot>(point);
}

std::vector<std::string> PointTable::check(std::size_t nodes) const {
  std::vector<std::string> problems;
  if (!has_twins() && points_ != nodes) {
    problems.push_back(std::to_string(points_) + " points but " + std::to_string(nodes) + " nodes and no twin list");
  }
  if (has_ids() && ids_.size() != points_) problems.emplace_back("the number of ids is not that of points");
  if (has_twins()) {
    if (starts_.size() != nodes + 1 || members_.size() != points_ || starts_[0] != 0 || starts_[nodes] != points_ ||
        !std::is_sorted(starts_.span().begin(), starts_.span().end())) {
      problems.emplace_back("the twin list does not fit the nodes and points");
      return problems;
    }
    std::vector<bool> seen(points_);
    for (const std::uint32_t point : members_.span()) {
      if (point >= points_ || seen[point]) {
        problems.push_back("point " + std::to_string(point) + " is in two nodes or beyond the last point");
        return problems;
      }
      seen[point] = true;
    }
  }
  if (has_ids() && problems.empty()) {
    std::vector<std::uint64_t> sorted(ids_.span().begin(), ids_.span().end());
    std::sort(sorted.begin(), sorted.end());
    const auto repeated = std::adjacent_find(sorted.begin(), sorted.end());
    if (repeated != sorted.end()) problems.push_back("id " + std::to_string(*repeated) + " stands for two points");
  }
  return problems;
}

}  // namespace diskann::index
