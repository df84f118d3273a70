#include "diskann/index.hpp"

#include <algorithm>
#include <cmath>

#include "graph/reachability.hpp"
#include "index/adopt.hpp"
#include "index/arguments.hpp"
#include "index/calibration.hpp"
#include "index/drive_stops.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/microsoft.hpp"
#include "index/microsoft_disk.hpp"

namespace diskann {
namespace {

/// For the k nearest.
index::Reach reach_for(const Index& index, const SearchParameters& parameters, std::size_t k) {
  const std::size_t list_size = parameters.target_recall ? index.list_size_for(*parameters.target_recall, k)
                                                         : index::checked_list_size(parameters.search_list_size);
  return {std::max(list_size, k), index::kept_for(index.calibration(), std::max<std::size_t>(k, 1))};
}

}  // namespace

void Index::State::make_searcher() {
  using Any = std::variant<KernelSearcher, CodeSearcher, LoneCodeSearcher, CustomSearcher>;
  const auto make = [&]<class Space>(Space space) {
    searcher = std::make_unique<const Any>(std::in_place_type<index::Searcher<Space>>, std::move(space), graph,
                                           entry_points, points);
  };
  const float* of_rows = norms.empty() ? nullptr : norms.data();
  if (metric == Distance::Custom) return make(graph::CustomSpace(*custom, rows));
  if (!has_vectors()) return make(graph::LoneCodeSpace(metric, rows, codes.walk()));
  if (codes.codec != Codec::None) return make(graph::CodeSpace({metric, rows, of_rows}, codes.walk()));
  make(graph::KernelSpace(metric, rows, of_rows));
}

Index::Index(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::open(const std::filesystem::path& path, const OpenOptions& options) {
  if (formats::is_microsoft_memory_set(path)) return Index(index::open_microsoft(path, options));
  if (formats::microsoft_disk_index(path)) return Index(index::read_microsoft_pages(path, options));
  return Index(index::open_index(path, options));
}

namespace {

/// What is mapped was not read when it was opened, and a new file would give it a right checksum.
void check_edges(const Index::State& state) {
  const std::size_t stray = state.graph.stray_slot();
  if (stray == state.graph.nodes()) return;
  throw Error(ErrorCode::Corrupt, "the index cannot be saved: its graph has an edge to node " + std::to_string(stray) +
                                      " of " + std::to_string(state.graph.nodes()));
}

}  // namespace

void Index::save(const std::filesystem::path& path, bool overwrite, const Execution& execution) const {
  check_edges(*state_);
  const std::unique_ptr<State> adopted = state_->foreign ? index::adopt(*state_, execution) : nullptr;
  index::save_index(adopted != nullptr ? *adopted : *state_, path, overwrite, execution);
}

void Index::save_for_disk(const std::filesystem::path& path, bool overwrite, const Execution& execution) const {
  check_edges(*state_);
  if (!has_vectors())
    throw Error(ErrorCode::Unsupported, "the index holds codes alone: an index on a drive has vectors beside them",
                "build it without --drop-vectors");
  if (metric() == Distance::Custom)
    throw Error(ErrorCode::Unsupported, "an index on a drive is searched by codes, and a user's distance has none");
  const std::unique_ptr<State> adopted = state_->foreign ? index::adopt(*state_, execution) : nullptr;
  const State& state = adopted != nullptr ? *adopted : *state_;
  if (state.codes.codec != Codec::None) {
    index::save_in_pages(state, state.codes, path, overwrite, true, execution);
    return;
  }
  base::ThreadTeam team(execution);
  const index::Codes codes = index::make_codes(Codec::PQ8, metric(), state.rows.view(), team);
  if (codes.codec == Codec::None)
    throw Error(ErrorCode::Unsupported, "there are no codes to search by: all vectors are the same, or too short");
  index::save_in_pages(state, codes, path, overwrite, true, execution);
}

void Index::save_microsoft(const std::filesystem::path& prefix, bool overwrite, const Execution& execution) const {
  check_edges(*state_);
  if (!has_vectors())
    throw Error(ErrorCode::Unsupported, "the index holds codes alone, of which there is no set of Microsoft's");
  const auto save = state_->paged ? index::save_microsoft_pages : index::save_microsoft;
  save(*state_, prefix, overwrite, execution);
}

std::vector<Hit> Index::search(VectorView query, std::size_t k, const SearchParameters& parameters) const {
  std::vector<Hit> hits(std::min(k, size()));
  hits.resize(search_into(query, hits, parameters));
  return hits;
}

std::size_t Index::search_into(VectorView query, std::span<Hit> hits, const SearchParameters& parameters,
                               SearchStatistics* statistics) const {
  index::check_query(dimension(), query);
  const index::Reach reach = reach_for(*this, parameters, hits.size());
  return std::visit([&](const auto& searcher) { return searcher.search(query, hits, reach, statistics); },
                    *state_->searcher);
}

SearchResults Index::search_batch(VectorView queries, std::size_t k, const SearchParameters& parameters,
                                  const Execution& execution, SearchStatistics* statistics) const {
  if (queries.rows() > 0) index::check_queries(dimension(), queries);
  const index::Reach reach = reach_for(*this, parameters, k);
  SearchResults results = index::empty_results(queries.rows(), k, size());
  std::visit([&](const auto& searcher) { searcher.search_batch(queries, reach, execution, results, statistics); },
             *state_->searcher);
  return results;
}

std::vector<Hit> Index::range_search(VectorView query, float radius, const SearchParameters& parameters) const {
  index::check_query(dimension(), query);
  if (std::isnan(radius)) throw Error(ErrorCode::InvalidArgument, "the radius is not a number");
  if (parameters.target_recall)
    throw Error(ErrorCode::InvalidArgument, "a target recall is for the k nearest: what lies within a radius has none",
                "give search_list_size");
  const std::size_t list_size = index::checked_list_size(parameters.search_list_size);
  return std::visit([&](const auto& searcher) { return searcher.range_search(query, radius, list_size); },
                    *state_->searcher);
}

void Index::distances(VectorView query, std::span<const std::uint64_t> ids, std::span<float> out) const {
  index::check_query(dimension(), query);
  if (out.size() != ids.size()) {
    throw Error(ErrorCode::InvalidArgument,
                "room for " + std::to_string(out.size()) + " distances, " + std::to_string(ids.size()) + " ids given");
  }
  std::vector<base::Slot> nodes;
  nodes.reserve(ids.size());
  for (const std::uint64_t id : ids) {
    const auto node = state_->points.node_of(id);
    if (!node) throw Error(ErrorCode::NotFound, "no point has the id " + std::to_string(id));
    nodes.push_back(*node);
  }
  std::visit([&](const auto& searcher) { searcher.distances(query, nodes, out); }, *state_->searcher);
}

const Calibration& Index::calibration() const noexcept { return state_->calibration; }

void Index::calibrate(VectorView queries, const Execution& execution) {
  constexpr std::size_t kMostQueries = 4096, kStoredRows = 1024;
  constexpr double kEnough = 0.9995;
  if (metric() == Distance::Custom)
    throw Error(ErrorCode::Unsupported, "there is no exact search by a user's distance to compare with");
  if (!has_vectors())
    throw Error(ErrorCode::Unsupported, "the index holds no vectors to compare with",
                "measure when it is built: build --tune, IndexBuilder::tuning_queries");
  if (queries.rows() > 0) index::check_queries(dimension(), queries);
  const base::RowsView& rows = state_->rows.view();
  const std::size_t most = queries.rows() > 0 ? kMostQueries : kStoredRows;
  const index::Probes probes = index::choose_probes(rows, metric(), queries, most, execution);
  Calibration calibration = index::measure(*state_, probes, index::kLists, kEnough, execution);
  if (state_->paged) index::measure_stops(index::ground_of(*state_, state_->codes), probes, calibration, execution);
  state_->calibration = std::move(calibration);
}

std::uint32_t Index::list_size_for(float recall, std::size_t k) const {
  return index::known_list_size(calibration(), state_->graph.nodes(), recall, k);
}

std::size_t Index::size() const noexcept { return state_->points.points(); }
std::size_t Index::dimension() const noexcept { return state_->rows.view().dimension; }
Distance Index::metric() const noexcept { return state_->metric; }
VectorType Index::type() const noexcept { return state_->rows.view().type; }
VectorType Index::source_type() const noexcept { return state_->source_type; }
const std::string& Index::builder() const noexcept { return state_->builder; }
Codec Index::codec() const noexcept { return state_->codes.codec; }
bool Index::has_vectors() const noexcept { return state_->has_vectors(); }
const BuildParameters& Index::build_parameters() const noexcept { return state_->parameters; }

MemoryUsage Index::memory_usage() const noexcept {
  MemoryUsage usage;
  usage.vectors = state_->rows.view().rows * state_->rows.view().stride;
  usage.graph = state_->graph.bytes() + state_->entry_points.size() * sizeof(base::Slot);
  usage.ids = state_->points.bytes();
  usage.norms = state_->norms.size() * sizeof(float);
  const index::Codes& codes = state_->codes;
  usage.codes = codes.rows.view().rows * codes.rows.view().stride + codes.factors.size() * sizeof(float);
  if (codes.book != nullptr) usage.codes += codes.book->bytes();
  return usage;
}

GraphStatistics Index::graph_statistics() const { return graph::measure(state_->graph, state_->entry_points); }

}  // namespace diskann
