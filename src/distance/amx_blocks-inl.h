// Per-target part: dense products of bytes over tile registers as AMX has them.

#if defined(DISKANN_DISTANCE_AMX_BLOCKS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DISKANN_DISTANCE_AMX_BLOCKS_INL_H_
#undef DISKANN_DISTANCE_AMX_BLOCKS_INL_H_
#else
#define DISKANN_DISTANCE_AMX_BLOCKS_INL_H_
#endif

#include <algorithm>

#include "distance/amx_configuration.hpp"
#include "distance/simd_compat-inl.h"
#include "distance/tiles.hpp"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

// A step multiplies 64 bytes of each row. Those of 16 left rows are one tile as they lie; those of a panel are one too,
// for it holds 16 groups of four bytes of each of its 16 rows, one after the other. Padding is zeros on both sides.
static_assert(TileBlock::kPanel == kAmxRows && TileBlock::kPanel * 4 == kAmxRowBytes);
inline constexpr std::size_t kSumColumns = 2 * TileBlock::kPanel;

template <bool kSigned, int kSums, int kLeft, int kRight, class Registers>
HWY_INLINE void add_products(Registers& tiles) {
  if constexpr (kSigned) {
    tiles.template add_signed_products<kSums, kLeft, kRight>();
  } else {
    tiles.template add_unsigned_products<kSums, kLeft, kRight>();
  }
}

/// kHeight times 16 left rows against kWidth panels. Two by two take all eight tiles: four of sums, two of each side,
/// so that every tile loaded serves two products; a load takes half as long as a product, by Intel's figures.
template <bool kSigned, int kHeight, int kWidth, class Registers>
HWY_INLINE void multiply_tiles(Registers& tiles, const std::byte* upper, const std::byte* lower,
                               const std::byte* panels, std::size_t stride, std::int32_t* sums) {
  tiles.template zero<0>();
  if constexpr (kWidth == 2) tiles.template zero<1>();
  if constexpr (kHeight == 2) tiles.template zero<2>();
  if constexpr (kHeight == 2 && kWidth == 2) tiles.template zero<3>();
  const std::byte* const other_panel = panels + stride * TileBlock::kPanel;
  for (std::size_t byte = 0; byte < stride; byte += kAmxRowBytes) {
    tiles.template load<6>(panels + byte * TileBlock::kPanel, kAmxRowBytes);
    tiles.template load<4>(upper + byte, stride);
    add_products<kSigned, 0, 4, 6>(tiles);
    if constexpr (kWidth == 2) {
      tiles.template load<7>(other_panel + byte * TileBlock::kPanel, kAmxRowBytes);
      add_products<kSigned, 1, 4, 7>(tiles);
    }
    if constexpr (kHeight == 2) {
      tiles.template load<5>(lower + byte, stride);
      add_products<kSigned, 2, 5, 6>(tiles);
      if constexpr (kWidth == 2) add_products<kSigned, 3, 5, 7>(tiles);
    }
  }
  constexpr std::size_t kBytes = kSumColumns * sizeof(std::int32_t);
  std::int32_t* const lower_sums = sums + kAmxRows * kSumColumns;
  tiles.template store<0>(sums, kBytes);
  if constexpr (kWidth == 2) tiles.template store<1>(sums + TileBlock::kPanel, kBytes);
  if constexpr (kHeight == 2) tiles.template store<2>(lower_sums, kBytes);
  if constexpr (kHeight == 2 && kWidth == 2) tiles.template store<3>(lower_sums + TileBlock::kPanel, kBytes);
}

/// The left rows [first, first + count) against the panels from `panel` on. finish(row, column, sums) takes the sums of
/// a row with a panel, for these rows alone.
template <class Registers, bool kSigned, class Finish>
HWY_INLINE void multiply_with_tiles(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right,
                                    std::size_t panel, const Finish& finish) {
  static constexpr AmxConfiguration kConfiguration = full_amx_tiles();
  const TileBlock::Layout& a = left.layout();
  const TileBlock::Layout& b = right.layout();
  const std::size_t end = first + count, end_panel = right.padded_rows() / TileBlock::kPanel, stride = a.stride;
  alignas(64) std::int32_t sums[2 * kAmxRows * kSumColumns];
  // A tile takes 16 rows. Where fewer than that stand behind its first one, it begins at an earlier row.
  const auto start = [&](std::size_t row) { return std::min(row, left.padded_rows() - kAmxRows); };
  Registers tiles;
  tiles.configure(kConfiguration);
  for (; panel < end_panel; panel += 2) {
    const std::byte* const panels = b.panels + panel * TileBlock::kPanel * stride;
    const std::size_t width = std::min<std::size_t>(2, end_panel - panel);
    for (std::size_t row = first; row < end; row += 2 * kAmxRows) {
      const std::size_t starts[] = {start(row), start(row + kAmxRows)};
      const std::byte* const upper = a.left + starts[0] * stride;
      const std::byte* const lower = a.left + starts[1] * stride;
      const bool tall = row + kAmxRows < end;
      if (tall && width == 2) {
        multiply_tiles<kSigned, 2, 2>(tiles, upper, lower, panels, stride, sums);
      } else if (tall) {
        multiply_tiles<kSigned, 2, 1>(tiles, upper, lower, panels, stride, sums);
      } else if (width == 2) {
        multiply_tiles<kSigned, 1, 2>(tiles, upper, lower, panels, stride, sums);
      } else {
        multiply_tiles<kSigned, 1, 1>(tiles, upper, lower, panels, stride, sums);
      }
      for (std::size_t i = row; i < std::min(row + 2 * kAmxRows, end); ++i) {
        const std::size_t tile = (i - row) / kAmxRows;
        const std::int32_t* const of_row = sums + (tile * kAmxRows + i - starts[tile]) * kSumColumns;
        for (std::size_t p = 0; p < width; ++p)
          finish(i, (panel + p) * TileBlock::kPanel, of_row + p * TileBlock::kPanel);
      }
    }
  }
  tiles.release();  // else the system saves and restores eight kilobytes at every change of threads
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif  // per target
