#include "index/index_file.hpp"

#include <algorithm>
#include <cstring>

#include "base/threads.hpp"
#include "distance/kernels.hpp"
#include "graph/build_incremental.hpp"
#include "graph/reachability.hpp"
#include "index/code_layout.hpp"
#include "index/disk_searcher.hpp"
#include "index/disk_state.hpp"
#include "index/index_state.hpp"
#include "index/node_cache.hpp"
#include "index/page_reader.hpp"
#include "io/container_layout.hpp"

namespace diskann::index {
namespace {

using io::SectionKind;

constexpr std::uint64_t kMostEntryPoints = 1024;

/// Opens the sections one after the other, so that what all of them share is said once.
class IndexReader {
 public:
  IndexReader(const std::filesystem::path& path, const OpenOptions& options)
      : container_(io::Container::open(path)),
        options_(options),
        meta_(read_meta(container_)),
        progress_(options.execution, "read index", options.map ? 0 : container_.file_size()) {}

  std::unique_ptr<Index::State> read() {
    auto state = described();
    state->custom = custom_distance();
    state->codes = codes();
    if (meta_.paged) {
      read_pages(*state);
    } else if (meta_.has_vectors) {
      state->rows = rows(SectionKind::Vectors, meta_.type);
    } else {
      state->rows = base::RowStore({nullptr, 0, meta_.nodes, meta_.dimension, meta_.type}, nullptr);
      if (container_.find(SectionKind::Vectors) != nullptr) fail("vectors that the metadata says were dropped");
    }
    if (!meta_.paged) state->graph = graph();
    state->entry_points = entry_points();
    if (meta_.has_vectors && !meta_.paged && (meta_.metric == Distance::Cosine || has_squared_norms()))
      state->norms = array<float>(SectionKind::Norms, meta_.nodes);
    state->points = points();
    state->make_searcher();
    return state;
  }

  /// What is needed in memory where pages stay on the drive.
  std::unique_ptr<DiskIndex::State> read_for_drive(const std::filesystem::path& path, const DiskOpenOptions& options) {
    if (!meta_.paged) {
      throw Error(ErrorCode::InvalidArgument, container_.path().string() + " is no index for a drive: it has no pages",
                  "open it as an index in memory, or make one of it: diskann convert");
    }
    auto state = std::make_unique<DiskIndex::State>();
    state->path = path;
    state->pages = pages();
    state->device = device(path, options);
    state->edges_at = section_of_edges().offset / io::kBlockBytes;
    if (state->pages.split) state->rows_at = section_of_rows().offset / io::kBlockBytes;
    auto known = described();
    known->codes = codes();
    known->rows = base::RowStore({nullptr, 0, meta_.nodes, meta_.dimension, meta_.type}, nullptr);
    known->entry_points = entry_points();
    known->points = points().compact();
    state->known = std::move(known);
    state->visited = visited();
    return state;
  }

 private:
  /// What the metadata alone says.
  std::unique_ptr<Index::State> described() const {
    auto state = std::make_unique<Index::State>();
    state->parameters = meta_.parameters;
    state->metric = meta_.metric;
    state->source_type = meta_.source_type;
    state->builder = meta_.builder;
    state->paged = meta_.paged;
    state->calibration = meta_.calibration;
    return state;
  }
  /// It opens the file anew, by its name, which another may have by now.
  std::unique_ptr<io::BlockDevice> device(const std::filesystem::path& path, const DiskOpenOptions& options) const {
    auto device = options.simulated ? io::simulate_blocks(path, *options.simulated)
                                    : io::open_blocks(path, options.io, options.direct);
    io::check_begins(*device, container_.first_page(), container_.path());
    return device;
  }
  NodePages pages() const {
    return {meta_.type, meta_.dimension, meta_.parameters.max_degree, meta_.parameters.page_bytes};
  }
  const io::Section& section_of_edges() const {
    const NodePages pages = this->pages();
    return sized(pages.split ? SectionKind::EdgePages : SectionKind::NodePages, pages.edges.bytes(meta_.nodes));
  }
  const io::Section& section_of_rows() const { return sized(SectionKind::RowPages, pages().rows.bytes(meta_.nodes)); }

