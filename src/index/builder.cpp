#include <algorithm>

#include "diskann/output.hpp"
#include "graph/build_incremental.hpp"
#include "graph/entry_points.hpp"
#include "index/budgeted_build.hpp"
#include "index/builder_settings.hpp"
#include "index/choose_codes.hpp"
#include "index/code_layout.hpp"
#include "index/index_state.hpp"
#include "index/ingest.hpp"
#include "index/row_graph.hpp"
#include "index/spilled_rows.hpp"
#include "index/twins.hpp"

namespace diskann {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorCode::InvalidArgument, what, hint);
}

}  // namespace

std::unique_ptr<Index::State> IndexBuilder::Settings::build(const formats::VectorReader& reader,
                                                            const BuildParameters& checked) const {
  base::ThreadTeam team(execution);
  auto state = std::make_unique<Index::State>();
  state->parameters = checked;
  state->metric = metric;
  state->source_type = reader.type();
  state->custom = custom;
  const VectorType type = custom != nullptr ? VectorType::F32 : index::choose_type(reader, store_as, team);
  if ((drop_vectors || for_drive) && !index::has_codes(codes.codec, type, reader.dimension()))
    refuse("the vectors are stored as " + std::string(to_string(type)) + ", which is no larger than codes " +
               std::string(to_string(codes.codec)),
           type == reader.type() ? "use sq4 or rabitq1 to rabitq7" : "store them as they are (--dtype), or use sq4");
  state->rows = index::read_rows(reader, type, "read vectors", team, execution);

  index::Twins twins = index::merge_twins(state->rows, team);
  index::check_codec(codes.codec, state->rows, team);
  state->points = index::PointTable(reader.rows(), std::move(twins.starts), std::move(twins.members),
                                    ids.value_or(std::vector<std::uint64_t>()));
  graph::Graph graph;
  index::CodeChoice walked = codes;
  if (custom != nullptr) {
    const graph::CustomSpace space(*custom, state->rows);
    graph = graph::build_incremental(space, graph::choose_entry_points(space, checked.seed), checked, team, execution);
  } else {
    state->norms = index::norms_of(metric, state->rows, team);
    std::uint64_t seen = 0;
    graph = index::build_row_graph(
        state->rows, state->norms.span(), metric, checked,
        [&](bool coded) {
          const BuildEstimate now = estimate(reader.rows(), reader.dimension(), reader.type(), coded);
          check_memory(now);
          walked = codes_within_limit(reader.rows(), reader.dimension(), reader.type(), coded);
          if (coded) seen = index::checksum(state->rows);
          return now.builder;
        },
        team, execution);
    base::trim_heap();
    if (state->rows.view().rows == 0) {
      state->rows = index::read_rows(reader, type, "read vectors again", team, execution);
      index::keep_first_twins(state->rows, state->points.starts(), state->points.members());
      if (index::checksum(state->rows) != seen)
        throw Error(ErrorCode::Io, "the vectors changed while their graph was built", "build again");
    }
  }
  state->builder = to_string(graph.builder);
  state->graph = std::move(graph.adjacency);
  state->entry_points = std::move(graph.entry_points);
  if (drop_vectors || for_drive) {
    index::keep_codes(*state, codes, drop_vectors, tuning_queries, execution);
  } else {
    index::choose_codes(*state, walked, tuning_queries, execution);
  }
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
    case Codec::LVQ8: return "lvq8";
    case Codec::SQ4: return "sq4";
    case Codec::Mix: return "mix";
    case Codec::RaBitQ1: return "rabitq1";
    case Codec::RaBitQ2: return "rabitq2";
    case Codec::RaBitQ3: return "rabitq3";
    case Codec::RaBitQ4: return "rabitq4";
    case Codec::RaBitQ5: return "rabitq5";
    case Codec::RaBitQ6: return "rabitq6";
    case Codec::RaBitQ7: return "rabitq7";
    case Codec::RaBitQ8: return "rabitq8";
    case Codec::PQ4: return "pq4";
    case Codec::PQ8: return "pq8";
    case Codec::Auto: return "auto";
    case Codec::None: break;
  }
  return "none";
}

