#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/huge_array.hpp"
#include "base/threads.hpp"
#include "distance/selection.hpp"
#include "distance/tiles.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// How rows are carved into leaves that overlap.
struct PartitionShape {
  std::array<std::uint32_t, 2> fanouts = {8, 2};  ///< leaders that a row goes to on the first two levels; 1 below
  std::size_t leaf_rows = 1024;                   ///< at most
};

/// Distances that carving so many rows and comparing all rows of each leaf with one another takes, as far as shape and
/// number tell: what the time of a partitioned build grows with. It is not smooth: from some 80,000 rows on most
/// clusters of the first level are carved again, which doubles the leaves that a row is in.
double expected_comparisons(std::uint64_t rows, const PartitionShape& shape);

/// Randomised ball carving as in PiPNN (Rubel et al., arXiv 2602.21247): leaders drawn at random, each row with its
/// nearest leaders, again and again until a cluster is small enough for a leaf. What is carved depends on rows, shape
/// and seed alone. For the inner product rows go by L2, since the few of great norm would attract all others.
class Partitioner {
 public:
  using Rows = std::vector<Slot>;

  Partitioner(const KernelSpace& space, const PartitionShape& shape, base::ThreadTeam& team);

  /// The first level: overlapping clusters of all rows, the largest first.
  std::vector<Rows> carve_all(std::uint64_t seed, const Execution& execution);
  /// All rows, those of one cluster (by their nearest leader) side by side: after carve_all().
  const Rows& order() const noexcept { return order_; }

  /// Carves one cluster of the first level; `leaf` takes the leaves one after another. Threads may do this at the same
  /// time, each under its number.
  using LeafBody = std::function<void(const Rows& rows)>;
  void carve(unsigned thread, Rows cluster, std::uint64_t seed, const LeafBody& leaf);

 private:
  struct Scratch {
    distance::TileBlock rows, leaders;
    base::HugeArray<float> distances;
    distance::SelectionWork selection;
  };
  struct Leaders {
    std::size_t count = 0;
    std::uint32_t fanout = 1;
    std::vector<float> center;
  };

  Leaders load_leaders(const Rows& rows, std::size_t level, std::uint64_t seed, distance::TileBlock& block) const;
  void assign(const Leaders& leaders, const distance::TileBlock& block, const Slot* rows, std::size_t count,
              Scratch& scratch, std::uint16_t* choices) const;
  std::vector<Rows> gather(const Rows& rows, const Leaders& leaders, const std::vector<std::uint16_t>& choices) const;
  void carve_level(unsigned thread, Rows rows, std::size_t level, std::uint64_t seed, const LeafBody& leaf);
  distance::TileSource source(const Slot* rows, std::size_t count, const Leaders& leaders) const;

  const KernelSpace& space_;
  PartitionShape shape_;
  base::ThreadTeam& team_;
  const distance::TileKernels& tiles_;
  const distance::SelectionKernels& selection_;
  Rows order_;
  std::vector<Scratch> scratch_;
};

/// The form in which the rows of a space are multiplied with one another.
inline VectorType tile_form(const base::RowsView& rows) noexcept {
  return rows.type == VectorType::U8 || rows.type == VectorType::I8 ? rows.type : VectorType::F32;
}

/// A row as floats, padded as tiles read a centre; empty where tiles of this metric and form take none.
std::vector<float> tile_center(Distance metric, const base::RowsView& rows, Slot row);

}  // namespace diskann::graph
