#include "index/budgeted_build.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/random.hpp"
#include "distance/kernels.hpp"
#include "graph/entry_points.hpp"
#include "index/calibration.hpp"
#include "index/choose_codes.hpp"
#include "index/drive_stops.hpp"
#include "index/exact_scan.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/ingest.hpp"
#include "index/record_cache.hpp"
#include "index/record_pages.hpp"
#include "index/row_graph.hpp"
#include "index/spilled_graph.hpp"
#include "index/spilled_rows.hpp"
#include "io/atomic_file.hpp"
#include "io/checksum.hpp"

namespace diskann::index {
namespace {

using base::Slot;

class BudgetedBuild {
 public:
  BudgetedBuild(const formats::VectorReader& reader, const BudgetedRows& what, const BudgetPlan& plan,
                const std::vector<std::uint64_t>* ids, const BudgetedOutput& output, const Execution& execution)
      : reader_(reader),
        what_(what),
        plan_(plan),
        ids_(ids),
        output_(output),
        execution_(with_threads(execution, plan.threads)),
        team_(execution_),
        spill_(output.path, output.resume),
        seen_edges_((what.parameters.max_degree + std::size_t{1}) * sizeof(Slot), plan.gathered_bytes / 2),
        seen_rows_(base::row_stride(what.stored, what.dimension), plan.gathered_bytes / 2) {}

  void run() {
    const base::RowStore sample = sample_rows(reader_, what_.stored, plan_.sample, what_.parameters.seed);
    check_plan(sample);
    map_ = has_shard_map(spill_) ? read_shard_map(spill_, reader_.rows())
                                 : spill_rows(reader_, what_.stored, what_.metric, sample, plan_.shards, plan_.capacity,
                                              what_.parameters.seed, spill_, team_, execution_);
    const SpilledRows rows(spill_, map_, what_.stored, what_.dimension);
    SpilledGraph graph(spill_, map_, rows, what_.parameters.max_degree);
    const NodePages pages(what_.stored, what_.dimension, what_.parameters.max_degree, what_.parameters.page_bytes);
    const SpilledGraph::Shape shape{what_.metric, what_.parameters, what_.builder, pages.edges.records(),
                                    plan_.gathered_bytes};
    graph.build_shards(shape, team_, execution_);
    base::trim_heap();
    graph.merge_shards(shape, team_, execution_);
    base::trim_heap();
    write(sample, rows, graph);
    base::trim_heap();
    spill_.done();
  }

 private:
  static Execution with_threads(Execution execution, unsigned threads) {
    execution.threads = threads;
    return execution;
  }
  /// Whoever goes on must want the same.
  void check_plan(const base::RowStore& sample) const {
    const base::RowsView& rows = sample.view();
    const BuildParameters& parameters = what_.parameters;
    std::string text;
    for (const std::uint64_t value :
         {std::uint64_t{1}, reader_.rows(), std::uint64_t{what_.dimension}, static_cast<std::uint64_t>(what_.stored),
          static_cast<std::uint64_t>(what_.metric), std::uint64_t{parameters.max_degree},
          std::uint64_t{parameters.search_list_size}, static_cast<std::uint64_t>(parameters.alpha * 1e6F),
          parameters.seed, std::uint64_t{parameters.page_bytes}, static_cast<std::uint64_t>(what_.builder),
          plan_.capacity, io::checksum({rows.data, rows.rows * rows.stride})})
      text += std::to_string(value) + "\n";
    const auto bytes = std::as_bytes(std::span(text));
    if (!spill_.has(io::SpillDirectory::kPlan)) return spill_.put(io::SpillDirectory::kPlan, bytes);
    const auto file = spill_.open(io::SpillDirectory::kPlan);
    std::vector<std::byte> found(file->size());
    if (found.size() == bytes.size()) file->read(0, found);
    if (!std::equal(found.begin(), found.end(), bytes.begin(), bytes.end())) {
      throw Error(ErrorCode::InvalidArgument,
                  spill_.path().string() + " was left by a build of other vectors or with other parameters",
                  "give the same as then, or remove the directory and build anew");
    }
  }

