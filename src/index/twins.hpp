#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"

namespace diskann::index {

/// Rows that are equal byte for byte, as docs/format.md keeps them; both empty where all rows differ.
struct Twins {
  std::vector<std::uint32_t> starts;   ///< nodes + 1
  std::vector<std::uint32_t> members;  ///< rows in order of (node, row)
};

/// Keeps the first of equal rows, moves the rows up in place and gives the memory behind them back. Nodes stand in the
/// order of their first rows.
Twins merge_twins(base::RowStore& rows, base::ThreadTeam& team);

/// The same to rows whose twins are known: read once more.
void keep_first_twins(base::RowStore& rows, std::span<const std::uint32_t> starts,
                      std::span<const std::uint32_t> members);

/// Of all rows as they stand.
std::uint64_t checksum(const base::RowsView& rows);

}  // namespace diskann::index
