#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/row_store.hpp"

namespace diskann::distance {

/// Codes on a grid of whole numbers from -64 to 63. A row is of whole lines of 64 bytes: first those of which each byte
/// is a component, 64 above its number; then those that hold 128 components in 4 bits, byte j the code of component j
/// in its lower half and that of component 64 + j in its upper half. A code of 4 bits stands for one of 16 places.
inline constexpr std::size_t kNibblesInLine = 128, kBytesInLine = 64;
inline constexpr int kLeastOnGrid = -64, kMostOnGrid = 63;
using NibblePlaces = std::array<std::int8_t, 16>;

/// How many components a row has of each kind. Queries have components up to whole lines, zeros behind the last.
struct NibbleShape {
  std::size_t bytes = 0;  ///< a multiple of 64
  std::size_t nibbles = 0;

  constexpr std::size_t components() const noexcept { return bytes + nibbles; }
  constexpr std::size_t padded() const noexcept { return bytes + base::round_up(nibbles, kNibblesInLine); }
  constexpr std::size_t row_bytes() const noexcept { return bytes + base::round_up(nibbles, kNibblesInLine) / 2; }
};

/// A query against such rows.
struct NibbleQuery {
  const std::int8_t* components = nullptr;  ///< 64-byte aligned, of a shape
  std::size_t bytes = 0;                    ///< those of the shape
  const NibblePlaces* places = nullptr;
  float scale = 0;
  float weight = 1;  ///< of what each row adds, where it has a pair of factors
};

/// What is made of the product p of a query and a row.
enum class NibbleEnding {
  Add,   ///< factors[s] + scale * p
  Scale  ///< weight * factors[2 s] + factors[2 s + 1] * scale * p
};

/// out[i] = what is made of the query and rows.row(slots[i]), s = slots[i], rows of U8 whose dimension is
/// row_bytes().
using NibbleKernel = void (*)(const NibbleQuery& query, const base::RowsView& rows, const float* factors,
                              const base::Slot* slots, std::size_t count, float* out);
NibbleKernel nibble_kernel(NibbleEnding ending);

}  // namespace diskann::distance
