// The nearest columns of rows of distances.
#include "distance/selection.hpp"

#include "distance/targets.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "distance/selection.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "distance/simd_compat-inl.h"

HWY_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

inline constexpr float kNothing = std::numeric_limits<float>::infinity();

/// Puts a column among those chosen so far, which it is nearer than the last of; `distances` is the whole row.
HWY_INLINE void insert_column(const float* HWY_RESTRICT distances, std::uint32_t column, std::size_t room,
                              std::uint32_t* HWY_RESTRICT chosen, std::size_t& size) {
  const float distance = distances[column];
  std::size_t at = size < room ? size++ : room - 1;
  for (; at > 0 && distances[chosen[at - 1]] > distance; --at) chosen[at] = chosen[at - 1];
  chosen[at] = column;
}

#if DISKANN_SIMD

using Floats = hn::CappedTag<float, 16>;
using Columns = hn::RebindToUnsigned<Floats>;
inline constexpr std::size_t kColumns = hn::MaxLanes(Floats());

/// Groups of which nothing is near, which are nearly all, cost a load and a comparison for each vector.
std::size_t within(const float* HWY_RESTRICT distances, std::size_t columns, float limit,
                   std::uint32_t* HWY_RESTRICT chosen) {
  const Floats d;
  const Columns places;
  const auto limits = hn::Set(d, limit);
  const auto first_lanes = hn::Iota(places, 0);
  const auto near = [&](std::size_t column) HWY_ATTR { return hn::Le(hn::LoadU(d, distances + column), limits); };
  std::size_t size = 0, column = 0;
  const auto take = [&](std::size_t at, auto mask) HWY_ATTR {
    if (hn::AllFalse(d, mask)) return;
    const auto lanes = hn::Add(first_lanes, hn::Set(places, static_cast<std::uint32_t>(at)));
    hn::StoreU(hn::Compress(lanes, hn::RebindMask(places, mask)), places, chosen + size);
    size += hn::CountTrue(d, mask);
  };
  for (; column + 4 * kColumns <= columns; column += 4 * kColumns) {
    const auto a = near(column), b = near(column + kColumns);
    const auto c = near(column + 2 * kColumns), e = near(column + 3 * kColumns);
    if (hn::AllFalse(d, hn::Or(hn::Or(a, b), hn::Or(c, e)))) continue;
    take(column, a);
    take(column + kColumns, b);
    take(column + 2 * kColumns, c);
    take(column + 3 * kColumns, e);
  }
  for (; column < columns; ++column) {
    chosen[size] = static_cast<std::uint32_t>(column);
    size += distances[column] <= limit ? 1 : 0;
  }
  return size;
}

/// within() where most groups hold some, so that every branch would be mispredicted.
std::size_t within_often(const float* HWY_RESTRICT distances, std::size_t columns, float limit,
                         std::uint32_t* HWY_RESTRICT chosen) {
  const Floats d;
  const Columns places;
  const auto limits = hn::Set(d, limit);
  const auto step = hn::Set(places, kColumns);
  auto lanes = hn::Iota(places, 0);
  std::size_t size = 0;
  for (std::size_t column = 0; column < columns; column += kColumns, lanes = hn::Add(lanes, step)) {
    const auto near = hn::Le(hn::LoadU(d, distances + column), limits);
    hn::StoreU(hn::Compress(lanes, hn::RebindMask(places, near)), places, chosen + size);
    size += hn::CountTrue(d, near);
  }
  return size;
}

/// A limit that at least `count` columns keep, where so many hold anything, and few others: of what is least in each
/// lane of every second vector, the one after count - 1 others.
float near_limit(const float* HWY_RESTRICT distances, std::size_t columns, std::size_t count) {
  const Floats d;
  const auto nothing = hn::Set(d, kNothing);
  auto even = nothing, odd = nothing;
  const auto see = [&](auto& least, std::size_t column) HWY_ATTR {
    least = hn::Min(hn::LoadU(d, distances + column), least);  // in this order x86 passes NaN over, as others do in any
  };
  std::size_t column = 0;
  for (; column + 2 * kColumns <= columns; column += 2 * kColumns) {
    see(even, column);
    see(odd, column + kColumns);
  }
  if (column < columns) see(even, column);
  auto least = hn::MinOfLanes(d, hn::Min(even, odd));
  while (--count > 0) {
    even = hn::IfThenElse(hn::Le(even, least), nothing, even);
    odd = hn::IfThenElse(hn::Le(odd, least), nothing, odd);
    least = hn::MinOfLanes(d, hn::Min(even, odd));
  }
  return HWY_MIN(hn::GetLane(least), std::numeric_limits<float>::max());
}

std::size_t smallest(const float* HWY_RESTRICT distances, std::size_t columns, std::size_t count, SelectionWork& work,
                     std::uint32_t* HWY_RESTRICT chosen) {
  // Beyond 8 there are too few lanes in vectors of four.
  const float limit = count <= 8 ? near_limit(distances, columns, count) : std::numeric_limits<float>::max();
  const std::uint32_t* near = work.columns.data();
  const std::size_t size = within_often(distances, columns, limit, work.columns.data());
  std::size_t found = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (found == count && distances[near[i]] >= distances[chosen[count - 1]]) continue;
    insert_column(distances, near[i], count, chosen, found);
  }
  return found;
}