  /// Which slots the rows of the sample are.
  std::vector<Slot> slots_of_sample(const SpilledGraph& graph) const {
    const std::vector<Slot> slots = graph.slots_of_nodes();
    std::vector<Slot> found =
        map_.nodes_of_rows(base::sample(reader_.rows(), plan_.sample, base::Random(what_.parameters.seed)));
    for (Slot& node : found) node = slots[node];
    return found;
  }
  /// Rows of the sample that searches start from, no two of them equal.
  std::vector<Slot> entry_rows(const base::RowStore& sample, const std::vector<Slot>& slots) {
    const std::vector<float> norms = norms_of(what_.metric, sample, team_);
    const float* inverse = what_.metric == Distance::Cosine ? norms.data() : nullptr;
    std::vector<Slot> once;
    for (const Slot row : graph::choose_entry_points(what_.metric, sample, inverse, what_.parameters.seed, team_))
      if (std::none_of(once.begin(), once.end(), [&](Slot other) { return slots[other] == slots[row]; }))
        once.push_back(row);
    return once;
  }

  PointTable points(const std::vector<Slot>& nodes) const {
    std::vector<std::uint32_t> starts{0}, members;
    starts.reserve(map_.nodes() + 1);
    members.reserve(map_.places.size());
    for (std::size_t shard = 0; shard < map_.shards(); ++shard) {
      const std::vector<std::uint32_t> rows = map_.rows_of(shard);
      for (std::uint64_t slot = map_.starts[shard]; slot < map_.starts[shard + 1]; ++slot) {
        const std::uint32_t row = rows[nodes[slot] - map_.starts[shard]];
        members.push_back(row);
        auto twin = std::lower_bound(map_.twins.begin(), map_.twins.end(), ShardMap::Twin{row, 0});
        for (; twin != map_.twins.end() && twin->first == row; ++twin) members.push_back(twin->row);
        starts.push_back(static_cast<std::uint32_t>(members.size()));
      }
    }
    return {reader_.rows(), std::move(starts), std::move(members),
            ids_ != nullptr ? *ids_ : std::vector<std::uint64_t>()};
  }

  /// A shard's rows by slots.
  base::RowStore rows_in_order(const SpilledRows& rows, const std::vector<Slot>& nodes, std::size_t shard) const {
    base::RowStore store(what_.stored, map_.nodes_of(shard), what_.dimension);
    team_.run(map_.nodes_of(shard), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t i = begin; i < end; ++i) rows.read(nodes[map_.starts[shard] + i], store.row(i));
    });
    return store;
  }

  Codes codes_of(const base::RowStore& sample, const SpilledRows& rows, const std::vector<Slot>& nodes) {
    Codes codes;
    codes.codec = what_.codes.codec;
    codes.book = train_book(what_.codes, what_.metric, sample, team_);
    if (codes.book == nullptr)
      throw Error(ErrorCode::InvalidArgument,
                  "these vectors have no codes " + std::string(to_string(codes.codec)) +
                      " that could take their place: all are the same",
                  "choose another codec");
    std::vector<float> factors;
    std::size_t of_row = 0;
    base::ProgressMeter progress(execution_, "make codes", map_.nodes());
    for (std::size_t shard = 0; shard < map_.shards(); ++shard) {
      base::check_cancelled(execution_.cancel);
      const std::uint64_t count = map_.nodes_of(shard);
      if (count == 0) continue;
      const std::optional<CodedRows> made = codes.book->encode(rows_in_order(rows, nodes, shard), team_);
      if (!made)
        throw Error(ErrorCode::InvalidArgument, "a value lies outside the range of the codes", "choose another codec");
      const base::RowsView& of_shard = made->rows.view();
      if (codes.rows.view().rows == 0) {
        const CodeLayout layout = code_layout(what_.codes, what_.metric, what_.dimension, map_.nodes());
        codes.rows = layout.packed ? base::RowStore::packed(map_.nodes(), of_shard.stride)
                                   : base::RowStore(of_shard.type, map_.nodes(), of_shard.dimension);
        of_row = made->factors.size() / count;
        factors.resize(of_row * map_.nodes());
      }
      std::memcpy(codes.rows.row(map_.starts[shard]), of_shard.data, count * of_shard.stride);
      std::copy(made->factors.begin(), made->factors.end(),
                factors.begin() + static_cast<std::ptrdiff_t>(of_row * map_.starts[shard]));
      progress.add(count);
    }
    codes.factors = {std::move(factors)};
    return codes;
  }

