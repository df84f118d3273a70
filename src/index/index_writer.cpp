#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/random.hpp"
#include "base/threads.hpp"
#include "distance/kernels.hpp"
#include "graph/build_incremental.hpp"
#include "index/code_layout.hpp"
#include "index/drive_stops.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/page_order.hpp"
#include "index/record_pages.hpp"
#include "io/container_layout.hpp"

namespace diskann::index {
namespace {

using io::SectionKind;

constexpr std::uint32_t kSectionVersion = 1, kPagesVersion = 2;
constexpr std::size_t kGathered = 4096;

template <class T>
std::span<const std::byte> bytes_of(std::span<const T> values) {
  return std::as_bytes(values);
}

/// Writes the sections one after the other.
class IndexWriter {
 public:
  IndexWriter(const Index::State& state, const Codes& codes, const std::filesystem::path& path, bool overwrite,
              const Execution& execution)
      : state_(state),
        coded_(codes),
        rows_(state.rows.view()),
        codes_(codes.rows.view()),
        execution_(execution),
        progress_(execution, "write index",
                  rows_.rows * rows_.stride + state.graph.bytes() + codes_.rows * codes_.stride),
        writer_(path, overwrite) {}

  void write_in_memory_form() {
    write_meta(false);
    if (state_.has_vectors()) {
      writer_.begin(SectionKind::Vectors, kSectionVersion, true);
      write_large({rows_.data, rows_.rows * rows_.stride});
    }
    writer_.begin(SectionKind::Graph, kSectionVersion, true);
    write_large(bytes_of(std::span(state_.graph.data(), state_.graph.nodes() * state_.graph.stride())));
    write_points();
    if (!state_.norms.empty()) {
      writer_.begin(SectionKind::Norms, kSectionVersion, state_.metric == Distance::Cosine);
      write_large(bytes_of(state_.norms.span()));
    }
    // Readers that know of no index without vectors must refuse one, and of pairs of norms take the codes for unknown.
    if (coded_.codec != Codec::None) write_codes(!state_.has_vectors());
    writer_.commit(execution_.cancel);
  }
  void write_in_pages(bool reorder) {
    write_meta(true);
    const NodePages pages = pages_of(state_.parameters);
    std::vector<base::Slot> order(rows_.rows);
    std::iota(order.begin(), order.end(), base::Slot{0});
    if (reorder && pages.edges.records() > 1) order = order_for_pages(state_.graph, pages.edges.records(), execution_);
    std::vector<base::Slot> places(order.size());
    for (std::size_t i = 0; i < order.size(); ++i) places[order[i]] = static_cast<base::Slot>(i);
    std::vector<base::Slot> renamed;
    write_nodes(pages, {[&](base::Slot place, std::byte* record) { put_row(order[place], record); },
                        [&](base::Slot place) {
                          renamed.clear();
                          for (const base::Slot neighbor : state_.graph.neighbors(order[place]))
                            renamed.push_back(places[neighbor]);
                          return std::span<const base::Slot>(renamed);
                        }});
    write_points_in(order, places);
    write_codes_in(order);
    writer_.begin(SectionKind::Visited, kSectionVersion, false);
    std::vector<base::Slot> visited = most_visited();
    for (base::Slot& slot : visited) slot = places[slot];
    write_large(bytes_of(std::span<const base::Slot>(visited)));
    writer_.commit(execution_.cancel);
  }
  void write_paged(const PagedNodes& nodes, std::span<const base::Slot> visited) {
    write_meta(true);
    write_nodes(pages_of(state_.parameters), nodes);
    write_points();
    write_codes(true);
    writer_.begin(SectionKind::Visited, kSectionVersion, false);
    write_large(bytes_of(visited));
    writer_.commit(execution_.cancel);
  }

