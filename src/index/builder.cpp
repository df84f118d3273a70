#include <algorithm>
#include <cmath>

#include "diskann/index.hpp"
#include "graph/build_incremental.hpp"
#include "graph/build_partitioned.hpp"
#include "graph/entry_points.hpp"
#include "index/choose_codes.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/ingest.hpp"
#include "index/twins.hpp"
#include "quantization/build_codes.hpp"

namespace diskann {

struct IndexBuilder::Settings {
  std::optional<std::size_t> dimensions;
  Distance metric = Distance::L2;
  std::shared_ptr<const DistanceFunction> custom;
  BuildParameters parameters;
  GraphBuilder builder = GraphBuilder::Auto;
  std::optional<float> alpha;
  std::optional<VectorType> store_as;
  Codec codec = Codec::Auto;
  VectorView tuning_queries;
  std::optional<std::uint64_t> memory_limit;
  Execution execution;
  std::optional<std::vector<std::uint64_t>> ids;

  BuildParameters checked_parameters() const;
  void check_shape(std::uint64_t rows, std::size_t dimension) const;
  /// `coded`: whether codes of rows that are not of 8 bits can take their place while the graph is built.
  BuildEstimate estimate(std::uint64_t rows, std::size_t dimension, VectorType type, bool coded = true) const;
  /// The codec, or None where there is no room for what Auto could choose.
  Codec codec_within_limit(std::uint64_t rows, std::size_t dimension, VectorType type, bool coded) const;
  void check_memory(const BuildEstimate& estimate) const;
  std::unique_ptr<Index::State> build(const formats::VectorReader& reader, const BuildParameters& checked) const;

 private:
  BuildEstimate estimate_of(GraphBuilder which, std::uint64_t rows, std::size_t dimension, VectorType type, bool coded,
                            Codec walked) const;
  BuildEstimate estimate_by(Codec walked, std::uint64_t rows, std::size_t dimension, VectorType type, bool coded) const;
};

namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorCode::InvalidArgument, what, hint);
}

/// Inner products of neighbours spread less than squared distances do, so that the same pruning needs a larger factor:
/// on wordnet-lsa recall@10 at L = 100 is 0.972 with 1.2 and 0.991 with 2.
float default_alpha(Distance metric) { return metric == Distance::InnerProduct ? 2.0f : BuildParameters{}.alpha; }

/// From how many rows on the partitioned builder is chosen: its leaves hold 1,024, and few leaves make a poor graph
/// (2,000 clustered rows by inner product, R 32: 310 distances at recall@10 0.99 against 229).
constexpr std::uint64_t kPartitionedRows = 4096;

template <class T>
void check_range(const char* name, T value, T least, T most) {
  if (value >= least && value <= most) return;
  refuse(std::string(name) + " must be " + std::to_string(least) + " to " + std::to_string(most) + ", not " +
         std::to_string(value));
}

void check_ids(const std::vector<std::uint64_t>& ids, std::uint64_t rows) {
  if (ids.size() != rows)
    refuse(std::to_string(ids.size()) + " ids for " + std::to_string(rows) + " vectors", "give one id for each vector");
  std::vector<std::uint64_t> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  const auto repeated = std::adjacent_find(sorted.begin(), sorted.end());
  if (repeated == sorted.end()) return;
  const auto first = std::find(ids.begin(), ids.end(), *repeated);
  const auto second = std::find(first + 1, ids.end(), *repeated);
  throw Error(ErrorCode::AlreadyExists, "id " + std::to_string(*repeated) + " is given to two vectors, rows " +
                                            std::to_string(first - ids.begin()) + " and " +
                                            std::to_string(second - ids.begin()));
}

}  // namespace

