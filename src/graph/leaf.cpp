#include "graph/leaf.hpp"

#include <algorithm>
#include <limits>

namespace diskann::graph {

Leaf::Leaf(const KernelSpace& space)
    : space_(space),
      tiles_(distance::tiles(space.metric(), space.rows().type, tile_form(space.rows()))),
      selection_(distance::selection()) {}

void Leaf::measure(const Partitioner::Rows& rows) {
  rows_ = &rows;
  const std::vector<float> center = tile_center(space_.metric(), space_.rows(), rows.front());
  tiles_.load(
      {space_.rows(), space_.inverse_norms(), rows.data(), 0, rows.size(), center.empty() ? nullptr : center.data()},
      true, block_);
  const std::size_t stride = block_.padded_rows();
  if (distances_.size() < stride * stride) distances_ = base::HugeArray<float>(stride * stride);
  tiles_.square(block_, distances_.data(), stride);
  const double norm = block_.largest_squared_norm();
  const VectorType form = tile_form(space_.rows());
  error_ = distance::tile_error_bound(space_.metric(), form, space_.rows().dimension, norm, norm);
  if (space_.inverse_norms() == nullptr || form != VectorType::F32) return;
  for (const Slot row : rows)
    if (!distance::tiles_hold_cosines(space_.inverse_norms()[row])) error_ = std::numeric_limits<float>::infinity();
}

void Leaf::augment(const AugmentedSpace& space) {
  const std::size_t stride = block_.padded_rows();
  components_.assign(stride, 0.0f);
  for (std::size_t i = 0; i < rows_->size(); ++i) components_[i] = space.component((*rows_)[i]);
  // Sums of four terms of about the squared length, as those of the space are.
  error_ = 2 * error_ + 64 * std::numeric_limits<float>::epsilon() * space.squared_length();
  for (std::size_t i = 0; i < rows_->size(); ++i) {
    selection_.augment(distances_.data() + i * stride, stride, components_[i], components_.data(),
                       space.squared_length());
  }
}

template <class Pick>
void Leaf::pick(std::uint32_t picks, const Pick& pick) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::size_t stride = block_.padded_rows(), rows = rows_->size();
  work_.resize(stride);
  picks_.resize(rows * picks);
  counts_.resize(rows);
  std::vector<std::uint32_t> chosen(picks);
  for (std::size_t i = 0; i < rows; ++i) distances_.data()[i * stride + i] = -kInfinity;
  for (std::size_t i = 0; i < rows; ++i) {
    float* const distances = distances_.data() + i * stride;
    distances[i] = kInfinity;
    counts_[i] = static_cast<std::uint32_t>(pick(i, stride, chosen.data()));
    distances[i] = -kInfinity;
    for (std::uint32_t j = 0; j < counts_[i]; ++j)
      picks_[i * picks + j] = make_candidate(distances[chosen[j]], chosen[j]);
  }
  exchange(picks);
}

void Leaf::pick_nearest(std::uint32_t picks) {
  pick(picks, [&](std::size_t i, std::size_t stride, std::uint32_t* chosen) {
    return selection_.smallest(distances_.data() + i * stride, stride, picks, work_, chosen);
  });
}

void Leaf::pick_apart(std::uint32_t picks, float alpha) {
  pick(picks, [&](std::size_t i, std::size_t stride, std::uint32_t* chosen) {
    return selection_.pick(distances_.data(), stride, i, stride, alpha, picks, work_, chosen);
  });
}

/// Every edge in both directions, by row.
void Leaf::exchange(std::uint32_t picks) {
  const Partitioner::Rows& rows = *rows_;
  ends_.assign(rows.size(), 0);
  const auto for_each_pick = [&](const auto& f) {
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::uint32_t j = 0; j < counts_[i]; ++j) f(i, picks_[i * picks + j]);
  };
  for_each_pick([&](std::size_t i, Candidate pick) {
    ++ends_[i];
    ++ends_[slot_of(pick)];
  });
  std::uint32_t begin = 0;
  for (std::uint32_t& end : ends_) {
    const std::uint32_t size = end;
    end = begin;
    begin += size;
  }
  found_.resize(begin);
  for_each_pick([&](std::size_t i, Candidate pick) {
    const float distance = distance_of(pick);
    found_[ends_[i]++] = make_candidate(distance, rows[slot_of(pick)]);
    found_[ends_[slot_of(pick)]++] = make_candidate(distance, rows[i]);
  });
}

}  // namespace diskann::graph
