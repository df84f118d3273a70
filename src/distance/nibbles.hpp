#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/row_store.hpp"

namespace diskann::distance {

/// Codes of 4 bits. A row is of whole lines of 64 bytes, each of which holds 128 components: byte j the code of
/// component j in its lower half and that of component 64 + j in its upper half. A code stands for one of 16 places,
/// whole numbers from -64 to 63.
inline constexpr std::size_t kNibblesInLine = 128;
constexpr std::size_t nibble_row_bytes(std::size_t dimension) noexcept {
  return base::round_up(dimension, kNibblesInLine) / 2;
}
using NibblePlaces = std::array<std::int8_t, 16>;

/// A query against such rows.
struct NibbleQuery {
  const std::int8_t* components = nullptr;  ///< 64-byte aligned, zeros up to whole lines of 128
  const NibblePlaces* places = nullptr;
  float scale = 0;
};

/// What is made of the product p of a query and a row.
enum class NibbleEnding {
  Add,      ///< norm of the row + scale * p
  Multiply  ///< norm of the row * scale * p
};

/// out[i] = what is made of the query and rows.row(slots[i]), rows of U8 whose dimension is nibble_row_bytes(); `norms`
/// is indexed by slot.
using NibbleKernel = void (*)(const NibbleQuery& query, const base::RowsView& rows, const float* norms,
                              const base::Slot* slots, std::size_t count, float* out);
NibbleKernel nibble_kernel(NibbleEnding ending);

}  // namespace diskann::distance