  /// Rows and graph of an index for a drive, into memory.
  void read_pages(Index::State& state) const {
    const NodePages pages = this->pages();
    base::RowStore rows(meta_.type, meta_.nodes, meta_.dimension);
    base::Adjacency graph(meta_.nodes, graph::row_slots(pages.max_degree));
    const io::Section& of_edges = section_of_edges();
    const io::Section* const of_rows = pages.split ? &section_of_rows() : nullptr;
    const PageSource source{[&](bool edges, std::uint64_t offset, std::span<std::byte> out) {
                              base::check_cancelled(options_.execution.cancel);
                              container_.read(edges ? of_edges : *of_rows, offset, out);
                            },
                            [&](std::size_t bytes) { progress_.add(bytes); },
                            [&](const std::string& what) { fail(what); }};
    read_all_pages(
        pages, source,
        [&](base::Slot slot, const std::byte* record) {
          std::memcpy(rows.row(slot), record, meta_.dimension * size_of(meta_.type));
        },
        graph);
    state.rows = std::move(rows);
    state.graph = std::move(graph);
    std::vector<float> norms(distance::has_norms(meta_.metric, meta_.type, meta_.dimension, meta_.nodes) ? meta_.nodes
                                                                                                         : 0);
    distance::row_norms(meta_.metric, state.rows, 0, norms.size(), norms.data());
    state.norms = std::move(norms);
  }
  [[noreturn]] void fail(const std::string& what) const {
    throw Error(ErrorCode::Corrupt, container_.path().string() + ": " + what);
  }

  std::shared_ptr<const DistanceFunction> custom_distance() const {
    if (meta_.metric != Distance::Custom) return nullptr;
    if (options_.distance_function == nullptr) {
      throw Error(ErrorCode::InvalidArgument,
                  container_.path().string() + " was built with the distance '" + meta_.distance_name + "'",
                  "give that function in OpenOptions::distance_function");
    }
    if (options_.distance_function->name() != meta_.distance_name) {
      throw Error(ErrorCode::InvalidArgument, container_.path().string() + " was built with the distance '" +
                                                  meta_.distance_name + "', not with '" +
                                                  options_.distance_function->name() + "'");
    }
    return options_.distance_function;
  }

  static bool is_integer(VectorType type) noexcept { return type == VectorType::U8 || type == VectorType::I8; }
  /// Searches do without them where the writer saw no use in them or knew of none.
  bool has_squared_norms() const {
    return meta_.metric == Distance::L2 && is_integer(meta_.type) && container_.find(SectionKind::Norms) != nullptr;
  }

  const io::Section& sized(SectionKind kind, std::uint64_t length) const {
    const io::Section& section = container_.require(kind);
    if (section.length != length) {
      fail("section " + to_string(kind) + " has " + std::to_string(section.length) + " bytes, its counts say " +
           std::to_string(length));
    }
    return section;
  }

  void read_large(const io::Section& section, std::span<std::byte> out) const {
    container_.read_all(section, out, [this](std::size_t bytes) {
      base::check_cancelled(options_.execution.cancel);
      progress_.add(bytes);
    });
  }

  std::shared_ptr<const std::byte> mapped(const io::Section& section) const {
    if (options_.verify_all && !container_.checksum_ok(section))
      fail("the checksum of section " + to_string(section.kind) + " is wrong");
    return container_.map(section);
  }

  /// One row a node, of a type.
  base::RowStore rows(SectionKind kind, VectorType type) const { return rows(kind, type, meta_.dimension); }
  base::RowStore rows(SectionKind kind, VectorType type, std::size_t dimension) const {
    const std::size_t stride = base::row_stride(type, dimension);
    const io::Section& section = sized(kind, base::checked_multiply(meta_.nodes, stride, "a section"));
    if (options_.map) {
      auto bytes = mapped(section);
      const base::RowsView view{bytes.get(), stride, meta_.nodes, dimension, type};
      if (options_.verify_all) check_padding(view, section);
      return {view, std::move(bytes)};
    }
    base::RowStore store(type, meta_.nodes, dimension);
    read_large(section, {store.row(0), meta_.nodes * stride});
    check_padding(store, section);
    return store;
  }

