#pragma once

#include <cstring>
#include <filesystem>
#include <memory>

#include "diskann/disk_index.hpp"
#include "index/index_state.hpp"
#include "index/record_pages.hpp"
#include "index/searcher.hpp"
#include "io/block_device.hpp"

namespace diskann::index {
class DiskSearcher;

/// How rows are to be read where records do not hold them as they are.
class RowForm {
 public:
  virtual ~RowForm() = default;
  virtual void read(const std::byte* record, std::byte* row) const = 0;
};
}  // namespace diskann::index

namespace diskann {

/// What an index on a drive is made of.
struct DiskIndex::State {
  /// Codes, points and parameters: the rows without data, the graph empty.
  std::unique_ptr<Index::State> known;
  std::filesystem::path path;
  index::NodePages pages;
  std::uint64_t edges_at = 0, rows_at = 0;  ///< first block of their pages
  std::unique_ptr<const index::RowForm> form;
  std::size_t cached_nodes = 0;     ///< that the cache has room for
  std::vector<base::Slot> visited;  ///< nodes, most often first; those beyond the cache are forgotten
  std::unique_ptr<io::BlockDevice> device;
  std::unique_ptr<const index::DiskSearcher> searcher;

  /// Of a record that has the row: its components.
  void read_row(const std::byte* record, std::byte* row) const {
    if (form != nullptr) return form->read(record, row);
    const base::RowsView& shape = known->rows.view();
    std::memcpy(row, record, shape.dimension * size_of(shape.type));
  }
};

}  // namespace diskann
