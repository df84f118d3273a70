// Per-target part, included once for each instruction set: the register-blocked product behind all tiles.

#if defined(DISKANN_DISTANCE_TILE_SHAPES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DISKANN_DISTANCE_TILE_SHAPES_INL_H_
#undef DISKANN_DISTANCE_TILE_SHAPES_INL_H_
#else
#define DISKANN_DISTANCE_TILE_SHAPES_INL_H_
#endif

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/prefetch.hpp"
#include "distance/simd_compat-inl.h"
#include "distance/tiles.hpp"

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

inline constexpr std::size_t kPanel = TileBlock::kPanel;

#if DISKANN_SIMD

using D32 = hn::CappedTag<std::int32_t, kPanel>;
using DF = hn::CappedTag<float, kPanel>;
using VI = hn::VFromD<D32>;
using VF = hn::VFromD<DF>;
inline constexpr std::size_t kLanes = hn::MaxLanes(D32());
inline constexpr std::size_t kVectors = kPanel / kLanes;  // of a panel

// Registers decide the shape: accumulators, a vector of each panel and one of the left side must fit.
#if HWY_TARGET <= HWY_AVX3
inline constexpr std::size_t kTileRows = 8, kTilePanels = 3;  // 24 of 32 registers
#elif HWY_TARGET == HWY_AVX2
inline constexpr std::size_t kTileRows = 4, kTilePanels = 1;  // 8 of 16, of two vectors a panel
#elif HWY_TARGET == HWY_SSE4
inline constexpr std::size_t kTileRows = 2, kTilePanels = 1;  // 8 of 16, of four vectors a panel
#else
inline constexpr std::size_t kTileRows = 4, kTilePanels = 1;  // 16 of 32, of four vectors a panel
#endif

/// Transposes 16 rows of `bytes` bytes, a multiple of 16, in groups of four; `flip` is xored to every group.
HWY_INLINE void transpose_groups(const std::byte* HWY_RESTRICT rows, std::size_t stride, std::size_t bytes,
                                 std::uint32_t flip, std::byte* HWY_RESTRICT out, std::size_t out_stride) {
  const hn::FixedTag<std::uint32_t, 4> d;
  const hn::RepartitionToWide<decltype(d)> wide;
  const auto mask = hn::Set(d, flip);
  for (std::size_t byte = 0; byte < bytes; byte += 16) {
    for (std::size_t row = 0; row < kPanel; row += 4) {
      const auto load = [&](std::size_t i) {
        return hn::Xor(hn::LoadU(d, reinterpret_cast<const std::uint32_t*>(rows + (row + i) * stride + byte)), mask);
      };
      const auto r0 = load(0), r1 = load(1), r2 = load(2), r3 = load(3);
      const auto low01 = hn::BitCast(wide, hn::InterleaveLower(d, r0, r1));
      const auto high01 = hn::BitCast(wide, hn::InterleaveUpper(d, r0, r1));
      const auto low23 = hn::BitCast(wide, hn::InterleaveLower(d, r2, r3));
      const auto high23 = hn::BitCast(wide, hn::InterleaveUpper(d, r2, r3));
      const auto store = [&](std::size_t i, auto groups) {
        hn::StoreU(hn::BitCast(d, groups), d,
                   reinterpret_cast<std::uint32_t*>(out + (byte / 4 + i) * out_stride) + row);
      };
      store(0, hn::InterleaveLower(wide, low01, low23));
      store(1, hn::InterleaveUpper(wide, low01, low23));
      store(2, hn::InterleaveLower(wide, high01, high23));
      store(3, hn::InterleaveUpper(wide, high01, high23));
    }
  }
}

/// kRows left rows against kPanels panels. Finish turns a sum into results and stores them.
template <class Unit, std::size_t kRows, std::size_t kPanels, class Finish>
HWY_INLINE void multiply_registers(const std::byte* HWY_RESTRICT left, std::size_t stride,
                                   const std::byte* HWY_RESTRICT panels, std::size_t groups, const Finish& finish,
                                   std::size_t row, std::size_t column) {
  typename Unit::State sums[kRows][kPanels * kVectors];
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kPanels * kVectors; ++v) sums[r][v] = Unit::zero();
  }
  for (std::size_t group = 0; group < groups; ++group) {
    typename Unit::Vector right[kPanels * kVectors];
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kPanels * kVectors; ++v) {
      right[v] = Unit::load(panels + v / kVectors * stride * kPanel + group * 4 * kPanel + v % kVectors * kLanes * 4);
    }
    HWY_UNROLL(8)
    for (std::size_t r = 0; r < kRows; ++r) {
      const typename Unit::Vector one = Unit::broadcast(left + r * stride + group * 4);
      HWY_UNROLL(4)
      for (std::size_t v = 0; v < kPanels * kVectors; ++v) Unit::add(sums[r][v], right[v], one);
    }
  }
  HWY_UNROLL(8)
  for (std::size_t r = 0; r < kRows; ++r) {
    HWY_UNROLL(4)
    for (std::size_t v = 0; v < kPanels * kVectors; ++v) finish(row + r, column + v * kLanes, Unit::total(sums[r][v]));
  }
}