  /// Codes are no part of what a file with vectors promises: of a newer codec, or without a section, they are as if
  /// they were not there.
  Codes codes() const {
    if (meta_.codec == Codec::None || !has(SectionKind::Codes)) return {};
    CodeLayout layout = code_layout(meta_.codec, meta_.metric, meta_.dimension, meta_.nodes);
    if (on_nibble_grid(meta_.codec)) layout.dimension = meta_.code_numbers.shape.row_bytes();
    if (product_bits(meta_.codec) != 0) layout.dimension = meta_.code_numbers.product.row_bytes();
    Codes codes;
    codes.book = read_book(meta_.codec, meta_.metric, meta_.dimension, meta_.code_numbers, BookSections(*this));
    if (codes.book == nullptr) return {};
    if (layout.factors != 0) {
      // Searches do without the squared norms of whole numbers where the writer saw no use in them.
      const bool optional = meta_.codec == Codec::SQ8 && meta_.metric == Distance::L2;
      if (optional ? container_.find(SectionKind::CodeNorms) != nullptr : has(SectionKind::CodeNorms)) {
        codes.factors = factors(layout.factors);
      } else if (!optional) {
        return {};
      }
    }
    codes.rows = layout.packed ? packed_rows(SectionKind::Codes, layout.stride())
                               : rows(SectionKind::Codes, layout.type, layout.dimension);
    codes.codec = meta_.codec;
    return codes;
  }
  /// Where there are no vectors it must be there.
  bool has(SectionKind kind) const {
    if (!meta_.has_vectors || meta_.paged) container_.require(kind);
    return container_.find(kind) != nullptr;
  }
  base::SharedArray<float> factors(std::size_t of_row) const {
    if (meta_.codec != Codec::SQ4 || of_row == 1 || container_.require(SectionKind::CodeNorms).version > 1)
      return array<float>(SectionKind::CodeNorms, base::checked_multiply(of_row, meta_.nodes, "code norms"));
    // Version 1 of sq4 by inner product knew no means: what they add is nothing.
    const auto scales = array<float>(SectionKind::CodeNorms, meta_.nodes);
    std::vector<float> pairs(2 * meta_.nodes);
    for (std::size_t i = 0; i < meta_.nodes; ++i) pairs[2 * i + 1] = scales[i];
    return {std::move(pairs)};
  }
  class BookSections final : public SectionSource {
   public:
    explicit BookSections(const IndexReader& reader) : reader_(reader) {}
    std::vector<std::byte> section(SectionKind kind, std::uint64_t bytes) const override {
      if (!reader_.has(kind)) return {};
      const io::Section& section = reader_.sized(kind, bytes);
      std::vector<std::byte> read(section.length);
      reader_.read_large(section, read);
      return read;
    }
    [[noreturn]] void fail(const std::string& what) const override { reader_.fail(what); }

   private:
    const IndexReader& reader_;
  };

  base::RowStore packed_rows(SectionKind kind, std::size_t bytes) const {
    const io::Section& section = sized(kind, base::checked_multiply(meta_.nodes, bytes, "a section"));
    if (options_.map) {
      auto owner = mapped(section);
      return {{owner.get(), bytes, meta_.nodes, bytes, VectorType::U8}, owner};
    }
    base::RowStore store = base::RowStore::packed(meta_.nodes, bytes);
    read_large(section, {store.row(0), section.length});
    return store;
  }

  void check_padding(const base::RowsView& rows, const io::Section& section) const {
    if (const auto stray = base::stray_padding(rows))
      fail(stray_padding_text(rows, *stray) + " (offset " + std::to_string(section.offset + *stray) + ")");
  }

  base::Adjacency graph() const {
    const std::uint64_t slots = base::checked_multiply(meta_.nodes, meta_.graph_stride, "section graph");
    const io::Section& section =
        sized(SectionKind::Graph, base::checked_multiply(slots, sizeof(base::Slot), "section graph"));
    if (options_.map) {
      auto bytes = mapped(section);
      const auto* data = reinterpret_cast<const base::Slot*>(bytes.get());
      base::Adjacency graph(data, meta_.nodes, meta_.graph_stride, std::move(bytes));
      if (options_.verify_all) check_slots(graph);
      return graph;
    }
    base::Adjacency graph(meta_.nodes, meta_.graph_stride);
    read_large(section, std::as_writable_bytes(std::span(graph.mutable_row(0), slots)));
    check_slots(graph);
    return graph;
  }

  void check_slots(const base::Adjacency& graph) const {
    if (const std::size_t stray = graph.stray_slot(); stray != graph.nodes())
      fail("the graph has an edge to node " + std::to_string(stray));
  }

