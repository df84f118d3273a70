#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace diskann::graph {

/// Carves rows that do not fit in memory together into shards that do, each row into the two whose centres it is
/// nearest to (as the merged index of the DiskANN paper, Subramanya et al., NeurIPS 2019).
class ShardCenters {
 public:
  using Shard = std::uint16_t;
  static constexpr Shard kNone = 0xFFFF;
  static constexpr std::size_t kMost = 256;
  static constexpr std::size_t kStep = 16;  ///< there are a multiple of so many
  /// Shards that a row may go to, nearest first.
  using Near = std::array<Shard, 8>;

  /// Learns `count` centres from `rows` points of `length` components.
  ShardCenters(const float* points, std::size_t rows, std::size_t length, std::size_t count, std::uint64_t seed);

  std::size_t size() const noexcept { return halves_.size(); }
  /// `work`: size() floats.
  Near nearest(const float* point, float* work) const;

 private:
  std::size_t length_;
  std::vector<float> centers_;  // as distance::Centroids has them
  std::vector<float> halves_;   // of the square of each centre's norm
};

/// How full shards are. Rows come in order, so that where each goes depends on the rows alone.
class ShardFill {
 public:
  using Shard = ShardCenters::Shard;
  struct Place {
    Shard first = ShardCenters::kNone, second = ShardCenters::kNone;
  };

  ShardFill(std::size_t shards, std::uint64_t capacity) : sizes_(shards), capacity_(capacity) {}
  /// The nearest shards with room, or the emptiest.
  Place take(const ShardCenters::Near& near);
  std::uint64_t largest() const noexcept;

 private:
  Shard take_one(const ShardCenters::Near& near, Shard other);

  std::vector<std::uint64_t> sizes_;
  std::uint64_t capacity_;
};

}  // namespace diskann::graph
