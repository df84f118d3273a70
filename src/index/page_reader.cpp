#include "index/page_reader.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace diskann::index {
namespace {

template <class Take>
void read_records(const RecordPages& pages, bool of_edges, std::uint64_t nodes, const PageSource& source,
                  const Take& take) {
  const std::uint64_t at_once = pages.units_of_part();
  std::vector<std::byte> part;
  const std::uint64_t units = pages.units(nodes);
  for (std::uint64_t first = 0; first < units; first += at_once) {
    const std::uint64_t count = std::min(at_once, units - first);
    part.resize(count * pages.unit_bytes());
    source.read(of_edges, first * pages.unit_bytes(), part);
    for (std::uint64_t unit = 0; unit < count; ++unit) {
      if (!pages.is_whole(part.data() + unit * pages.unit_bytes(), first + unit))
        source.fail("the checksum of page " + std::to_string(first + unit) + " of " + (of_edges ? "nodes" : "rows") +
                    " is wrong");
    }
    const std::uint64_t end = std::min<std::uint64_t>((first + count) * pages.records(), nodes);
    for (std::uint64_t slot = first * pages.records(); slot < end; ++slot) {
      const auto node = static_cast<base::Slot>(slot);
      take(node, part.data() + (pages.unit_of(node) - first) * pages.unit_bytes() + pages.offset_of(node));
    }
    source.after_part(part.size());
  }
}

}  // namespace

void read_all_pages(const NodePages& pages, const PageSource& source,
                    const std::function<void(base::Slot node, const std::byte* record)>& take_row,
                    base::Adjacency& graph) {
  std::vector<base::Slot> neighbors(pages.max_degree);
  read_records(pages.edges, true, graph.nodes(), source, [&](base::Slot node, const std::byte* record) {
    if (!pages.split) take_row(node, record);
    std::uint32_t degree = 0;
    std::memcpy(&degree, record + pages.edges_at, sizeof degree);
    if (degree > pages.max_degree)
      source.fail("node " + std::to_string(node) + " has " + std::to_string(degree) + " edges");
    std::memcpy(neighbors.data(), record + pages.edges_at + sizeof degree, degree * sizeof(base::Slot));
    graph.assign(node, {neighbors.data(), degree});
  });
  if (pages.split) read_records(pages.rows, false, graph.nodes(), source, take_row);
  if (const std::size_t stray = graph.stray_slot(); stray != graph.nodes())
    source.fail("the graph has an edge to node " + std::to_string(stray));
}

}  // namespace diskann::index