  DriveGround ground(const Index::State& state, const base::RowStore& sample, const std::vector<Slot>& entry_rows,
                     const SpilledRows& rows, const SpilledGraph& graph, const std::vector<Slot>& nodes) {
    const base::RowsView shape = state.rows.view();
    const std::vector<float> norms = norms_of(what_.metric, sample, team_);
    graph::EntryPoints entry_points(graph::KernelSpace(what_.metric, sample, norms.empty() ? nullptr : norms.data()),
                                    entry_rows);
    std::vector<Slot> names(sample.view().rows);
    for (std::size_t i = 0; i < entry_rows.size(); ++i) names[entry_rows[i]] = state.entry_points[i];
    entry_points.rename(names);
    return {{what_.metric, shape, state.codes.walk()},
            std::move(entry_points),
            what_.parameters.max_degree,
            [this, &graph](Slot slot, std::vector<Slot>& room) {
              const auto read = [&](std::byte* record) {
                const std::span<const Slot> neighbors = graph.neighbors(slot, room);
                const auto degree = static_cast<Slot>(neighbors.size());
                std::memcpy(record, &degree, sizeof degree);
                std::memcpy(record + sizeof degree, neighbors.data(), neighbors.size_bytes());
              };
              const std::byte* record = seen_edges_.find(slot);
              if (record == nullptr) record = seen_edges_.put(slot, graph.record_slots() * sizeof(Slot), read);
              if (record == nullptr) return graph.neighbors(slot, room);
              const auto* const slots = reinterpret_cast<const Slot*>(record);
              return std::span(slots + 1, slots[0]);
            },
            [this, shape, &rows, &nodes](const distance::Query& query, Slot slot, std::byte* room) {
              const std::size_t stride = base::row_stride(shape.type, shape.dimension);
              const std::byte* row = seen_rows_.find(slot);
              if (row == nullptr)
                row = seen_rows_.put(slot, stride, [&](std::byte* record) { rows.read(nodes[slot], record); });
              if (row == nullptr) {
                rows.read(nodes[slot], room);
                row = room;
              }
              const base::RowsView one{row, stride, 1, shape.dimension, shape.type};
              float norm = 0, exact = 0;
              const bool has_norm = distance::has_norms(what_.metric, shape.type, shape.dimension, 1);
              if (has_norm) distance::row_norms(what_.metric, one, 0, 1, &norm);
              distance::kernels(what_.metric, shape.type, query.form)
                  .block(query, one, has_norm ? &norm : nullptr, 0, 1, &exact);
              return exact;
            }};
  }

  /// Rows of the sample, whose own nodes no search may see.
  Probes probes(const base::RowStore& sample, const std::vector<Slot>& slots, const SpilledRows& rows,
                const std::vector<Slot>& nodes) const {
    Probes probes;
    if (map_.nodes() < 2) return probes;
    const std::vector<Slot> chosen = base::sample(sample.view().rows, kProbesOfCodes, base::Random(5));
    probes.queries = rows_of_sample(sample, chosen);
    for (const Slot row : chosen) probes.hidden.push_back(slots[row]);
    fill_limits(probes, map_.nodes(), [&](std::size_t k) { return nearest(probes.queries, k, rows, nodes); });
    return probes;
  }
  static VectorSet rows_of_sample(const base::RowStore& sample, std::span<const Slot> chosen) {
    const base::RowsView& view = sample.view();
    VectorSet set(view.type, chosen.size(), view.dimension);
    for (std::size_t i = 0; i < chosen.size(); ++i) std::memcpy(set.row(i), view.row(chosen[i]), set.row_bytes());
    return set;
  }
  /// Exact search, shard by shard.
  SearchResults nearest(const VectorSet& queries, std::size_t k, const SpilledRows& rows,
                        const std::vector<Slot>& nodes) const {
    std::vector<std::vector<graph::Candidate>> found(queries.rows());
    Execution quiet = execution_;
    quiet.progress = nullptr;
    base::ProgressMeter progress(execution_, "find neighbours", map_.shards());
    for (std::size_t shard = 0; shard < map_.shards(); ++shard) {
      if (map_.nodes_of(shard) > 0) {
        const base::RowStore of_shard = rows_in_order(rows, nodes, shard);
        const base::RowsView& view = of_shard.view();
        const ExactScan scan({view.data, view.type, view.rows, view.dimension, view.stride}, what_.metric,
                             ExactScan::Layout::Padded, quiet);
        const std::size_t most = std::min<std::size_t>(k, view.rows);
        const SearchResults here = scan.nearest(queries, most, quiet);
        for (std::size_t i = 0; i < found.size(); ++i) {
          for (std::size_t j = 0; j < most; ++j)
            found[i].push_back(graph::make_candidate(here.distances_of(i)[j],
                                                     static_cast<Slot>(map_.starts[shard] + here.ids_of(i)[j])));
          std::sort(found[i].begin(), found[i].end());
          if (found[i].size() > k) found[i].resize(k);
        }
      }
      progress.add(1);
    }
    SearchResults results{found.size(), k, {}, {}};
    for (const auto& of_query : found) {
      for (const graph::Candidate candidate : of_query) {
        results.ids.push_back(graph::slot_of(candidate));
        results.distances.push_back(graph::distance_of(candidate));
      }
    }
    return results;
  }