BuildParameters IndexBuilder::Settings::checked_parameters() const {
  BuildParameters checked = parameters;
  checked.alpha = alpha.value_or(default_alpha(metric));
  check_range("max_degree", checked.max_degree, 2u, 1024u);
  check_range("search_list_size", checked.search_list_size, 1u, 100'000u);
  if (!(checked.alpha >= 1.0f && checked.alpha <= 10.0f))
    refuse("alpha must be 1 to 10, not " + std::to_string(checked.alpha));
  if (metric == Distance::Custom && custom == nullptr)
    refuse("the custom metric needs a function", "use IndexBuilder::distance_function");
  if (metric == Distance::Custom && store_as.value_or(VectorType::F32) != VectorType::F32)
    refuse("a user's distance takes f32 vectors", "leave the stored type out");
  if (metric == Distance::Custom && builder == GraphBuilder::Partitioned)
    refuse("the partitioned builder has no user-defined distance", "use the incremental one, or auto");
  if (metric == Distance::Custom && codec != Codec::None && codec != Codec::Auto)
    refuse("a user's distance compares vectors: there are no codes for it", "leave the codec out");
  if (metric == Distance::Custom && tuning_queries.rows() > 0)
    refuse("there is no exact search by a user's distance to tune by", "leave the tuning queries out");
  return checked;
}

void IndexBuilder::Settings::check_shape(std::uint64_t rows, std::size_t dimension) const {
  if (rows == 0) refuse("empty input: there are no vectors to index");
  if (dimension == 0) refuse("the vectors have no components");
  if (dimension > base::kMaxDimension) {
    refuse("the vectors have " + std::to_string(dimension) + " dimensions, at most " +
           std::to_string(base::kMaxDimension) + " are supported");
  }
  if (rows > base::kMaxSlots) {
    refuse(std::to_string(rows) + " vectors are more than one index holds (" + std::to_string(base::kMaxSlots) + ")");
  }
  if (dimensions && *dimensions != dimension) {
    throw Error(ErrorCode::DimensionMismatch, "the builder expects " + std::to_string(*dimensions) +
                                                  " dimensions, the vectors have " + std::to_string(dimension));
  }
  if (ids) check_ids(*ids, rows);
  if (tuning_queries.rows() > 0 && tuning_queries.dimension() != dimension) {
    throw Error(ErrorCode::DimensionMismatch, "the tuning queries have " + std::to_string(tuning_queries.dimension()) +
                                                  " dimensions, the vectors have " + std::to_string(dimension));
  }
  try {
    distance::check_finite(tuning_queries, 0);
  } catch (const Error& error) {
    throw Error(error.code(), std::string("tuning queries: ") + error.what(), error.hint());
  }
}

BuildEstimate IndexBuilder::Settings::estimate_of(GraphBuilder which, std::uint64_t rows, std::size_t dimension,
                                                  VectorType type, bool coded, Codec walked) const {
  const unsigned threads = base::threads_of(execution);
  const auto times = [](std::uint64_t a, std::uint64_t b) {
    return base::checked_multiply(a, b, "the estimate", ErrorCode::InvalidArgument);
  };
  const VectorType stored = store_as.value_or(type);
  const bool codes = coded && size_of(stored) > 1 && metric != Distance::Custom;
  const VectorType compared = codes ? VectorType::U8 : stored;
  const graph::BuilderMemory memory =
      which == GraphBuilder::Partitioned
          ? graph::partitioned_memory(rows, dimension, compared, metric, parameters, threads)
          : graph::incremental_memory(rows, parameters, threads);
  constexpr std::uint64_t kFixed = std::uint64_t{12} << 20;  // of a process that has nothing to do yet
  const std::uint64_t given = ids ? times(rows, sizeof(std::uint64_t) * 2) : 0;  // ids, here and in the index
  const std::uint64_t fixed = rows * (sizeof(std::uint64_t) * 2) + given + kFixed;
  const std::uint64_t vectors = times(rows, base::row_stride(stored, dimension));
  const std::uint64_t compared_rows = times(rows, base::row_stride(compared, dimension));
  const std::uint64_t finished = times(rows, graph::row_slots(parameters.max_degree) * sizeof(base::Slot));

  BuildEstimate most;
  const auto stage = [&](std::uint64_t held, std::uint64_t graph, std::uint64_t scratch) {
    if (held + graph + scratch <= most.total()) return;
    most.vectors = held;
    most.graph = graph;
    most.scratch = scratch;
  };
  stage(compared_rows, memory.graph, memory.scratch + fixed);
  if (codes) {
    stage(vectors, 0, compared_rows + fixed);
    stage(vectors, finished, fixed);
  }
  // Of searching for probes: visited marks of four walks a thread, and the exact scan for their neighbours.
  const std::uint64_t trials = threads * (std::uint64_t{3} << 20) + std::min(threads, 16u) * (rows / 4 * 3);
  if (metric != Distance::Custom) stage(vectors, finished, fixed + trials);
  for (const Codec tried : index::codes_to_try(walked, metric, stored)) {
    const std::uint64_t made = times(rows, index::code_bytes(tried, metric, dimension) + 4 * sizeof(float));
    stage(vectors + made, finished, fixed + trials);
  }
  most.builder = which;
  most.index_bytes =
      index::index_file_bytes(rows, dimension, stored, metric, parameters.max_degree, ids.has_value(), walked);
  if (which == GraphBuilder::Partitioned) most.comparisons = graph::partitioned_comparisons(rows, dimension);
  return most;
}

BuildEstimate IndexBuilder::Settings::estimate_by(Codec walked, std::uint64_t rows, std::size_t dimension,
                                                  VectorType type, bool coded) const {
  if (builder != GraphBuilder::Auto) return estimate_of(builder, rows, dimension, type, coded, walked);
  const BuildEstimate incremental = estimate_of(GraphBuilder::Incremental, rows, dimension, type, coded, walked);
  if (metric == Distance::Custom || rows < kPartitionedRows) return incremental;
  const BuildEstimate partitioned = estimate_of(GraphBuilder::Partitioned, rows, dimension, type, coded, walked);
  const bool too_large = memory_limit && partitioned.total() > *memory_limit;
  return too_large && incremental.total() < partitioned.total() ? incremental : partitioned;
}

Codec IndexBuilder::Settings::codec_within_limit(std::uint64_t rows, std::size_t dimension, VectorType type,
                                                 bool coded) const {
  if (codec != Codec::Auto || !memory_limit) return codec;
  // Nor are they worth the slower builder.
  const BuildEstimate with = estimate_by(codec, rows, dimension, type, coded);
  const BuildEstimate without = estimate_by(Codec::None, rows, dimension, type, coded);
  return with.total() <= *memory_limit && with.builder == without.builder ? codec : Codec::None;
}

BuildEstimate IndexBuilder::Settings::estimate(std::uint64_t rows, std::size_t dimension, VectorType type,
                                               bool coded) const {
  return estimate_by(codec_within_limit(rows, dimension, type, coded), rows, dimension, type, coded);
}

void IndexBuilder::Settings::check_memory(const BuildEstimate& estimate) const {
  if (!memory_limit || estimate.total() <= *memory_limit) return;
  throw Error(ErrorCode::OutOfMemory,
              "the build needs up to " + std::to_string(estimate.total()) + " bytes, the limit is " +
                  std::to_string(*memory_limit),
              "raise the limit to " + std::to_string(estimate.total()) + " bytes, or lower max_degree");
}

std::unique_ptr<Index::State> IndexBuilder::Settings::build(const formats::VectorReader& reader,
                                                            const BuildParameters& checked) const {
  base::ThreadTeam team(execution);
  auto state = std::make_unique<Index::State>();
  state->parameters = checked;
  state->metric = metric;
  state->source_type = reader.type();
  state->custom = custom;
  const VectorType type = custom != nullptr ? VectorType::F32 : index::choose_type(reader, store_as, team);
  state->rows = index::read_rows(reader, type, "read vectors", team, execution);

  index::Twins twins = index::merge_twins(state->rows, team);
  index::check_codec(codec, state->rows, team);
  state->points = index::PointTable(reader.rows(), std::move(twins.starts), std::move(twins.members),
                                    ids.value_or(std::vector<std::uint64_t>()));
  graph::Graph graph;
  Codec walked = codec;
  if (custom != nullptr) {
    const graph::CustomSpace space(*custom, state->rows);
    graph = graph::build_incremental(space, graph::choose_entry_points(space, checked.seed), checked, team, execution);
  } else {
    const base::RowsView& rows = state->rows;
    const auto norms_of = [&](Distance by, const base::RowsView& of) {
      std::vector<float> norms(distance::has_norms(by, of.type, of.dimension, of.rows) ? of.rows : 0);
      team.run(norms.size(), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
        distance::row_norms(by, of, begin, end - begin, norms.data() + begin);
      });
      return norms;
    };
    state->norms = norms_of(metric, rows);
    const float* norms = state->norms.empty() ? nullptr : state->norms.data();
    const float* inverse_norms = metric == Distance::Cosine ? norms : nullptr;
    std::vector<base::Slot> entry_points = graph::choose_entry_points(metric, rows, inverse_norms, checked.seed, team);
    auto codes = quantization::encode_for_building(metric, rows, inverse_norms, team);
    const BuildEstimate now = estimate(reader.rows(), reader.dimension(), reader.type(), codes.has_value());
    check_memory(now);
    walked = codec_within_limit(reader.rows(), reader.dimension(), reader.type(), codes.has_value());
    std::uint64_t seen = 0;
    if (codes) {  // which take the place of the rows
      seen = index::checksum(rows);
      state->rows = {};
    }
    const std::vector<float> code_norms = codes ? norms_of(codes->metric, codes->rows) : std::vector<float>();
    const graph::KernelSpace space =
        codes ? graph::KernelSpace(codes->metric, codes->rows, code_norms.empty() ? nullptr : code_norms.data())
              : graph::KernelSpace(metric, rows, norms);
    const auto build_graph = now.builder == GraphBuilder::Partitioned ? graph::build_partitioned
                                                                      : graph::build_incremental<graph::KernelSpace>;
    graph = build_graph(space, std::move(entry_points), checked, team, execution);
    if (codes) {
      codes.reset();
      state->rows = index::read_rows(reader, type, "read vectors again", team, execution);
      index::keep_first_twins(state->rows, state->points.starts(), state->points.members());
      if (index::checksum(state->rows) != seen)
        throw Error(ErrorCode::Io, "the vectors changed while their graph was built", "build again");
    }
  }
  state->builder = to_string(graph.builder);
  state->graph = std::move(graph.adjacency);
  state->entry_points = std::move(graph.entry_points);
  index::choose_codes(*state, walked, tuning_queries, execution);
  return state;
}

