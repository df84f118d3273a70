#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "diskann/types.hpp"

namespace diskann::quantization {

/// Places of 8 bits, the same for all components: code = round((value - zero) / step), as far as the type reaches.
/// Codes of i8 lie about 0. Distances between codes are those between rows up to one factor and a rounding error.
struct Grid {
  VectorType type = VectorType::U8;
  float zero = 0, step = 0;
};

/// The nearest whole number, ties to even, below 2^22: the sum has no room for a fraction. Loops with it become
/// vectors.
inline float round_to_whole(float value) noexcept {
  constexpr float kWhole = 0x1.8p23f;
  return (value + kWhole) - kWhole;
}

/// (value - zero) / step, from `least` to `most`; NaN, which only files of others hold, becomes the least. In a loop of
/// its own, which becomes vectors as round_steps() does: together they are branches. `steps` may be `values`.
inline void clamp_steps(const float* values, float zero, float step, float least, float most, std::size_t count,
                        float* steps) noexcept {
  for (std::size_t j = 0; j < count; ++j) steps[j] = std::min(std::max(least, (values[j] - zero) / step), most);
}
/// The nearest whole numbers, less `zero`.
template <class Code>
void round_steps(const float* __restrict steps, std::int32_t zero, std::size_t count, Code* __restrict codes) noexcept {
  for (std::size_t j = 0; j < count; ++j)
    codes[j] = static_cast<Code>(static_cast<std::int32_t>(round_to_whole(steps[j])) - zero);
}

/// Rounds values to whole numbers from -127 to 127, of which the greatest is one, and returns what one stands for.
/// `values` are 64-byte aligned, zeros up to a multiple of 16, as many as `bytes` and `scratch` have room for.
float to_bytes(const float* values, std::size_t count, std::int8_t* bytes, float* scratch) noexcept;

/// Spans the values of a sample of rows of f32 or f16, times `inverse_norms` (by row) unless null; one in 5,000 at each
/// end is left outside, but of i8 without inverse norms, where the greatest decide. The step is 0 where all are the
/// same.
Grid choose_grid(const base::RowsView& rows, const float* inverse_norms, VectorType type);

/// Codes of all rows; `step` above 0.
base::RowStore encode(const Grid& grid, const base::RowsView& rows, const float* inverse_norms, base::ThreadTeam& team);

/// Rows as f16, each to where `destination(thread, row)` says; false where a value lies outside its range.
bool halve(const base::RowsView& rows, base::ThreadTeam& team,
           const std::function<std::byte*(unsigned thread, std::uint64_t row)>& destination);

/// The code of a query whose components are given in steps of the grid. False where so many lie so far outside
/// (infinity among them) that the ends of the grid, which then stand in `code`, are something else.
bool encode(VectorType type, const float* steps, std::size_t dimension, std::byte* code);

}  // namespace diskann::quantization
