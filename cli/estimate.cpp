#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "builder_flags.hpp"
#include "command.hpp"
#include "diskann/evaluation.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "json_row.hpp"

namespace diskann::cli {
namespace {

struct EstimateOptions {
  VectorInput input;
  std::optional<std::filesystem::path> path;
  std::optional<std::uint64_t> rows;
  std::optional<std::uint32_t> dimension;
  std::optional<std::string> memory;  ///< --build-memory
  BuilderFlags builder;
};

/// The rows that an index is to be built of, and where some like them come from.
struct Rows {
  std::uint64_t count = 0;
  std::size_t dimension = 0;
  VectorType type = VectorType::F32;
  std::uint64_t copy = 0;
  std::string name;  ///< of the file; empty without one
  RowSample sample;
};

/// Pieces of a file, evenly spread: what lies together may be alike, and the first rows may be of one kind.
VectorSet spread_rows(const std::filesystem::path& path, ReadOptions reading, const VectorFileInfo& info,
                      std::uint64_t rows) {
  constexpr std::uint64_t kPieces = 256;
  VectorSet set(info.type, rows, info.dimension);
  const std::uint64_t pieces = std::min(rows, kPieces);
  for (std::uint64_t i = 0; i < pieces; ++i) {
    const std::uint64_t begin = rows * i / pieces;
    reading.skip = begin + (info.rows - rows) * i / pieces;
    reading.limit = rows * (i + 1) / pieces - begin;
    const VectorSet piece = read_vectors(path, reading);
    std::copy_n(piece.row(0), piece.rows() * piece.row_bytes(), set.row(begin));
  }
  return set;
}

Rows rows_of_file(const EstimateOptions& options) {
  if (options.dimension) throw UsageError("the file says what dimension its vectors have", "leave --dimensions out");
  const VectorInput input{*options.path, options.input.format, options.input.type};
  const ReadOptions reading = read_options(input, parse_type(options.builder.store_as));
  const VectorFileInfo info = inspect_vectors(input.path, reading);
  if (info.rows == 0) throw Error(ErrorCode::InvalidArgument, input.path.string() + " has no vectors");
  Rows rows{options.rows.value_or(info.rows), info.dimension, info.type, 0, input.path.string(), {}};
  if (needs_own_reading(input, reading)) rows.copy = rows.count * info.dimension * size_of(info.type);
  rows.sample = {
      [path = input.path, reading, info](std::uint64_t count) { return spread_rows(path, reading, info, count); },
      info.rows};
  return rows;
}

/// A spectrum that falls, as that of real vectors does: without structure, or in clusters that lie apart, the
/// partitioned builder may take the incremental one's time.
Rows generated_rows(const EstimateOptions& options, const Execution& execution) {
  if (!options.rows || !options.dimension) {
    throw UsageError("of what is the build to be estimated?", "give -i FILE, or --count N and --dimensions D");
  }
  if (options.input.format || options.input.type) {
    throw UsageError("--input-format and --input-dtype are for a file", "leave them out, or give -i FILE");
  }
  SyntheticOptions synthetic;
  synthetic.dimension = *options.dimension;
  synthetic.type = parse_type(options.builder.store_as).value_or(VectorType::F32);
  synthetic.clusters = 0;
  synthetic.shape = SyntheticShape::Decay;
  Rows rows{*options.rows, *options.dimension, synthetic.type, 0, "", {}};
  rows.sample.draw = [synthetic, execution](std::uint64_t count) mutable {
    synthetic.rows = count;
    return generate_clustered(synthetic, execution).vectors;
  };
  return rows;
}

/// What is built at a time, and how often.
struct Parts {
  std::uint64_t rows = 0;
  std::size_t count = 1;
  unsigned threads = 1;
  bool graph_alone = false;  ///< samples with codes and trials would tell too much: those of few rows take as long
};

std::string time_text(const Rows& rows, const Parts& parts, const BuildTime& time) {
  const TimedBuild& last = time.samples.back();
  const bool all = parts.count == 1 && last.rows == rows.count;
  return fmt::format(
      "{}{} on {} {}: {}{} {} took {}", all ? "" : "about ",
      duration_text(time.seconds * static_cast<double>(parts.count)), counted(parts.threads, "thread", "threads"),
      parts.graph_alone ? "for the graph alone" : "beside reading and writing", all ? "all " : "",
      count_text(last.rows), rows.name.empty() ? "generated rows" : "of its rows", duration_text(last.seconds));
}

void print_within(const DriveBuildEstimate& within, Session& session) {
  session.print(fmt::format("builder  {}, {}", to_string(within.builder),
                            within.parts == 1 ? "in one go"
                                              : fmt::format("in {} parts of {} rows on average, each row in two",
                                                            within.parts, count_text(within.part_rows))));
  session.print(fmt::format("memory   {} at most", bytes_text(within.memory)));
  if (within.parts > 1)
    session.print(fmt::format("drive    {} beside the index until it is built", bytes_text(within.beside)));
}

void print(const Rows& rows, const BuildPlan& plan, const BuildPlan& narrow,
           const std::optional<DriveBuildEstimate>& within, const std::optional<DriveBuildEstimate>& narrow_within,
           const Parts& parts, const BuildTime& time, Session& session) {
  session.print(fmt::format("input    {}{} × {} {}", rows.name.empty() ? "" : rows.name + " · ", count_text(rows.count),
                            rows.dimension, to_string(rows.type)));
  if (within) {
    print_within(*within, session);
  } else {
    session.print(fmt::format("builder  {}", to_string(plan.estimate.builder)));
    session.print("memory   " + memory_text(plan));
  }
  session.print(fmt::format("index    {}", bytes_text(plan.estimate.index_bytes)));
  session.print("search   " + usage_text(plan.estimate.searched));
  session.print("time     " + time_text(rows, parts, time));
  if (time.fell_back) {
    session.print("note     the partitioned builder fell back to the incremental one: walks did not find their way");
  }
  if (narrow.estimate.index_bytes != plan.estimate.index_bytes) {
    session.print(fmt::format(
        "note     all that was sampled fits {}: if every row does, {}memory {} · index {}", to_string(time.type),
        narrow_within ? counted(narrow_within->parts, "part", "parts") + " · " : "",
        bytes_text(narrow_within ? narrow_within->memory : narrow.total()), bytes_text(narrow.estimate.index_bytes)));
  }
}

JsonRow json_row(const EstimateOptions& options, const Rows& rows, const BuildPlan& plan,
                 const std::optional<DriveBuildEstimate>& within, const Parts& parts, const BuildTime& time) {
  JsonRow row;
  row.add("command", "estimate");
  if (!rows.name.empty()) row.add("input", rows.name);
  row.add("metric", to_string(parse_distance(options.builder.metric))).add("dtype", to_string(rows.type));
  row.add("points", rows.count).add("dimension", rows.dimension).add("max_degree", options.builder.max_degree);
  row.add("builder", to_string(plan.estimate.builder)).add("threads", parts.threads);
  if (within) {
    row.add("build_bytes", within->memory).add("beside_bytes", within->beside);
    row.add("parts", std::uint64_t{within->parts}).add("part_points", within->part_rows);
  } else {
    row.add("build_bytes", plan.total()).add("vectors_bytes", plan.estimate.vectors + plan.copy);
    row.add("graph_bytes", plan.estimate.graph).add("scratch_bytes", plan.estimate.scratch);
  }
  row.add("index_bytes", plan.estimate.index_bytes);
  const MemoryUsage& searched = plan.estimate.searched;
  row.add("search_bytes", searched.total()).add("search_vectors_bytes", searched.vectors);
  row.add("search_graph_bytes", searched.graph).add("search_ids_bytes", searched.ids);
  row.add("search_norms_bytes", searched.norms).add("search_codes_bytes", searched.codes);
  if (plan.estimate.comparisons > 0) row.add("comparisons", static_cast<std::uint64_t>(plan.estimate.comparisons));
  row.add(parts.graph_alone ? "graph_s" : "build_s", time.seconds * static_cast<double>(parts.count))
      .add("fell_back", time.fell_back)
      .add("sampled_dtype", to_string(time.type));
  std::vector<JsonRow> samples;
  for (const TimedBuild& sample : time.samples) {
    samples.push_back(JsonRow().add("points", sample.rows).add("build_s", sample.seconds));
  }
  return row.add("samples", std::span<const JsonRow>(samples));
}

void estimate(const EstimateOptions& options, Session& session) {
  const Execution execution = session.execution(options.builder.threads);
  if (options.memory) check_build_memory(options.builder);
  IndexBuilder builder = make_builder(options.builder, execution);
  const Rows rows = options.path ? rows_of_file(options) : generated_rows(options, execution);
  builder.check_shape(rows.count, rows.dimension);
  if (options.memory && rows.copy > 0)
    throw UsageError("--build-memory streams the input, and this one is read whole",
                     "give it a suffix of its format, or leave --build-memory out");
  const BuildPlan plan = plan_build(options.builder, builder, rows.count, rows.dimension, rows.type, rows.copy);
  check_memory_limit(options.builder, plan);
  std::optional<DriveBuildEstimate> within;
  Parts parts{rows.count, 1, threads_of(options.builder), false};
  std::optional<IndexBuilder> graph;
  const std::uint64_t granted =
      options.memory ? parse_bytes(*options.memory, "--build-memory") : std::numeric_limits<std::uint64_t>::max();
  if (options.builder.for_drive) {
    const DriveBuildEstimate how = builder.estimate_on_drive(rows.count, rows.dimension, rows.type, granted);
    parts = {how.part_rows, how.parts, how.threads, true};
    graph = make_builder(options.builder, session.execution(how.threads));
    graph->for_drive(false).quantize(Codec::None).builder(how.builder).alpha(how.alpha);
    if (options.memory) within = how;
  }
  BuildTime time;
  try {
    time = measure_build_time(graph ? *graph : builder, parts.rows, rows.dimension, rows.type, rows.sample);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidArgument || rows.name.empty()) throw;
    throw Error(error.code(), fmt::format("{}, in a sample of its rows: {}", rows.name, error.what()), error.hint());
  }
  session.end_progress();
  if (session.json()) return session.row(json_row(options, rows, plan, within, parts, time));
  const BuildPlan narrow{builder.estimate(rows.count, rows.dimension, time.type), rows.copy};
  std::optional<DriveBuildEstimate> narrow_within;
  if (within) narrow_within = builder.estimate_on_drive(rows.count, rows.dimension, time.type, granted);
  print(rows, plan, narrow, within, narrow_within, parts, time, session);
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<EstimateOptions>();
  arguments.option("-i,--input", options->path, "FILE", "Vector file: builds of some of its rows tell the time");
  arguments.option("-n,--count", options->rows, "N",
                   "So many vectors: like those of the file (default: as many), or without one like made-up ones");
  arguments.option("-d,--dimensions", options->dimension, "N", "Their components, where there is no file");
  arguments.option("--build-memory", options->memory, "SIZE",
                   "With --disk: what the build may take, in parts where that does not do: 800M, 64G");
  declare_builder_flags(arguments, options->builder,
                        "Type to store: f32, f16, i8 or u8 (default: that of the file, without one f32). Also the type "
                        "of a .bin file whose size does not tell it");
  declare_input_flags(arguments, options->input);
  return [options](Session& session) { estimate(*options, session); };
}

}  // namespace

const Command kEstimateCommand{
    "estimate", "Say what a build will take: time, memory and size of the index",
    "  diskann estimate -i vectors.fbin -m l2 -R 32\n"
    "  diskann estimate -i vectors.npy -m cosine --builder incremental -L 75 -j 4 --json\n"
    "  diskann estimate -i first-100000.u8bin --count 10000000\n"
    "  diskann estimate --count 10000000 --dimensions 96 --dtype u8 --memory-limit 8G\n"
    "  diskann estimate --count 1000000000 --dimensions 128 --dtype u8 --disk --build-memory 64G\n",
    declare};

}  // namespace diskann::cli