std::string_view to_string(GraphBuilder builder) noexcept {
  switch (builder) {
    case GraphBuilder::Partitioned: return "partitioned";
    case GraphBuilder::Incremental: return "incremental";
    default: return "auto";
  }
}

GraphBuilder parse_graph_builder(std::string_view name) {
  if (name == "auto") return GraphBuilder::Auto;
  if (name == "partitioned") return GraphBuilder::Partitioned;
  if (name == "incremental") return GraphBuilder::Incremental;
  refuse("unknown builder '" + std::string(name) + "'", "use auto, partitioned or incremental");
}

std::string_view to_string(Codec codec) noexcept {
  switch (codec) {
    case Codec::F16: return "f16";
    case Codec::SQ8: return "sq8";
    case Codec::SQ4: return "sq4";
    case Codec::Auto: return "auto";
    case Codec::None: break;
  }
  return "none";
}

Codec parse_codec(std::string_view name) {
  for (const Codec codec : {Codec::None, Codec::F16, Codec::SQ8, Codec::SQ4, Codec::Auto})
    if (name == to_string(codec)) return codec;
  refuse("unknown codec '" + std::string(name) + "'", "use auto, none, f16, sq8 or sq4");
}

IndexBuilder::IndexBuilder() : settings_(std::make_unique<Settings>()) {}
IndexBuilder::IndexBuilder(IndexBuilder&&) noexcept = default;
IndexBuilder& IndexBuilder::operator=(IndexBuilder&&) noexcept = default;
IndexBuilder::~IndexBuilder() = default;