 private:
  NodePages pages_of(const BuildParameters& parameters) const {
    return {rows_.type, rows_.dimension, parameters.max_degree, parameters.page_bytes};
  }
  std::vector<base::Slot> most_visited() const {
    const std::vector<base::Slot> chosen = base::sample(rows_.rows, kWalkers, base::Random(5));
    VectorSet walkers(rows_.type, chosen.size(), rows_.dimension);
    for (std::size_t i = 0; i < chosen.size(); ++i)
      std::memcpy(walkers.row(i), rows_.row(chosen[i]), walkers.row_bytes());
    return index::most_visited(ground_of(state_, coded_), walkers, visited_nodes(rows_.rows), execution_);
  }
  void write_large(std::span<const std::byte> bytes) {
    constexpr std::size_t kPart = std::size_t{4} << 20;
    for (std::size_t done = 0; done < bytes.size(); done += kPart) {
      base::check_cancelled(execution_.cancel);
      const auto part = bytes.subspan(done, std::min(kPart, bytes.size() - done));
      writer_.write(part);
      progress_.add(part.size());
    }
  }
  void write_meta(bool paged) {
    const std::string meta = meta_to_json(state_, paged ? &coded_ : nullptr);
    writer_.begin(SectionKind::Meta, kSectionVersion, true);
    writer_.write(bytes_of(std::span(meta)));
  }
  void write_entry_points(std::span<const base::Slot> slots) {
    writer_.begin(SectionKind::EntryPoints, kSectionVersion, true);
    writer_.write(bytes_of(slots));
  }
  void write_ids() {
    if (!state_.points.has_ids()) return;
    writer_.begin(SectionKind::Ids, kSectionVersion, true);
    write_large(bytes_of(state_.points.ids()));
  }
  void write_twins(std::span<const std::uint32_t> starts, std::span<const std::uint32_t> members) {
    writer_.begin(SectionKind::Twins, kSectionVersion, true);
    write_large(bytes_of(starts));
    write_large(bytes_of(members));
  }
  void write_points() {
    write_entry_points(state_.entry_points);
    write_ids();
    if (state_.points.has_twins()) write_twins(state_.points.starts(), state_.points.members());
  }
  /// Of nodes in another order, whose points then are no longer the rows of their numbers.
  void write_points_in(std::span<const base::Slot> order, std::span<const base::Slot> places) {
    std::vector<base::Slot> entry_points;
    for (const base::Slot slot : state_.entry_points) entry_points.push_back(places[slot]);
    write_entry_points(entry_points);
    write_ids();
    if (std::is_sorted(order.begin(), order.end()) && !state_.points.has_twins()) return;
    std::vector<std::uint32_t> starts{0}, members;
    for (const base::Slot node : order) {
      state_.points.for_each_point(node, [&](std::uint32_t point) { members.push_back(point); });
      starts.push_back(static_cast<std::uint32_t>(members.size()));
    }
    write_twins(starts, members);
  }
  void write_codes(bool needed) {
    writer_.begin(SectionKind::Codes, needed ? 2 : 1, needed);
    write_large({codes_.data, codes_.rows * codes_.stride});
    if (!coded_.factors.empty()) {
      begin_factors();
      write_large(bytes_of(coded_.factors.span()));
    }
    write_book();
  }
  void write_codes_in(std::span<const base::Slot> order) {
    writer_.begin(SectionKind::Codes, 2, true);
    write_gathered({codes_.data, codes_.rows * codes_.stride}, codes_.stride, order);
    if (!coded_.factors.empty()) {
      begin_factors();
      const std::span<const std::byte> factors = bytes_of(coded_.factors.span());
      write_gathered(factors, factors.size() / codes_.rows, order);
    }
    write_book();
  }
  void begin_factors() {
    const bool pairs = coded_.codec == Codec::SQ4 && coded_.factors.size() != codes_.rows;
    writer_.begin(SectionKind::CodeNorms, pairs ? 2 : 1, false);
  }
  void write_book() {
    const bool turned = coded_.book->numbers().product.along_directions;
    for (const auto& [kind, bytes] : coded_.book->sections()) {
      writer_.begin(kind, turned && kind == SectionKind::CodeCentroids ? 2 : kSectionVersion, false);
      writer_.write(bytes);
    }
  }
  /// Records of one length in another order.
  void write_gathered(std::span<const std::byte> all, std::size_t length, std::span<const base::Slot> order) {
    std::vector<std::byte> part;
    for (std::size_t first = 0; first < order.size(); first += kGathered) {
      const std::span<const base::Slot> some = order.subspan(first, std::min(kGathered, order.size() - first));
      part.clear();
      for (const base::Slot slot : some) {
        const auto record = all.subspan(slot * length, length);
        part.insert(part.end(), record.begin(), record.end());
      }
      write_large(part);
    }
  }
  void put_row(base::Slot slot, std::byte* record) const {
    std::memcpy(record, rows_.row(slot), rows_.dimension * size_of(rows_.type));
  }
  void write_nodes(const NodePages& pages, const PagedNodes& nodes) {
    write_pages(pages.split ? SectionKind::EdgePages : SectionKind::NodePages, pages.edges,
                [&](base::Slot slot, std::byte* record) {
                  if (!pages.split) nodes.put_row(slot, record);
                  const std::span<const base::Slot> neighbors = nodes.neighbors(slot);
                  if (neighbors.size() > pages.max_degree)
                    throw Error(ErrorCode::Corrupt, "node " + std::to_string(slot) + " has " +
                                                        std::to_string(neighbors.size()) + " edges, max_degree is " +
                                                        std::to_string(pages.max_degree));
                  const auto degree = static_cast<std::uint32_t>(neighbors.size());
                  std::memcpy(record + pages.edges_at, &degree, sizeof degree);
                  if (degree > 0)
                    std::memcpy(record + pages.edges_at + sizeof degree, neighbors.data(), neighbors.size_bytes());
                });
    if (pages.split) write_pages(SectionKind::RowPages, pages.rows, nodes.put_row);
  }
  template <class Put>
  void write_pages(SectionKind kind, const RecordPages& pages, const Put& put) {
    writer_.begin(kind, kPagesVersion, true);
    const std::uint64_t at_once = pages.units_of_part();
    std::vector<std::byte> part;
    const std::uint64_t units = pages.units(rows_.rows);
    for (std::uint64_t first = 0; first < units; first += at_once) {
      base::check_cancelled(execution_.cancel);
      const std::uint64_t count = std::min(at_once, units - first);
      part.assign(count * pages.unit_bytes(), std::byte{0});
      const std::uint64_t end = std::min<std::uint64_t>((first + count) * pages.records(), rows_.rows);
      for (std::uint64_t slot = first * pages.records(); slot < end; ++slot) {
        const auto node = static_cast<base::Slot>(slot);
        put(node, part.data() + (pages.unit_of(node) - first) * pages.unit_bytes() + pages.offset_of(node));
      }
      for (std::uint64_t unit = 0; unit < count; ++unit)
        seal_unit(std::span(part).subspan(unit * pages.unit_bytes(), pages.unit_bytes()), first + unit);
      writer_.write(part);
      progress_.add((end - first * pages.records()) * pages.record_bytes());
    }
  }

