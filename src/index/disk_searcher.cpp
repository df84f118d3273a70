#include "index/disk_searcher.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "distance/kernels.hpp"
#include "index/disk_reads.hpp"
#include "index/disk_state.hpp"
#include "index/hits.hpp"
#include "index/rerank_rule.hpp"

namespace diskann::index {
namespace {

using graph::Candidate;

void add(const DiskStatistics& part, DiskStatistics& sum) {
  sum.walk.hops += part.walk.hops;
  sum.walk.distance_computations += part.walk.distance_computations;
  sum.reads += part.reads;
  sum.bytes += part.bytes;
  sum.waits += part.waits;
}

}  // namespace

DiskSearcher::DiskSearcher(const DiskIndex::State& state)
    : state_(state),
      space_{state,
             {state.known->metric, state.known->rows, state.known->codes.walk()},
             read_entry_points(),
             read_cache()},
      pool_(std::make_unique<ScratchPool<DiskLanes>>()) {}

template <class UnitOf, class F>
void DiskSearcher::read_units(std::size_t count, const UnitOf& unit_of, const RecordPages& pages, std::uint64_t at,
                              const F& f) const {
  std::vector<std::uint32_t> free(reads_under_way(pages.unit_bytes())), landed;
  const auto reader = state_.device->reader(free.size(), pages.blocks());
  std::vector<std::size_t> of_slot(free.size());
  std::iota(free.begin(), free.end(), 0u);
  std::vector<io::BlockRead> reads;
  for (std::size_t sent = 0, seen = 0; seen < count;) {
    reads.clear();
    for (; sent < count && !free.empty(); ++sent) {
      of_slot[free.back()] = sent;
      reads.push_back({at + unit_of(sent) * pages.blocks(), static_cast<std::uint32_t>(pages.blocks()), free.back()});
      free.pop_back();
    }
    reader->submit(reads);
    landed.clear();
    reader->wait(landed);
    for (const std::uint32_t slot : landed) {
      const std::uint64_t unit = unit_of(of_slot[slot]);
      if (!pages.is_whole(reader->data(slot), unit))
        fail_node(state_, static_cast<Slot>(unit * pages.records()), "the checksum of its page is wrong");
      f(of_slot[slot], reader->data(slot));
      free.push_back(slot);
    }
    seen += landed.size();
  }
}

template <class F>
void DiskSearcher::read_records(std::span<const Slot> nodes, const RecordPages& pages, std::uint64_t at,
                                const F& f) const {
  read_units(
      nodes.size(), [&](std::size_t i) { return pages.unit_of(nodes[i]); }, pages, at,
      [&](std::size_t i, const std::byte* unit) { f(i, unit + pages.offset_of(nodes[i])); });
}

/// Their rows are read, so that walks start as those in memory do.
graph::EntryPoints DiskSearcher::read_entry_points() const {
  const std::vector<Slot>& slots = state_.known->entry_points;
  const base::RowsView& shape = state_.known->rows.view();
  base::RowStore rows(shape.type, slots.size(), shape.dimension);
  const NodePages& pages = state_.pages;
  read_records(slots, pages.split ? pages.rows : pages.edges, pages.split ? state_.rows_at : state_.edges_at,
               [&](std::size_t i, const std::byte* record) { state_.read_row(record, rows.row(i)); });
  std::vector<float> norms(slots.size());
  distance::row_norms(state_.known->metric, rows, 0, slots.size(), norms.data());
  std::vector<Slot> places(slots.size());
  std::iota(places.begin(), places.end(), Slot{0});
  graph::EntryPoints points(graph::KernelSpace(state_.known->metric, rows, norms.data()), places);
  points.rename(slots);
  return points;
}

/// f(i, the neighbours of nodes[i]), in any order.
template <class F>
void DiskSearcher::read_edges(std::span<const Slot> nodes, const F& f) const {
  const NodePages& pages = state_.pages;
  std::vector<Slot> neighbors(pages.max_degree);
  read_records(nodes, pages.edges, state_.edges_at, [&](std::size_t i, const std::byte* record) {
    std::uint32_t degree = 0;
    std::memcpy(&degree, record + pages.edges_at, sizeof degree);
    if (degree > pages.max_degree) fail_node(state_, nodes[i], "it has " + std::to_string(degree) + " edges");
    std::memcpy(neighbors.data(), record + pages.edges_at + sizeof degree, degree * sizeof(Slot));
    f(i, std::span<const Slot>(neighbors.data(), degree));
  });
}

NodeCache DiskSearcher::read_cache() const {
  NodeCache cache(state_.visited.empty() ? levels(state_.cached_nodes) : state_.visited, state_.pages.max_degree);
  const std::vector<Slot> nodes(cache.slots().begin(), cache.slots().end());
  read_edges(nodes, [&](std::size_t i, std::span<const Slot> neighbors) { cache.put(i, neighbors); });
  return cache;
}

/// So many nodes around the entry points, where nobody counted visits.
std::vector<Slot> DiskSearcher::levels(std::size_t count) const {
  const std::size_t nodes = state_.known->rows.view().rows;
  std::vector<Slot> found;
  std::vector<bool> seen(nodes);
  const auto add = [&](Slot node) {
    if (found.size() == std::min(count, nodes) || node >= nodes || seen[node]) return;
    seen[node] = true;
    found.push_back(node);
  };
  for (const Slot node : state_.known->entry_points) add(node);
  for (std::size_t begin = 0; begin < found.size() && found.size() < std::min(count, nodes);) {
    const std::vector<Slot> level(found.begin() + static_cast<std::ptrdiff_t>(begin), found.end());
    std::vector<std::vector<Slot>> next(level.size());
    read_edges(level, [&](std::size_t i, std::span<const Slot> neighbors) {
      next[i].assign(neighbors.begin(), neighbors.end());
    });
    begin = found.size();
    for (const std::vector<Slot>& neighbors : next)
      for (const Slot node : neighbors) add(node);
  }
  return found;
}

/// The list holds more than it expands, as that of a walk by codes in memory. By inner product walks come past rows
/// that are worse to ones that are better: they stop before the end of the list only where it was measured what that
/// loses.
DiskSearch DiskSearcher::search_for(const Reach& reach, std::size_t k, std::size_t beam_width,
                                    bool single) const noexcept {
  const PointTable& points = state_.known->points;
  const std::size_t nodes = state_.known->rows.view().rows;
  const std::size_t wanted = std::min(k, points.points()) + points.hidden_nodes();
  const graph::Breadth breadth{std::min(std::max(reach.list_size, wanted), nodes), std::min(reach.kept, nodes)};
  const bool whole_list = state_.known->metric == Distance::InnerProduct && state_.known->calibration.stops.empty();
  return {wanted, breadth, reach.spreads, whole_list, beam_width, single};
}

/// All nodes by exact distances: graphs of others have some that no walk reaches.
std::vector<Candidate> DiskSearcher::scan(const VectorView& query, DiskStatistics& statistics) const {
  const base::RowsView& shape = state_.known->rows.view();
  const RecordPages& pages = state_.pages.split ? state_.pages.rows : state_.pages.edges;
  distance::QueryBuffer buffer(shape.dimension);
  const distance::Query prepared = buffer.prepare(query, shape.type);
  RowComparer comparer(state_);
  std::vector<Candidate> all;
  all.reserve(shape.rows);
  statistics.reads += pages.units(shape.rows);
  statistics.bytes += pages.bytes(shape.rows);
  statistics.walk.distance_computations += shape.rows;
  read_units(
      pages.units(shape.rows), [](std::size_t i) { return i; }, pages,
      state_.pages.split ? state_.rows_at : state_.edges_at,
      [&](std::size_t unit, const std::byte* bytes) {
        const std::size_t end = std::min((unit + 1) * pages.records(), shape.rows);
        for (std::size_t i = unit * pages.records(); i < end; ++i) {
          const auto node = static_cast<Slot>(i);
          all.push_back(graph::make_candidate(comparer.compare(prepared, bytes + pages.offset_of(node)), node));
        }
      });
  std::sort(all.begin(), all.end());
  return all;
}

std::size_t DiskSearcher::take_hits(const VectorView& query, std::span<const Candidate> sorted, std::span<Hit> hits,
                                    std::vector<Hit>& scratch, DiskStatistics& statistics) const {
  const PointTable& points = state_.known->points;
  const std::size_t found = take_nearest(points, sorted, hits, scratch);
  if (found == std::min(hits.size(), points.points())) return found;
  return take_nearest(points, scan(query, statistics), hits, scratch);
}

std::size_t DiskSearcher::search(const VectorView& query, std::span<Hit> hits, const Reach& reach,
                                 std::size_t beam_width, DiskStatistics* statistics) const {
  distance::check_finite(query, 0);
  if (hits.empty()) return 0;
  auto lanes = pool_->take([&] { return std::make_unique<DiskLanes>(space_); });
  DiskStatistics done;
  std::size_t found = 0;
  std::vector<Hit> scratch;
  lanes->run(
      query, search_for(reach, hits.size(), beam_width, true), done,
      [&](std::size_t, std::span<const Candidate> sorted) { found = take_hits(query, sorted, hits, scratch, done); });
  pool_->give_back(std::move(lanes));  // not after an exception: reads may still be under way
  if (statistics != nullptr) add(done, *statistics);
  return found;
}

void DiskSearcher::search_batch(const VectorView& queries, const Reach& reach, std::size_t beam_width,
                                const Execution& execution, SearchResults& results, DiskStatistics* statistics) const {
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "search", results.rows);
  std::vector<DiskStatistics> of_thread(team.threads());
  const DiskSearch how = search_for(reach, results.k, beam_width, false);
  team.run(results.rows, 8 * DiskLanes::kLanes, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    const VectorView some = queries.slice(begin, end - begin);
    distance::check_finite(some, begin);  // so that an error names the row of the batch
    if (results.k > 0) {
      auto lanes = pool_->take([&] { return std::make_unique<DiskLanes>(space_); });
      std::vector<Hit> hits(results.k), scratch;
      lanes->run(some, how, of_thread[thread], [&](std::size_t number, std::span<const Candidate> sorted) {
        const std::size_t found = take_hits(some.slice(number, 1), sorted, hits, scratch, of_thread[thread]);
        for (std::size_t j = 0; j < found; ++j) {
          results.ids[(begin + number) * results.k + j] = hits[j].id;
          results.distances[(begin + number) * results.k + j] = hits[j].distance;
        }
      });
      pool_->give_back(std::move(lanes));
    }
    progress.add(end - begin);
  });
  if (statistics == nullptr) return;
  for (const DiskStatistics& part : of_thread) add(part, *statistics);
}

}  // namespace diskann::index