IndexBuilder& IndexBuilder::dimensions(std::size_t dimension) {
  settings_->dimensions = dimension;
  return *this;
}
IndexBuilder& IndexBuilder::metric(Distance metric) {
  settings_->metric = metric;
  if (metric != Distance::Custom) settings_->custom = nullptr;
  return *this;
}
IndexBuilder& IndexBuilder::distance_function(std::shared_ptr<const DistanceFunction> function) {
  settings_->custom = std::move(function);
  settings_->metric = Distance::Custom;
  return *this;
}
IndexBuilder& IndexBuilder::max_degree(std::uint32_t max_degree) {
  settings_->parameters.max_degree = max_degree;
  return *this;
}
IndexBuilder& IndexBuilder::search_list_size(std::uint32_t search_list_size) {
  settings_->parameters.search_list_size = search_list_size;
  return *this;
}
IndexBuilder& IndexBuilder::alpha(float alpha) {
  settings_->alpha = alpha;
  return *this;
}
IndexBuilder& IndexBuilder::seed(std::uint64_t seed) {
  settings_->parameters.seed = seed;
  return *this;
}
IndexBuilder& IndexBuilder::builder(GraphBuilder builder) {
  settings_->builder = builder;
  return *this;
}
IndexBuilder& IndexBuilder::store_as(VectorType type) {
  settings_->store_as = type;
  return *this;
}
IndexBuilder& IndexBuilder::quantize(Codec codec) {
  settings_->codec = codec;
  return *this;
}
IndexBuilder& IndexBuilder::tuning_queries(VectorView queries) {
  settings_->tuning_queries = queries;
  return *this;
}
IndexBuilder& IndexBuilder::memory_limit(std::uint64_t bytes) {
  settings_->memory_limit = bytes;
  return *this;
}
IndexBuilder& IndexBuilder::execution(Execution execution) {
  settings_->execution = std::move(execution);
  return *this;
}
IndexBuilder& IndexBuilder::ids(std::vector<std::uint64_t> ids) {
  settings_->ids = std::move(ids);
  return *this;
}