  Calibration calibration(const DriveGround& ground, const Probes& probes) const {
    Calibration measured = measure_with(
        [&](const Reach& reach) { return try_list_on(ground, probes, reach.list_size, reach.kept, team_); },
        map_.nodes(), true, probes, kLists, kEnough, execution_);
    measure_stops(ground, probes, measured, execution_);
    return measured;
  }

  void write(const base::RowStore& sample, const SpilledRows& rows, SpilledGraph& graph) {
    Index::State state;
    state.parameters = what_.parameters;
    state.metric = what_.metric;
    state.source_type = reader_.type();
    state.builder = to_string(what_.builder);
    state.rows = base::RowStore({nullptr, 0, map_.nodes(), what_.dimension, what_.stored}, nullptr);
    state.graph = base::Adjacency(nullptr, 0, graph::row_slots(what_.parameters.max_degree), nullptr);
    const std::vector<Slot> slots = slots_of_sample(graph), entries = entry_rows(sample, slots);
    for (const Slot row : entries) state.entry_points.push_back(slots[row]);
    graph.make_reachable(state.entry_points.front(), execution_);
    const std::vector<Slot> nodes = graph.nodes_of_slots();
    state.codes = codes_of(sample, rows, nodes);
    base::trim_heap();
    state.points = points(nodes);
    std::vector<Slot> visited;
    {
      const DriveGround ground = this->ground(state, sample, entries, rows, graph, nodes);
      state.calibration = calibration(ground, probes(sample, slots, rows, nodes));
      const std::vector<Slot> walkers = base::sample(sample.view().rows, kWalkers, base::Random(5));
      visited = most_visited(ground, rows_of_sample(sample, walkers), visited_nodes(map_.nodes()), execution_);
    }
    seen_edges_.clear();
    seen_rows_.clear();
    base::trim_heap();

    // One shard at a time, of rows and of edges.
    struct Loaded {
      std::size_t shard = ~std::size_t{0};
      base::RowStore rows;
      std::vector<Slot> edges;
    } loaded;
    const auto place = [&](Slot slot, std::size_t& of, const auto& load) {
      if (of >= map_.shards() || slot < map_.starts[of] || slot >= map_.starts[of + 1]) {
        const auto after = std::upper_bound(map_.starts.begin(), map_.starts.end(), slot);
        of = static_cast<std::size_t>(after - map_.starts.begin()) - 1;
        load(of);
      }
      return slot - map_.starts[of];
    };
    // Once for all, since the heap gives back little of arrays that come and go.
    std::uint64_t largest = 0;
    for (std::size_t shard = 0; shard < map_.shards(); ++shard) largest = std::max(largest, map_.nodes_of(shard));
    loaded.edges.reserve(largest * graph.record_slots());
    std::size_t of_rows = ~std::size_t{0}, of_edges = ~std::size_t{0};
    const std::size_t row_bytes = what_.dimension * size_of(what_.stored);
    const PagedNodes paged{[&](Slot slot, std::byte* row) {
                             const std::uint64_t at = place(slot, of_rows, [&](std::size_t shard) {
                               loaded.rows = {};
                               loaded.rows = rows_in_order(rows, nodes, shard);
                             });
                             std::memcpy(row, loaded.rows.view().row(at), row_bytes);
                           },
                           [&](Slot slot) {
                             const std::uint64_t at = place(
                                 slot, of_edges, [&](std::size_t shard) { graph.read_edges(shard, loaded.edges); });
                             const Slot* const record = loaded.edges.data() + at * graph.record_slots();
                             return std::span<const Slot>(record + 1, record[0]);
                           }};
    save_paged(state, paged, visited, output_.path, output_.overwrite, execution_);
  }

  const formats::VectorReader& reader_;
  const BudgetedRows what_;
  const BudgetPlan plan_;
  const std::vector<std::uint64_t>* ids_;
  const BudgetedOutput& output_;
  const Execution execution_;
  mutable base::ThreadTeam team_;
  io::SpillDirectory spill_;
  ShardMap map_;
  RecordCache seen_edges_, seen_rows_;  // while recall is measured
};

}  // namespace

void build_within_budget(const formats::VectorReader& reader, const BudgetedRows& what,
                         const std::vector<std::uint64_t>* ids, const BudgetedOutput& output,
                         const Execution& execution) {
  io::check_replaceable(output.path, output.overwrite);
  check_parts(what);
  BudgetedBuild(reader, what, plan_budget(what, output.budget), ids, output, execution).run();
}

}  // namespace diskann::index
