#include "graph/leaf.hpp"

#include <algorithm>
#include <limits>

namespace diskann::graph {

Leaf::Leaf(const KernelSpace& space)
    : space_(space),
      tiles_(distance::tiles(space.metric(), space.rows().type, tile_form(space.rows()))),
      selection_(distance::selection()) {}

void Leaf::measure(const Partitioner::Rows& rows) {
  constexpr std::size_t kStripe = 96;
  rows_ = &rows;
  const std::vector<float> center = tile_center(space_.metric(), space_.rows(), rows.front());
  tiles_.load({space_.rows(), space_.norms(), rows.data(), 0, rows.size(), center.empty() ? nullptr : center.data()},
              true, block_);
  const std::size_t stride = block_.padded_rows();
  if (distances_.size() < stride * stride) distances_ = base::HugeArray<float>(stride * stride);
  for (std::size_t first = 0; first < rows.size(); first += kStripe) {
    tiles_.multiply(block_, first, std::min(kStripe, rows.size() - first), block_, distances_.data() + first * stride,
                    stride);
  }
}

void Leaf::augment(const AugmentedSpace& space) {
  const std::size_t stride = block_.padded_rows();
  work_.assign(stride, 0.0f);
  for (std::size_t i = 0; i < rows_->size(); ++i) work_[i] = space.component((*rows_)[i]);
  const float* const components = work_.data();
  for (std::size_t i = 0; i < rows_->size(); ++i) {
    float* const row = distances_.data() + i * stride;  // of products below zero
    const float component = components[i], length = space.squared_length();
    for (std::size_t j = 0; j < stride; ++j) row[j] = std::max(0.0f, 2 * (length + row[j] - component * components[j]));
  }
}

template <class Pick>
void Leaf::pick(std::uint32_t picks, const Pick& pick) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const std::size_t stride = block_.padded_rows(), rows = rows_->size();
  picks_.resize(rows * picks);
  counts_.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) distances_.data()[i * stride + i] = -kInfinity;
  for (std::size_t i = 0; i < rows; ++i) {
    float& own = distances_.data()[i * stride + i];
    own = kInfinity;
    counts_[i] = static_cast<std::uint32_t>(pick(i, stride, picks_.data() + i * picks));
    own = -kInfinity;
  }
  exchange(picks);
}

void Leaf::pick_nearest(std::uint32_t picks) {
  pick(picks, [&](std::size_t i, std::size_t stride, std::uint32_t* chosen) {
    return selection_.smallest(distances_.data() + i * stride, stride, picks, chosen);
  });
}

void Leaf::pick_apart(std::uint32_t picks, float alpha) {
  work_.resize(block_.padded_rows());
  pick(picks, [&](std::size_t i, std::size_t stride, std::uint32_t* chosen) {
    return selection_.pick(distances_.data(), stride, i, stride, alpha, picks, work_.data(), chosen);
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
  for_each_pick([&](std::size_t i, std::uint32_t j) {
    ++ends_[i];
    ++ends_[j];
  });
  std::uint32_t begin = 0;
  for (std::uint32_t& end : ends_) {
    const std::uint32_t size = end;
    end = begin;
    begin += size;
  }
  found_.resize(begin);
  for_each_pick([&](std::size_t i, std::uint32_t j) {
    found_[ends_[i]++] = rows[j];
    found_[ends_[j]++] = rows[i];
  });
}

}  // namespace diskann::graph
