#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/huge_array.hpp"
#include "distance/selection.hpp"
#include "distance/tiles.hpp"
#include "graph/augmented_space.hpp"
#include "graph/candidate_list.hpp"
#include "graph/partition.hpp"

namespace diskann::graph {

/// The rows of one leaf: all distances between them, by dense products, and what they pick of one another. Memory is
/// kept from leaf to leaf.
class Leaf {
 public:
  explicit Leaf(const KernelSpace& space);

  /// Takes the rows of a leaf and measures all distances.
  void measure(const Partitioner::Rows& rows);
  /// Makes augmented distances of the products of an inner-product space.
  void augment(const AugmentedSpace& space);

  /// Each row picks the nearest others.
  void pick_nearest(std::uint32_t picks);
  /// Each row picks near others that do not occlude one another by `alpha`.
  void pick_apart(std::uint32_t picks, float alpha);
  /// What the row at a place picked, and what picked it, with distances off by at most error() from those of the space.
  std::span<const Candidate> found(std::size_t place) const noexcept {
    const std::uint32_t begin = place == 0 ? 0 : ends_[place - 1];
    return {found_.data() + begin, ends_[place] - begin};
  }
  float error() const noexcept { return error_; }

 private:
  template <class Pick>
  void pick(std::uint32_t picks, const Pick& pick);
  void exchange(std::uint32_t picks);

  const KernelSpace& space_;
  const distance::TileKernels& tiles_;
  const distance::SelectionKernels& selection_;
  const Partitioner::Rows* rows_ = nullptr;
  distance::TileBlock block_;
  base::HugeArray<float> distances_;  // of every row to every other
  std::vector<float> components_;
  distance::SelectionWork work_;
  float error_ = 0;
  std::vector<Candidate> picks_;       // of each row: places
  std::vector<std::uint32_t> counts_;  // how many those are
  std::vector<std::uint32_t> ends_;    // of each row's part of found_
  std::vector<Candidate> found_;
};

}  // namespace diskann::graph