  const Index::State& state_;
  const Codes& coded_;
  const base::RowsView rows_, codes_;
  const Execution& execution_;
  base::ProgressMeter progress_;
  io::ContainerWriter writer_;
};

}  // namespace

std::uint64_t visited_nodes(std::uint64_t rows) noexcept {
  return std::min(rows, std::max<std::uint64_t>(4096, rows / 8));
}

void save_index(const Index::State& state, const std::filesystem::path& path, bool overwrite,
                const Execution& execution) {
  IndexWriter(state, state.codes, path, overwrite, execution).write_in_memory_form();
}

void save_in_pages(const Index::State& state, const Codes& codes, const std::filesystem::path& path, bool overwrite,
                   bool reorder, const Execution& execution) {
  IndexWriter(state, codes, path, overwrite, execution).write_in_pages(reorder);
}

void save_paged(const Index::State& state, const PagedNodes& nodes, std::span<const base::Slot> visited,
                const std::filesystem::path& path, bool overwrite, const Execution& execution) {
  IndexWriter(state, state.codes, path, overwrite, execution).write_paged(nodes, visited);
}

std::uint64_t index_file_bytes(std::uint64_t rows, std::size_t dimension, VectorType type, Distance metric,
                               const BuildParameters& parameters, bool with_ids, const CodeChoice& codes,
                               bool drop_vectors, bool for_drive) {
  const auto section = [](std::uint64_t bytes) { return base::round_up(bytes, io::kSectionAlignment); };
  std::uint64_t bytes = 3 * io::kSectionAlignment;  // header, metadata and entry points: a page each
  if (for_drive) {
    const NodePages pages(type, dimension, parameters.max_degree, parameters.page_bytes);
    bytes += pages.edges.bytes(rows) + (pages.split ? pages.rows.bytes(rows) : 0);
    bytes += section((2 * rows + 1) * sizeof(std::uint32_t));  // which points the nodes are, in their order
    bytes += section(visited_nodes(rows) * sizeof(base::Slot));
  } else {
    if (!drop_vectors) bytes += section(rows * base::row_stride(type, dimension));
    bytes += section(rows * graph::row_slots(parameters.max_degree) * sizeof(base::Slot));
  }
  if (with_ids) bytes += section(rows * sizeof(std::uint64_t));
  if (!drop_vectors && !for_drive && distance::has_norms(metric, type, dimension, rows))
    bytes += section(rows * sizeof(float));
  std::uint64_t most = 0;
  for (const CodeChoice& kept : codes_to_try(codes, metric, type, dimension)) {
    const CodeLayout layout = code_layout(kept, metric, dimension, rows);
    std::uint64_t of_codes = section(rows * layout.stride()) + section(layout.means * sizeof(float));
    of_codes += section(rows * layout.factors * sizeof(float));
    of_codes += section(layout.directions) + section(layout.centroids);
    most = std::max(most, of_codes);
  }
  return bytes + most;
}

}  // namespace diskann::index
