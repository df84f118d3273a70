#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/row_store.hpp"
#include "diskann/disk_index.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "index/codes.hpp"
#include "io/container.hpp"

namespace diskann::index {

/// Writes the sections of docs/format.md.
void save_index(const Index::State& state, const std::filesystem::path& path, bool overwrite,
                const Execution& execution);
/// The same with rows and edges in pages, for a drive: record_pages.hpp. The index has vectors; `codes` are its own or
/// made of it. `reorder`: as page_order.hpp says.
void save_in_pages(const Index::State& state, const Codes& codes, const std::filesystem::path& path, bool overwrite,
                   bool reorder, const Execution& execution);
/// Rows and edges of nodes that are not in memory, asked for in the order of their slots: twice where rows stand apart.
struct PagedNodes {
  std::function<void(base::Slot slot, std::byte* row)> put_row;
  std::function<std::span<const base::Slot>(base::Slot slot)> neighbors;
};
/// The same of those, in the order in which they are to stand; the state has all else, its codes in that order.
void save_paged(const Index::State& state, const PagedNodes& nodes, std::span<const base::Slot> visited,
                const std::filesystem::path& path, bool overwrite, const Execution& execution);
/// Rows that walks to count visits of nodes go to.
inline constexpr std::size_t kWalkers = 4096;
/// Nodes that a file names as those most often visited: more than a cache of the usual size holds.
std::uint64_t visited_nodes(std::uint64_t rows) noexcept;
/// Size of the file where every row is a node. The caller has seen that `rows` rows of vectors fit 64 bits.
std::uint64_t index_file_bytes(std::uint64_t rows, std::size_t dimension, VectorType type, Distance metric,
                               const BuildParameters& parameters, bool with_ids, const CodeChoice& codes,
                               bool drop_vectors, bool for_drive);

/// Reads the file into memory, every checksum and the padding of rows checked on the way; or maps it, then large
/// sections are checked only with options.verify_all. Throws Corrupt for anything that does not fit together.
std::unique_ptr<Index::State> open_index(const std::filesystem::path& path, const OpenOptions& options);

/// What is needed in memory of an index in pages; InvalidArgument for another.
std::unique_ptr<DiskIndex::State> open_pages(const std::filesystem::path& path, const DiskOpenOptions& options);
/// Last step of that: fills the cache and makes the searcher.
void start_searching(DiskIndex::State& state, const DiskOpenOptions& options);

/// What base::stray_padding() found, in words.
std::string stray_padding_text(const base::RowsView& rows, std::size_t stray);

/// The metadata section, every field checked against its range.
struct IndexMeta {
  std::string library_version;
  std::uint64_t points = 0, nodes = 0, dimension = 0;
  VectorType type = VectorType::F32, source_type = VectorType::F32;
  Distance metric = Distance::L2;
  std::string distance_name;
  BuildParameters parameters;
  std::uint32_t graph_stride = 0;
  std::string builder;
  Codec codec = Codec::None;
  bool has_vectors = true;  ///< in the file, in whatever form
  bool paged = false;       ///< they and the graph stand in pages
  CodeNumbers code_numbers;
  Calibration calibration;
};
/// `paged`: the codes of an index in pages.
std::string meta_to_json(const Index::State& state, const Codes* paged = nullptr);
/// `where` is named in errors.
IndexMeta meta_from_json(std::string_view json, const std::string& where);
IndexMeta read_meta(const io::Container& container);

}  // namespace diskann::index