/// The left rows [first, end) against panels [panel, end_panel). A unit says how many registers a sum takes.
template <class Unit, class Finish>
HWY_INLINE void multiply_block(const TileBlock::Layout& left, std::size_t first, std::size_t end,
                               const TileBlock::Layout& right, std::size_t panel, std::size_t end_panel,
                               const Finish& finish) {
  constexpr std::size_t kRows = kTileRows / Unit::kRegisters;
  while (panel < end_panel) {
    const std::size_t width = std::min(kTilePanels, end_panel - panel);
    const std::byte* at = right.panels + panel * right.stride * kPanel;
    for (std::size_t row = first; row < end; row += kRows) {
      const std::byte* rows = left.left + row * left.stride;
      const std::size_t column = panel * kPanel;
      if constexpr (kTilePanels > 1) {
        if (width == 3) {
          multiply_registers<Unit, kRows, 3>(rows, left.stride, at, left.groups, finish, row, column);
          continue;
        }
        if (width == 2) {
          multiply_registers<Unit, kRows, 2>(rows, left.stride, at, left.groups, finish, row, column);
          continue;
        }
      }
      multiply_registers<Unit, kRows, 1>(rows, left.stride, at, left.groups, finish, row, column);
    }
    panel += width;
  }
}

#else

inline void transpose_groups(const std::byte* rows, std::size_t stride, std::size_t bytes, std::uint32_t flip,
                             std::byte* out, std::size_t out_stride) {
  for (std::size_t group = 0; group < bytes / 4; ++group) {
    for (std::size_t row = 0; row < kPanel; ++row) {
      std::uint32_t word;
      std::memcpy(&word, rows + row * stride + group * 4, 4);
      word ^= flip;
      std::memcpy(out + group * out_stride + row * 4, &word, 4);
    }
  }
}

/// One left row against the rows of a panel, whose groups hold kComponents components of type T. All of the panel at
/// once, so that compilers can vectorise.
template <class T, class Sum, std::size_t kComponents>
void plain_products(const TileBlock::Layout& left, std::size_t row, const TileBlock::Layout& right, std::size_t panel,
                    Sum* HWY_RESTRICT out) {
  const auto* HWY_RESTRICT a = reinterpret_cast<const T*>(left.left + row * left.stride);
  const auto* HWY_RESTRICT b = reinterpret_cast<const T*>(right.panels + panel * kPanel * right.stride);
  Sum sums[kPanel] = {};
  for (std::size_t group = 0; group < left.groups; ++group) {
    for (std::size_t column = 0; column < kPanel; ++column) {
      for (std::size_t i = 0; i < kComponents; ++i)
        sums[column] += static_cast<Sum>(a[group * kComponents + i] * b[(group * kPanel + column) * kComponents + i]);
    }
  }
  std::copy_n(sums, kPanel, out);
}

#endif  // DISKANN_SIMD

/// Results for the rows that fill up the last panel.
HWY_INLINE void close_columns(std::size_t rows, std::size_t padded_rows, std::size_t count, float* out,
                              std::size_t stride) {
  for (std::size_t i = 0; i < count; ++i)
    std::fill(out + i * stride + rows, out + i * stride + padded_rows, std::numeric_limits<float>::infinity());
}

/// All rows of a block against one another, each pair once: multiply(first, count, panel, out) takes rows against the
/// panels from `panel` on, and what it found is mirrored.
template <class Multiply>
HWY_INLINE void square_block(const TileBlock& block, float* out, std::size_t stride, const Multiply& multiply) {
  constexpr std::size_t kStripe = 3 * kPanel;
  const std::size_t bytes = stride * sizeof(float);
  const auto at = [&](std::size_t row, std::size_t column) {
    return reinterpret_cast<std::byte*>(out + row * stride + column);
  };
  for (std::size_t first = 0; first < block.rows(); first += kStripe) {
    const std::size_t end = std::min(first + kStripe, block.rows());
    multiply(first, end - first, first / kPanel, out + first * stride);
    for (std::size_t column = first + kStripe; column < block.padded_rows(); column += kPanel)
      for (std::size_t row = first; row < end; row += kPanel)
        transpose_groups(at(row, column), bytes, kPanel * sizeof(float), 0, at(column, row), bytes);
  }
}

/// Lays the rows of a source out: convert(i, row, out) writes one left row.
template <class Convert>
HWY_INLINE void load_rows(const TileSource& source, bool panels, std::uint32_t flip, TileBlock::Layout& layout,
                          const Convert& convert) {
  constexpr std::size_t kAhead = 6;  // rows on their way
  const base::RowsView& rows = source.rows;
  const auto slot = [&](std::size_t i) { return source.slots != nullptr ? source.slots[i] : source.first + i; };
  for (std::size_t i = 0; i < source.count; ++i) {
    if (source.slots != nullptr && i + kAhead < source.count) {
      base::prefetch(rows.row(slot(i + kAhead)), rows.stride);
    }
    convert(i, rows.row(slot(i)), layout.left + i * layout.stride);
    layout.scales[i] = source.inverse_norms != nullptr ? source.inverse_norms[slot(i)] : 1.0f;
  }
  if (!panels) return;
  for (std::size_t first = 0; first < source.count; first += kPanel)
    transpose_groups(layout.left + first * layout.stride, layout.stride, layout.stride, flip,
                     layout.panels + first * layout.stride, kPanel * 4);
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif  // per target
