#pragma once

#include "diskann/types.hpp"
#include "distance/tiles.hpp"

namespace diskann::distance {

/// Whether two tiles of L2 and one integer type give the same products of rows that want every shape of a block of tile
/// registers, padding, and the extremes of the type.
bool same_integer_tiles(const TileKernels& found, const TileKernels& expected, VectorType type);

}  // namespace diskann::distance
