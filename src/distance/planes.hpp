#pragma once

#include <cstddef>
#include <cstdint>

#include "base/row_store.hpp"

namespace diskann::distance {

/// Codes of 1 to 8 bits a component in planes: the highest bit of all components, then the next one, and so on.
/// Rows stand one right behind the other. Component j is bit j % 8 of byte j / 8 of a plane; there are `components` of
/// them, a multiple of 64.
constexpr std::size_t plane_row_bytes(std::size_t components, std::size_t bits) noexcept {
  return components / 8 * bits;
}
/// Up to so many components 32 bits hold the sums of 8 bits.
inline constexpr std::size_t kMostInPlanes = 32'768;

/// A query against such rows. A code u stands for u - (2^bits - 1) / 2.
struct PlaneQuery {
  const std::int8_t* components = nullptr;  ///< 64-byte aligned
  std::size_t count = 0;                    ///< of components
  std::size_t bits = 0;
  std::int32_t shift = 0;  ///< 2^bits - 1 times the sum of the components
  float scale = 0;         ///< half of what a component stands for in steps of 1
  float weight = 1;        ///< of what each row adds
};
PlaneQuery make_plane_query(const std::int8_t* components, std::size_t count, std::size_t bits, float step,
                            float weight) noexcept;

/// out[i] = weight * factors[2 s] + factors[2 s + 1] * the product of the query and what row s = slots[i] stands for.
using PlaneKernel = void (*)(const PlaneQuery& query, const base::RowsView& rows, const float* factors,
                             const base::Slot* slots, std::size_t count, float* out);
PlaneKernel plane_kernel();

}  // namespace diskann::distance
