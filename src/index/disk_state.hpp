#pragma once

#include <filesystem>
#include <memory>

#include "diskann/disk_index.hpp"
#include "index/index_state.hpp"
#include "index/record_pages.hpp"
#include "index/searcher.hpp"
#include "io/block_device.hpp"

namespace diskann::index {
class DiskSearcher;
}

namespace diskann {

/// What an index on a drive is made of.
struct DiskIndex::State {
  /// Codes, points and parameters: the rows without data, the graph empty.
  std::unique_ptr<Index::State> known;
  std::filesystem::path path;
  index::NodePages pages;
  std::uint64_t edges_at = 0, rows_at = 0;  ///< first block of their pages
  std::vector<base::Slot> visited;          ///< nodes, most often first; those beyond the cache are forgotten
  std::unique_ptr<io::BlockDevice> device;
  std::unique_ptr<const index::DiskSearcher> searcher;
};

}  // namespace diskann