  std::vector<base::Slot> entry_points() const {
    const io::Section& section = container_.require(SectionKind::EntryPoints);
    if (section.length == 0 || section.length % sizeof(base::Slot) != 0) fail("the list of entry points is not whole");
    const std::uint64_t count = section.length / sizeof(base::Slot);
    if (count > kMostEntryPoints) {
      fail(std::to_string(count) + " entry points, there may be " + std::to_string(kMostEntryPoints) + " at most");
    }
    const std::vector<std::byte> bytes = container_.read_small(section);
    std::vector<base::Slot> entries(count);
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<std::byte*>(entries.data()));
    std::vector<std::string> problems = graph::check_entry_points(meta_.nodes, entries);
    if (!problems.empty()) fail(problems.front());
    return entries;
  }

  std::vector<base::Slot> visited() const {
    const io::Section* const section = container_.find(SectionKind::Visited);
    if (section == nullptr) return {};
    const std::uint64_t count = section->length / sizeof(base::Slot);
    if (section->length % sizeof(base::Slot) != 0 || count > meta_.nodes) fail("section visited nodes is not whole");
    std::vector<base::Slot> slots(count);
    read_large(*section, std::as_writable_bytes(std::span(slots)));
    const auto stray = std::find_if(slots.begin(), slots.end(), [&](base::Slot slot) { return slot >= meta_.nodes; });
    if (stray != slots.end()) fail("node " + std::to_string(*stray) + " was visited, which is none");
    return slots;
  }

  template <class T>
  base::SharedArray<T> array(SectionKind kind, std::uint64_t count) const {
    const io::Section& section = sized(kind, base::checked_multiply(count, sizeof(T), "a section"));
    if (options_.map) {
      auto bytes = mapped(section);
      const std::span<const T> values(reinterpret_cast<const T*>(bytes.get()), count);
      return {values, std::move(bytes)};
    }
    std::vector<T> values(count);
    read_large(section, std::as_writable_bytes(std::span(values)));
    return {std::move(values)};
  }

  PointTable points() const {
    base::SharedArray<std::uint64_t> ids;
    if (container_.find(SectionKind::Ids) != nullptr) ids = array<std::uint64_t>(SectionKind::Ids, meta_.points);
    base::SharedArray<std::uint32_t> starts, members;
    if (container_.find(SectionKind::Twins) != nullptr) {
      const auto all = array<std::uint32_t>(SectionKind::Twins, meta_.nodes + 1 + meta_.points);
      const auto owner = std::make_shared<base::SharedArray<std::uint32_t>>(all);
      starts = {all.span().first(meta_.nodes + 1), owner};
      members = {all.span().subspan(meta_.nodes + 1), owner};
    }
    PointTable table(meta_.points, std::move(starts), std::move(members), std::move(ids));
    const std::vector<std::string> problems = table.check(meta_.nodes);
    if (!problems.empty()) fail(problems.front());
    return table;
  }

  io::Container container_;
  const OpenOptions& options_;
  IndexMeta meta_;
  mutable base::ProgressMeter progress_;
};

}  // namespace

std::string stray_padding_text(const base::RowsView& rows, std::size_t stray) {
  return "row " + std::to_string(stray / rows.stride) + ": byte " + std::to_string(stray % rows.stride) +
         ", in the padding behind its " + std::to_string(rows.dimension) + " components, is " +
         std::to_string(std::to_integer<int>(rows.data[stray])) + ", not 0";
}

std::unique_ptr<DiskIndex::State> open_pages(const std::filesystem::path& path, const DiskOpenOptions& options) {
  OpenOptions of_file;
  of_file.execution = options.execution;
  auto state = IndexReader(path, of_file).read_for_drive(path, options);
  start_searching(*state, options);
  return state;
}

void start_searching(DiskIndex::State& state, const DiskOpenOptions& options) {
  const Codes& codes = state.known->codes;
  const std::uint64_t cache = options.cache_bytes.value_or(codes.rows.view().rows * codes.rows.view().stride / 8);
  state.cached_nodes = cache / NodeCache::bytes_of_node(state.pages.max_degree);
  state.visited.resize(std::min(state.visited.size(), state.cached_nodes));
  state.visited.shrink_to_fit();
  state.searcher = std::make_unique<const DiskSearcher>(state);
}

std::unique_ptr<Index::State> open_index(const std::filesystem::path& path, const OpenOptions& options) {
  return IndexReader(path, options).read();
}

}  // namespace diskann::index
