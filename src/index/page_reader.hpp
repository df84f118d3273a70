#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "base/adjacency.hpp"
#include "diskann/types.hpp"
#include "index/record_pages.hpp"

namespace diskann::index {

/// Where pages come from when an index is read whole.
struct PageSource {
  std::function<void(bool of_edges, std::uint64_t offset, std::span<std::byte> out)> read;
  std::function<void(std::size_t bytes)> after_part;
  std::function<void(const std::string& what)> fail;  ///< throws Corrupt
};

/// Fills `graph`, and gives each record that has a row to `take_row`. Every checksum, degree and edge is checked.
void read_all_pages(const NodePages& pages, const PageSource& source,
                    const std::function<void(base::Slot node, const std::byte* record)>& take_row,
                    base::Adjacency& graph);

}  // namespace diskann::index
