#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/huge_array.hpp"
#include "graph/candidate_list.hpp"

namespace diskann::graph {

/// Whether a selected neighbour s makes the edge from p to c needless: s is nearer to c than p is, by a factor of
/// alpha. Products, not quotients, so that equal points are decided: a twin of a selected neighbour is always occluded.
/// Below zero (a user's distance) alpha asks for a distance that is lower still.
inline bool occludes(float s_to_c, float p_to_c, float alpha) noexcept {
  if (p_to_c < 0.0f) return s_to_c < alpha * p_to_c;
  return s_to_c == 0.0f || alpha * s_to_c < p_to_c;
}

/// RobustPrune of the DiskANN paper (Subramanya et al., NeurIPS 2019) with alpha ramped: a first round at 1, then,
/// while there is room, a second at alpha over what the first left out. Exact distances; the tests are lazy: a
/// candidate is compared with selected neighbours only until one occludes it, and the second round goes on where the
/// first stopped.
template <class Space>
class Pruner {
 public:
  Pruner(const Space& space, std::uint32_t max_degree, float alpha)
      : space_(&space),
        max_degree_(max_degree),
        alpha_(alpha),
        buffer_(space.rows().dimension),
        selected_rows_(std::size_t{max_degree} * space.rows().stride),
        selected_norms_(max_degree),
        distances_(kBlock) {}

  /// `candidates`: sorted, distances from `self`, no repeats; `self` itself is skipped. Writes at most max_degree
  /// slots to `out`, nearest first, and returns how many: at least one where there is a candidate.
  std::uint32_t prune(Slot self, std::span<const Candidate> candidates, Slot* out) {
    nearest_.assign(candidates.size(), Nearest{});
    selected_ = 0;
    for (const float alpha : {1.0f, alpha_}) {
      for (std::size_t i = 0; i < candidates.size() && selected_ < max_degree_; ++i) {
        const Slot slot = slot_of(candidates[i]);
        if (slot == self || nearest_[i].selected || occluded(i, slot, distance_of(candidates[i]), alpha)) continue;
        select(i, slot);
      }
      if (alpha_ == 1.0f) break;
    }
    // Near-equal points occlude each other to almost nothing; a few more edges keep them within reach.
    for (std::size_t i = 0; i < candidates.size() && selected_ < std::min(max_degree_, kLeastDegree); ++i) {
      const Slot slot = slot_of(candidates[i]);
      if (slot != self && !nearest_[i].selected) select(i, slot);
    }
    for (std::size_t i = 0; i < candidates.size(); ++i)
      if (nearest_[i].selected) *out++ = slot_of(candidates[i]);
    return selected_;
  }

  /// Distances from a stored row to others, as candidates; appended to `out`.
  void score(Slot from, std::span<const Slot> slots, std::vector<Candidate>& out) {
    const typename Space::Query query = space_->stored_query(from, buffer_);
    if (distances_.size() < slots.size()) distances_.resize(slots.size());
    space_->score(query, slots.data(), slots.size(), distances_.data());
    for (std::size_t i = 0; i < slots.size(); ++i) out.push_back(make_candidate(distances_[i], slots[i]));
  }

 private:
  static constexpr std::uint32_t kBlock = 8;  // selected neighbours compared at once
  static constexpr std::uint32_t kLeastDegree = 4;

  struct Nearest {
    float distance = std::numeric_limits<float>::infinity();  // to the selected neighbours looked at so far
    std::uint32_t checked = 0;                                // how many those are
    bool selected = false;
  };

  bool occluded(std::size_t i, Slot slot, float distance, float alpha) {
    Nearest& nearest = nearest_[i];
    if (occludes(nearest.distance, distance, alpha)) return true;
    if (nearest.checked == selected_) return false;
    const typename Space::Query query = space_->stored_query(slot, buffer_);
    const base::RowsView rows{selected_rows_.data(), space_->rows().stride, selected_, space_->rows().dimension,
                              space_->rows().type};
    const float* norms = space_->norms() != nullptr ? selected_norms_.data() : nullptr;
    while (nearest.checked < selected_) {
      const std::uint32_t count = std::min(kBlock, selected_ - nearest.checked);
      space_->score_block(query, rows, norms != nullptr ? norms + nearest.checked : nullptr, nearest.checked, count,
                          distances_.data());
      nearest.checked += count;
      for (std::uint32_t j = 0; j < count; ++j) nearest.distance = std::min(nearest.distance, distances_[j]);
      if (occludes(nearest.distance, distance, alpha)) return true;
    }
    return false;
  }

  void select(std::size_t i, Slot slot) {
    const std::byte* row = space_->rows().row(slot);
    std::copy(row, row + space_->rows().stride, selected_rows_.data() + selected_ * space_->rows().stride);
    if (space_->norms() != nullptr) selected_norms_[selected_] = space_->norms()[slot];
    nearest_[i].selected = true;
    ++selected_;
  }

  const Space* space_;
  std::uint32_t max_degree_;
  float alpha_;
  typename Space::Buffer buffer_;
  base::HugeArray<std::byte> selected_rows_;  // side by side, so that they are compared from cache
  std::vector<float> selected_norms_;
  std::vector<float> distances_;
  std::vector<Nearest> nearest_;
  std::uint32_t selected_ = 0;
};

}  // namespace diskann::graph