std::size_t pick(const float* HWY_RESTRICT matrix, std::size_t stride, std::size_t row, std::size_t columns,
                 float alpha, std::size_t count, SelectionWork& work, std::uint32_t* HWY_RESTRICT chosen) {
  const Floats d;
  const auto factor = hn::Set(d, alpha), nothing = hn::Set(d, kNothing);
  float* HWY_RESTRICT rest = work.left.data();
  const float* left = matrix + row * stride;  // what is left to choose from
  const float* last = nullptr;                // distances from the last one chosen
  std::size_t size = 0;
  while (size < count) {
    auto even = nothing, odd = nothing;  // two, for each waits for its own last step
    const auto see = [&](auto& least, std::size_t column) HWY_ATTR {
      auto distances = hn::LoadU(d, left + column);
      if (last != nullptr) {
        const auto dropped = hn::Ge(distances, hn::Mul(factor, hn::LoadU(d, last + column)));
        distances = hn::IfThenElse(dropped, nothing, distances);
        hn::StoreU(distances, d, rest + column);
      }
      least = hn::Min(distances, least);  // as in near_limit
    };
    std::size_t column = 0;
    for (; column + 2 * kColumns <= columns; column += 2 * kColumns) {
      see(even, column);
      see(odd, column + kColumns);
    }
    if (column < columns) see(even, column);
    const auto least = hn::MinOfLanes(d, hn::Min(even, odd));
    if (hn::GetLane(least) == kNothing) break;
    if (size > 0) left = rest;
    const auto is_least = [&](std::size_t at) HWY_ATTR { return hn::Eq(hn::LoadU(d, left + at), least); };
    for (column = 0; hn::AllFalse(d, is_least(column));) column += kColumns;
    column += static_cast<std::size_t>(hn::FindFirstTrue(d, is_least(column)));
    chosen[size++] = static_cast<std::uint32_t>(column);
    last = matrix + column * stride;
  }
  return size;
}

void augment(float* HWY_RESTRICT products, std::size_t columns, float component, const float* HWY_RESTRICT components,
             float squared_length) {
  const Floats d;
  const auto own = hn::Set(d, component), length = hn::Set(d, squared_length);
  for (std::size_t column = 0; column < columns; column += kColumns) {
    const auto sum = hn::Add(length, hn::LoadU(d, products + column));
    const auto half = hn::Sub(sum, hn::Mul(own, hn::LoadU(d, components + column)));
    hn::StoreU(hn::Max(hn::Zero(d), hn::Add(half, half)), d, products + column);
  }
}

#else

std::size_t smallest(const float* distances, std::size_t columns, std::size_t count, SelectionWork&,
                     std::uint32_t* chosen) {
  std::size_t size = 0;
  for (std::size_t column = 0; column < columns; ++column) {
    if (!(distances[column] < kNothing)) continue;
    if (size == count && distances[column] >= distances[chosen[count - 1]]) continue;
    insert_column(distances, static_cast<std::uint32_t>(column), count, chosen, size);
  }
  return size;
}

std::size_t pick(const float* matrix, std::size_t stride, std::size_t row, std::size_t columns, float alpha,
                 std::size_t count, SelectionWork& work, std::uint32_t* chosen) {
  float* left = work.left.data();
  std::memcpy(left, matrix + row * stride, columns * sizeof(float));
  std::size_t size = 0;
  while (size < count) {
    std::size_t least = columns;
    float value = kNothing;
    for (std::size_t column = 0; column < columns; ++column) {
      if (!(left[column] < value)) continue;
      least = column;
      value = left[column];
    }
    if (least == columns) break;
    chosen[size++] = static_cast<std::uint32_t>(least);
    for (std::size_t column = 0; column < columns; ++column)
      if (left[column] >= alpha * matrix[least * stride + column]) left[column] = kNothing;
  }
  return size;
}

std::size_t within(const float* distances, std::size_t columns, float limit, std::uint32_t* chosen) {
  std::size_t size = 0;
  for (std::size_t column = 0; column < columns; ++column) {
    chosen[size] = static_cast<std::uint32_t>(column);
    size += distances[column] <= limit ? 1 : 0;
  }
  return size;
}

void augment(float* products, std::size_t columns, float component, const float* components, float squared_length) {
  for (std::size_t column = 0; column < columns; ++column)
    products[column] = std::max(0.0f, 2 * (squared_length + products[column] - component * components[column]));
}

#endif  // DISKANN_SIMD

const SelectionKernels* find_selection() {
  static constexpr SelectionKernels kKernels = {smallest, pick, within, augment};
  return &kKernels;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace diskann::distance {

std::span<const TargetSelection> selection_targets() {
#define DISKANN_ENTRY(floats, kernels, tiles, name, runs_here) {N_##floats::find_selection},
  static constexpr TargetSelection kTargets[] = {DISKANN_EACH_TARGET(DISKANN_ENTRY)};
#undef DISKANN_ENTRY
  return kTargets;
}

}  // namespace diskann::distance
#endif
