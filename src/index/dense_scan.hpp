#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "distance/row_codes.hpp"
#include "distance/selection.hpp"
#include "distance/tiles.hpp"
#include "index/nearest_rows.hpp"
#include "index/row_window.hpp"

namespace diskann::index {

/// One thread's comparison of batches of queries with blocks of rows by dense tiles, which load a component once for
/// many products. Results are those of the direct kernels to the bit: where tiles are only near, what could be among
/// the nearest within their error is compared again, and where the error is too large to tell rows apart, the direct
/// kernels do all the work. Floats are multiplied in 8 bits where that is faster, as long as few rows lie within the
/// larger error of that.
class DenseScan {
 public:
  /// From this many queries on it pays to lay the rows out.
  static constexpr std::size_t kLeastQueries = 8;
  /// Most queries of a batch, and rows of a block.
  static std::size_t most_queries(const ScannedRows& scanned) noexcept;
  static std::size_t block_rows(const ScannedRows& scanned) noexcept;
  /// Mean of some rows for L2, else empty. In f32 rows are taken relative to it: seen from there they are short, and
  /// the error of a distance grows with their lengths.
  static std::vector<float> find_center(const ScannedRows& scanned);

  /// `center` is borrowed.
  DenseScan(const ScannedRows& scanned, const std::vector<float>& center, std::size_t queries);

  /// The queries that are compared from here on; at most as many as the constructor was told.
  void prepare(const VectorView& queries);
  /// Offers each query's list the rows of one block.
  void compare(std::size_t first, std::size_t count, std::span<NearestRows> nearest);
  /// Makes the lists exact.
  void settle(std::span<NearestRows> nearest);

 private:
  /// How one query is compared.
  struct Lane {
    std::size_t direct_blocks = 0;  // that the direct kernels will compare
    std::size_t pause = 0;          // how many of them after the next crowd
    float bound = 0;                // of the block at hand
    bool direct = false;
  };
  void load_queries();
  bool load_rows(std::size_t count);
  bool hold_cosines(const float* inverse_norms, std::size_t count) const noexcept;
  void compare_codes(std::size_t query, float* products, NearestRows& nearest, std::size_t first, std::size_t count);
  void settle(std::size_t query, NearestRows& nearest);
  void judge_codes();
  void compare_lane(std::size_t query, const float* distances, NearestRows& nearest, std::size_t first,
                    std::size_t count);

  ScannedRows scanned_;
  const std::vector<float>& center_;
  VectorView given_;  // queries
  RowWindow window_;
  QueryBatch queries_;
  std::vector<Lane> lanes_;
  VectorType form_ = VectorType::F32;
  const distance::TileKernels* tiles_ = nullptr;
  const distance::SelectionKernels& selection_;
  distance::TileBlock left_, right_;
  distance::RowCodes left_codes_, right_codes_;
  bool coded_ = false;
  bool codes_pay_;                     // as far as is known
  std::uint64_t seen_ = 0, near_ = 0;  // pairs by codes, and those of them that were compared once more
  std::vector<float> near_distances_;
  bool left_holds_ = true;                // cosine: inverse norms that tiles can work with
  base::HugeArray<float> tile_;           // distances of some queries from the block
  std::vector<std::uint32_t> positions_;  // of those that may be near enough
};

}  // namespace diskann::index
