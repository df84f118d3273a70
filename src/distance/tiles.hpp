#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/huge_array.hpp"
#include "base/row_store.hpp"
#include "diskann/types.hpp"

namespace diskann::distance {

/// Rows laid out for dense products of many with many: one after the other for the left side, in panels of 16 for the
/// right side. A panel holds four bytes of its first row, the same four of the second, and so on, so that one load
/// gives the same components of all its rows. (Where there are matrix products of bytes, left rows stand in pairs and a
/// panel holds eight bytes of each row.) Reused from block to block; memory grows and stays.
class TileBlock {
 public:
  static constexpr std::size_t kPanel = 16;

  std::size_t rows() const noexcept { return rows_; }
  /// Rows with those that fill the last panel; results have room for as many columns.
  std::size_t padded_rows() const noexcept { return base::round_up(rows_, kPanel); }
  /// The greatest squared norm of the rows, as they were laid out.
  double largest_squared_norm() const noexcept { return largest_squared_norm_; }
  /// Of one row, as it was laid out.
  double squared_norm(std::size_t row) const noexcept { return static_cast<double>(layout_.norms[row]); }

  // For the kernels.
  struct Layout {
    std::size_t stride = 0;  ///< bytes of a left row, and of a panel / 16
    std::size_t groups = 0;  ///< of four bytes that hold components
    std::byte* left = nullptr;
    std::byte* panels = nullptr;         ///< null where only the left side was asked for
    std::int32_t* left_terms = nullptr;  ///< what a row adds to each of its results: int32 or float bits
    std::int32_t* right_terms = nullptr;
    float* scales = nullptr;  ///< inverse norms (cosine)
    float* norms = nullptr;   ///< squared
  };
  const Layout& layout() const noexcept { return layout_; }
  /// Room for `rows` rows of `row_bytes` bytes, a multiple of 64; what was there is lost.
  Layout& reset(std::size_t rows, std::size_t row_bytes, bool with_panels);
  void set_largest_squared_norm(double value) noexcept { largest_squared_norm_ = value; }

 private:
  std::size_t rows_ = 0;
  double largest_squared_norm_ = 0;
  Layout layout_;
  base::HugeArray<std::byte> left_, panels_;
  base::HugeArray<std::int32_t> terms_;  // left terms, right terms, scales, norms
};

/// Which rows a block takes, and how they are changed on the way.
struct TileSource {
  base::RowsView rows;
  const float* inverse_norms = nullptr;  ///< by slot (cosine), else null
  const base::Slot* slots = nullptr;     ///< which rows; null: `first` and those after it
  std::size_t first = 0;
  std::size_t count = 0;
  const float* center = nullptr;  ///< subtracted from float components (L2): distances lose less to rounding
};

/// Dense products of one metric and form. Results are distances in the convention of Distance: exact for integer forms
/// (rounded to float at the end), for f32 within error_bound() of the exact value. Every result depends on its two rows
/// alone, whatever stands beside them.
struct TileKernels {
  /// Lays rows out; `panels`: for the right side as well as the left.
  void (*load)(const TileSource& source, bool panels, TileBlock& block);
  /// out[i * stride + j] = distance of left row first + i and right row j, for i < count and j < right.padded_rows();
  /// rows up to the next multiple of 8 may be written too, and must lie within the padded left block. `first` is a
  /// multiple of 8. Columns beyond the rows are +infinity.
  void (*multiply)(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right, float* out,
                   std::size_t stride);
  /// All rows of a block, laid out with panels, against one another: what multiply() gives, in about half the time.
  /// `out` has room for padded_rows() rows.
  void (*square)(const TileBlock& block, float* out, std::size_t stride);
  /// Whether components are multiplied as bytes, four to a lane: several times as fast as floats.
  bool of_bytes;
};

/// Tiles for rows of a type taken as `form`: the rows' own integer type, or F32 (which f16 always takes).
const TileKernels& tiles(Distance metric, VectorType rows, VectorType form);

/// How far a result of tiles, and the same distance from KernelTable, may lie apart for rows whose squared norms, as
/// they were laid out, are at most these. 0 for L2 and inner product in integer forms, whose sums are exact; infinity
/// where sums could leave the range of f32, so that a result may be NaN. What products below that range lose is part of
/// it, except by cosine, which divides it by the norms: there the bound holds for rows whose inverse norms
/// tiles_hold_cosines() takes.
float tile_error_bound(Distance metric, VectorType form, std::size_t dimension, double left_squared_norm,
                       double right_squared_norm) noexcept;

/// Whether products of components and of inverse norms stay within the range of f32 for rows of this inverse norm: of
/// lengths from 1e-14 to 1e14, and zero.
inline bool tiles_hold_cosines(float inverse_norm) noexcept {
  return inverse_norm == 0 || (inverse_norm >= 0x1p-48f && inverse_norm <= 0x1p48f);
}

}  // namespace diskann::distance