Codec parse_codec(std::string_view name) {
  for (Codec codec = Codec::None; codec <= Codec::Auto; codec = static_cast<Codec>(static_cast<int>(codec) + 1))
    if (name == to_string(codec)) return codec;
  refuse("unknown codec '" + std::string(name) + "'",
         "use auto, none, f16, sq8, lvq8, sq4, mix, rabitq1 to rabitq8, pq4 or pq8");
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
IndexBuilder& IndexBuilder::for_drive(bool drive) {
  settings_->for_drive = drive;
  return *this;
}
IndexBuilder& IndexBuilder::page_bytes(std::uint32_t bytes) {
  settings_->parameters.page_bytes = bytes;
  return *this;
}
IndexBuilder& IndexBuilder::drop_vectors(bool drop) {
  settings_->drop_vectors = drop;
  return *this;
}
IndexBuilder& IndexBuilder::quantize(Codec codec, std::uint32_t chunks) {
  settings_->codes = {codec, chunks};
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

void IndexBuilder::build_on_drive(const std::filesystem::path& output, const std::filesystem::path& vectors,
                                  const DriveBuild& how) const {
  if (!settings_->for_drive) refuse("only an index for a drive is built there", "say for_drive() first");
  const BuildParameters checked = settings_->checked_parameters();
  check_output(output, how.overwrite);
  ReadOptions options;
  options.type = how.file_type;
  const std::unique_ptr<formats::VectorReader> reader = formats::open_vectors(vectors, options);
  settings_->check_shape(reader->rows(), reader->dimension());
  VectorType stored = settings_->store_as.value_or(reader->type());
  auto at_once = settings_->threads_within(reader->rows(), reader->dimension(), stored, how.memory);
  index::BudgetedRows parts = settings_->in_parts(reader->rows(), reader->dimension(), reader->type());
  if (!at_once && !settings_->store_as) {
    Execution few = settings_->execution;
    few.threads = index::plan_budget(parts, how.memory).threads;  // refused before anything is read
    base::ThreadTeam team(few);
    stored = index::choose_type(*reader, std::nullopt, team);
    at_once = settings_->threads_within(reader->rows(), reader->dimension(), stored, how.memory);
  }
  if (at_once) {
    Settings whole = *settings_;
    whole.execution.threads = *at_once;
    if (stored != reader->type()) whole.store_as = stored;
    return Index(whole.build(*reader, checked)).save_for_disk(output, how.overwrite, whole.execution);
  }
  settings_->check_parts();
  parts.stored = stored;
  index::build_within_budget(*reader, parts, settings_->ids ? &*settings_->ids : nullptr,
                             {output, how.overwrite, how.resume, how.memory}, settings_->execution);
}

DriveBuildEstimate IndexBuilder::estimate_on_drive(std::uint64_t rows, std::size_t dimension, VectorType type,
                                                   std::uint64_t memory) const {
  if (!settings_->for_drive) refuse("only an index for a drive is built there", "say for_drive() first");
  settings_->check_shape(rows, dimension);
  const index::BudgetedRows what = settings_->in_parts(rows, dimension, type);
  index::check_codes(what);
  DriveBuildEstimate estimate;
  estimate.alpha = what.parameters.alpha;
  if (const auto threads = settings_->threads_within(rows, dimension, type, memory)) {
    Settings whole = *settings_;
    whole.execution.threads = *threads;
    const BuildEstimate at_once = whole.estimate(rows, dimension, type);
    estimate.builder = at_once.builder;
    estimate.memory = std::max(at_once.total(), whole.estimate(rows, dimension, type, false).total());
    estimate.threads = *threads;
    estimate.part_rows = rows;
    return estimate;
  }
  settings_->check_parts();
  index::check_parts(what);
  const index::BudgetPlan plan = index::plan_budget(what, memory);
  estimate.builder = what.builder;
  estimate.parts = plan.shards;
  estimate.part_rows = (2 * rows + plan.shards - 1) / plan.shards + index::rows_everywhere(what.metric, plan.capacity);
  estimate.memory = plan.peak;
  estimate.beside = index::spilled_bytes(what, plan);
  estimate.threads = plan.threads;
  return estimate;
}

BuildEstimate IndexBuilder::estimate(std::uint64_t rows, std::size_t dimension, VectorType type) const {
  BuildEstimate estimate = settings_->estimate(rows, dimension, type);
  estimate.uncoded = std::max(estimate.total(), settings_->estimate(rows, dimension, type, false).total());
  return estimate;
}

}  // namespace diskann
