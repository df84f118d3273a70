#pragma once

#include <cstddef>
#include <cstdint>

namespace diskann::distance {

/// What a merge did.
struct Merged {
  std::size_t added = 0;  ///< scores that were not above the last entry, as it was before
  std::size_t open = 0;   ///< place of the first entry whose lowest bit is 0; `capacity` where there is none
};

/// Puts scored slots into a sorted list of candidates (words as graph/candidate_list.hpp makes them). `list`: 64-byte
/// aligned, `capacity` entries and as many more as fill whole lines of 8; entries that are not there are all ones. The
/// `capacity` smallest stay. None of the slots is in the list.
using Merge = Merged (*)(std::uint64_t* list, std::size_t capacity, const float* distances, const std::uint32_t* slots,
                         std::size_t count);

/// For lists of a capacity, of the instruction set in use; null where it has none: plain code does as well there.
Merge merge_for(std::size_t capacity) noexcept;

}  // namespace diskann::distance