Index IndexBuilder::build_from_vectors(VectorView vectors) const {
  const BuildParameters checked = settings_->checked_parameters();
  const index::ViewReader reader(vectors);
  settings_->check_shape(reader.rows(), reader.dimension());
  settings_->check_memory(settings_->estimate(reader.rows(), reader.dimension(), reader.type()));
  return Index(settings_->build(reader, checked));
}

void IndexBuilder::check_parameters() const { (void)settings_->checked_parameters(); }

void IndexBuilder::check_shape(std::uint64_t rows, std::size_t dimension) const {
  settings_->check_shape(rows, dimension);
}

Index IndexBuilder::build_from_file(const std::filesystem::path& path, std::optional<VectorType> file_type) const {
  const BuildParameters checked = settings_->checked_parameters();
  ReadOptions options;
  options.type = file_type;
  const std::unique_ptr<formats::VectorReader> reader = formats::open_vectors(path, options);
  settings_->check_shape(reader->rows(), reader->dimension());
  settings_->check_memory(settings_->estimate(reader->rows(), reader->dimension(), reader->type()));
  return Index(settings_->build(*reader, checked));
}

BuildEstimate IndexBuilder::estimate(std::uint64_t rows, std::size_t dimension, VectorType type) const {
  BuildEstimate estimate = settings_->estimate(rows, dimension, type);
  estimate.uncoded = std::max(estimate.total(), settings_->estimate(rows, dimension, type, false).total());
  return estimate;
}

}  // namespace diskann
