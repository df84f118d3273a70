#include "diskann/index.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/reachability.hpp"
#include "index/adopt.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/microsoft.hpp"

namespace diskann {
namespace {

constexpr std::uint32_t kMaxListSize = 100'000'000;

void check_queries(const Index& index, const VectorView& queries) {
  if (queries.dimension() == index.dimension()) return;
  throw Error(ErrorCode::DimensionMismatch, "the query has " + std::to_string(queries.dimension()) +
                                                " dimensions, the index has " + std::to_string(index.dimension()));
}

void check_query(const Index& index, const VectorView& query) {
  check_queries(index, query);
  if (query.rows() == 1) return;
  throw Error(ErrorCode::InvalidArgument, "one query expected, " + std::to_string(query.rows()) + " rows given",
              "use search_batch for several queries");
}

std::size_t checked_list_size(const SearchParameters& parameters) {
  if (parameters.search_list_size >= 1 && parameters.search_list_size <= kMaxListSize)
    return parameters.search_list_size;
  throw Error(ErrorCode::InvalidArgument, "search_list_size must be 1 to " + std::to_string(kMaxListSize) + ", not " +
                                              std::to_string(parameters.search_list_size));
}

}  // namespace

void Index::State::make_searcher() {
  using Any = std::variant<KernelSearcher, CodeSearcher, CustomSearcher>;
  const auto make = [&]<class Space>(Space space) {
    searcher = std::make_unique<const Any>(std::in_place_type<index::Searcher<Space>>, std::move(space), graph,
                                           entry_points, points);
  };
  const float* of_rows = norms.empty() ? nullptr : norms.data();
  if (metric == Distance::Custom) return make(graph::CustomSpace(*custom, rows));
  if (codes.codec != Codec::None) return make(index::code_space(codes, metric, rows, of_rows));
  make(graph::KernelSpace(metric, rows, of_rows));
}

Index::Index(std::unique_ptr<const State> state) noexcept : state_(std::move(state)) {}
Index::Index(Index&&) noexcept = default;
Index& Index::operator=(Index&&) noexcept = default;
Index::~Index() = default;

Index Index::open(const std::filesystem::path& path, const OpenOptions& options) {
  if (formats::is_microsoft_memory_set(path)) return Index(index::open_microsoft(path, options));
  index::refuse_disk_set(path);
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
  const std::unique_ptr<State> adopted =
      state_->builder == index::kMicrosoftBuilder ? index::adopt(*state_, execution) : nullptr;
  index::save_index(adopted != nullptr ? *adopted : *state_, path, overwrite, execution);
}

void Index::save_microsoft(const std::filesystem::path& prefix, bool overwrite, const Execution& execution) const {
  check_edges(*state_);
  index::save_microsoft(*state_, prefix, overwrite, execution);
}

std::vector<Hit> Index::search(VectorView query, std::size_t k, const SearchParameters& parameters) const {
  std::vector<Hit> hits(std::min(k, size()));
  hits.resize(search_into(query, hits, parameters));
  return hits;
}

std::size_t Index::search_into(VectorView query, std::span<Hit> hits, const SearchParameters& parameters,
                               SearchStatistics* statistics) const {
  check_query(*this, query);
  const std::size_t list_size = checked_list_size(parameters);
  return std::visit([&](const auto& searcher) { return searcher.search(query, hits, list_size, statistics); },
                    *state_->searcher);
}

SearchResults Index::search_batch(VectorView queries, std::size_t k, const SearchParameters& parameters,
                                  const Execution& execution, SearchStatistics* statistics) const {
  if (queries.rows() > 0) check_queries(*this, queries);
  const std::size_t list_size = checked_list_size(parameters);
  SearchResults results;
  results.rows = queries.rows();
  results.k = k;
  const std::uint64_t cells = base::checked_multiply(results.rows, k, "results", ErrorCode::InvalidArgument);
  try {
    results.ids.assign(cells, kNoId);
    results.distances.assign(cells, std::numeric_limits<float>::infinity());
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(ErrorCode::OutOfMemory,
                "cannot hold " + std::to_string(k) + " hits for each of " + std::to_string(results.rows) + " queries",
                "ask for fewer: the index has " + std::to_string(size()) + " points");
  }
  std::visit([&](const auto& searcher) { searcher.search_batch(queries, list_size, execution, results, statistics); },
             *state_->searcher);
  return results;
}

std::vector<Hit> Index::range_search(VectorView query, float radius, const SearchParameters& parameters) const {
  check_query(*this, query);
  if (std::isnan(radius)) throw Error(ErrorCode::InvalidArgument, "the radius is not a number");
  const std::size_t list_size = checked_list_size(parameters);
  return std::visit([&](const auto& searcher) { return searcher.range_search(query, radius, list_size); },
                    *state_->searcher);
}

void Index::distances(VectorView query, std::span<const std::uint64_t> ids, std::span<float> out) const {
  check_query(*this, query);
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

std::size_t Index::size() const noexcept { return state_->points.points(); }
std::size_t Index::dimension() const noexcept { return state_->rows.view().dimension; }
Distance Index::metric() const noexcept { return state_->metric; }
VectorType Index::type() const noexcept { return state_->rows.view().type; }
VectorType Index::source_type() const noexcept { return state_->source_type; }
const std::string& Index::builder() const noexcept { return state_->builder; }
Codec Index::codec() const noexcept { return state_->codes.codec; }
const BuildParameters& Index::build_parameters() const noexcept { return state_->parameters; }

MemoryUsage Index::memory_usage() const noexcept {
  MemoryUsage usage;
  usage.vectors = state_->rows.view().rows * state_->rows.view().stride;
  usage.graph = state_->graph.bytes() + state_->entry_points.size() * sizeof(base::Slot);
  usage.ids = state_->points.bytes();
  usage.norms = state_->norms.size() * sizeof(float);
  const index::Codes& codes = state_->codes;
  usage.codes = codes.rows.view().rows * codes.rows.view().stride + codes.norms.size() * sizeof(float);
  return usage;
}

GraphStatistics Index::graph_statistics() const { return graph::measure(state_->graph, state_->entry_points); }

}  // namespace diskann
