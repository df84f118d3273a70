#pragma once

#include <optional>

#include "base/row_store.hpp"
#include "base/threads.hpp"

namespace diskann::quantization {

/// Rows in 8 bits for building: a graph is a value, so one that was grown over codes is a graph over the rows, and
/// codes take a quarter of the memory traffic of f32. Distances between codes are those between rows up to one factor
/// and a rounding error, so pruning by alpha means the same.
struct BuildCodes {
  base::RowStore rows;
  Distance metric = Distance::L2;  ///< by which codes are compared: cosine rows are scaled to length 1 and take L2
};

/// Codes of f32 and f16 rows on one grid for all components: u8 for L2 and cosine (`norms` are the inverse norms then),
/// symmetric i8 for the inner product. Nothing where the rows are 8-bit already, where codes of different rows are the
/// same, or where those of a sample of rows have other nearest neighbours than the rows themselves: the grid is too
/// coarse for tight clusters far apart, and for all but the greatest of norms that differ by orders of magnitude. A
/// group of less than a hundredth of the rows may go unnoticed.
std::optional<BuildCodes> encode_for_building(Distance metric, const base::RowsView& rows, const float* norms,
                                              base::ThreadTeam& team);

}  // namespace diskann::quantization
