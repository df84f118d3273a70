#include <fmt/format.h>

#include <memory>

#include "builder_flags.hpp"
#include "calibration_text.hpp"
#include "command.hpp"
#include "diskann/inspect.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "outputs.hpp"

namespace diskann::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kMostTuningQueries = 4096;  // more would only take memory

struct BuildOptions {
  VectorInput input;
  std::filesystem::path output;
  BuilderFlags builder;
  std::uint64_t seed = BuildParameters{}.seed;
  std::optional<std::filesystem::path> ids, tuning;
  std::optional<std::string> memory;  ///< --build-memory
  bool resume = false, force = false;
};

/// When each stage was last heard of; reading apart from building is what build_s needs.
struct StageClock {
  Clock::time_point start = Clock::now();
  std::string stage;
  Clock::time_point stage_end = start;
  Clock::time_point reading_end = start;
  std::vector<std::pair<std::string, double>> stages;

  void see(const Progress& progress) {
    const auto now = Clock::now();
    if (stage != progress.stage) {
      stage = progress.stage;
      stages.emplace_back(stage, 0.0);
    }
    stages.back().second += std::chrono::duration<double>(now - stage_end).count();
    stage_end = now;
    if (stage == "read vectors") reading_end = now;
  }
};

void report(const BuildOptions& options, const Index& index, double build_s, Session& session) {
  const std::uint64_t index_bytes = std::filesystem::file_size(options.output);
  const SystemInfo system = system_info();
  if (session.json()) {
    const BuildParameters& built = index.build_parameters();
    session.row(JsonRow()
                    .add("command", "build")
                    .add("index", options.output.string())
                    .add("metric", to_string(index.metric()))
                    .add("dtype", to_string(index.type()))
                    .add("points", index.size())
                    .add("dimension", index.dimension())
                    .add("max_degree", built.max_degree)
                    .add("search_list_size", built.search_list_size)
                    .add("alpha", built.alpha)
                    .add("builder", index.builder())
                    .add("codec", to_string(index.codec()))
                    .add("has_vectors", index.has_vectors())
                    .add("threads", threads_of(options.builder))
                    .add("build_s", build_s)
                    .add("build_wall_s", session.elapsed())
                    .add("peak_rss_bytes", peak_resident_bytes())
                    .add("index_bytes", index_bytes)
                    .add("isa", system.isa));
    return;
  }
  const VectorType source = index.source_type(), stored = index.type();
  if (stored != source) {
    const bool narrow = size_of(stored) == 1;  // refused where a value would change
    const char* how = narrow                   ? "losslessly: every component is an integer of 8 bits"
                      : rounds(source, stored) ? "each component rounded to the nearest"
                                               : "losslessly";
    session.note(fmt::format("stored   {} as {}, {}", to_string(source), to_string(stored), how));
  }
  if (index.codec() != Codec::None) {
    session.note(fmt::format("codes    {}, {}{}", to_string(index.codec()), bytes_text(index.memory_usage().codes),
                             alone_text(index.has_vectors())));
  } else if (codec_of(options.builder) != Codec::None) {
    session.note(fmt::format("codes    none: those of {} vectors would be no smaller{}, or tell too few apart",
                             to_string(stored),
                             codec_of(options.builder) != Codec::Auto ? ""
                             : options.builder.memory_limit           ? ", no faster or beyond --memory-limit"
                                                                      : ", no faster"));
  }
  if (index.calibration().queries > 0) session.note(calibration_text(index.calibration()));
  session.note(fmt::format("built    {} in {} ({} with reading and writing)", counted(index.size(), "point", "points"),
                           duration_text(build_s), duration_text(session.elapsed())));
  session.note(fmt::format("wrote    {} · {}", options.output.string(), bytes_text(index_bytes)));
}

/// --build-memory: nothing but the finished index is ever whole in memory.
void build_in_parts(const BuildOptions& options, const IndexBuilder& builder, const ReadOptions& reading,
                    const StageClock& clock, Session& session) {
  const DriveBuild how{parse_bytes(*options.memory, "--build-memory"), options.resume, options.force, reading.type};
  naming(options.input.path.string(), [&] { builder.build_on_drive(options.output, options.input.path, how); });
  session.end_progress();
  for (const auto& [stage, seconds] : clock.stages)
    session.detail(fmt::format("  {:<20} {}", stage, duration_text(seconds)));
  const IndexFileInfo index = diskann::inspect_index(options.output);
  if (session.json()) {
    session.row(JsonRow()
                    .add("command", "build")
                    .add("index", options.output.string())
                    .add("metric", to_string(index.metric))
                    .add("dtype", to_string(index.type))
                    .add("points", index.points)
                    .add("dimension", index.dimension)
                    .add("max_degree", index.parameters.max_degree)
                    .add("search_list_size", index.parameters.search_list_size)
                    .add("alpha", index.parameters.alpha)
                    .add("codec", to_string(index.codec))
                    .add("has_vectors", true)
                    .add("threads", threads_of(options.builder))
                    .add("build_wall_s", session.elapsed())
                    .add("peak_rss_bytes", peak_resident_bytes())
                    .add("index_bytes", index.file_bytes)
                    .add("isa", system_info().isa));
    return;
  }
  if (index.calibration.queries > 0) session.note(calibration_text(index.calibration));
  session.note(fmt::format("built    {} in {} with reading and writing, {} of memory at the peak",
                           counted(index.points, "point", "points"), duration_text(session.elapsed()),
                           bytes_text(peak_resident_bytes())));
  session.note(fmt::format("wrote    {} · {}", options.output.string(), bytes_text(index.file_bytes)));
}

void check_memory_flags(const BuildOptions& options) {
  if (options.resume && !options.memory)
    throw UsageError("--resume says nothing without --build-memory", "add it, or leave --resume out");
  if (!options.memory) return;
  check_build_memory(options.builder);
  if (options.tuning) throw UsageError("--tune is not for builds within --build-memory", "leave it out");
}

void build(const BuildOptions& options, Session& session) {
  check_memory_flags(options);
  std::vector<NamedFile> inputs{{"--input", options.input.path}};
  if (options.ids) inputs.push_back({"--ids", *options.ids});
  if (options.tuning) inputs.push_back({"--tune", *options.tuning});
  check_distinct(inputs, {{"--output", options.output}});
  check_index_output(options.output, options.force);

  StageClock clock;
  Execution execution = session.execution(options.builder.threads);
  execution.progress = [&clock, show = execution.progress](const Progress& progress) {
    clock.see(progress);
    if (show) show(progress);
  };
  IndexBuilder builder = make_builder(options.builder, execution);
  builder.seed(options.seed);
  const std::optional<VectorType> store_as = parse_type(options.builder.store_as);
  const ReadOptions reading = read_options(options.input, store_as);
  const VectorFileInfo info = inspect_vectors(options.input.path, reading);
  naming(options.input.path.string(), [&] { builder.check_shape(info.rows, info.dimension); });
  if (options.ids) {
    naming(options.ids->string(), [&] {
      builder.ids(read_ids(*options.ids));
      builder.check_shape(info.rows, info.dimension);
    });
  }
  VectorSet tuning;
  if (options.tuning) {
    const VectorInput queries{*options.tuning, {}, {}};
    ReadOptions reading_queries = read_options(queries, info.type);
    reading_queries.limit = kMostTuningQueries;
    tuning = read_queries(queries, reading_queries, info.dimension, options.input.path.string(), execution);
    builder.tuning_queries(tuning);
  }
  session.note(fmt::format("input    {} · {} × {} {}", options.input.path.string(), count_text(info.rows),
                           info.dimension, to_string(info.type)));
  const bool own_reading = needs_own_reading(options.input, reading);
  if (options.memory) {
    if (own_reading)
      throw UsageError("a file whose suffix does not tell its format has to be read whole",
                       "give it a suffix of its format, or leave --build-memory out");
    fit_search_memory(options.builder, builder, info.rows, info.dimension, info.type);
    return build_in_parts(options, builder, reading, clock, session);
  }
  const std::uint64_t copy = own_reading ? info.rows * info.dimension * size_of(info.type) : 0;
  const BuildPlan plan = plan_build(options.builder, builder, info.rows, info.dimension, info.type, copy);
  session.note("memory   " + memory_text(plan));
  session.note(fmt::format("builder  {}", to_string(plan.estimate.builder)));
  if (options.builder.search_list_size && plan.estimate.builder == GraphBuilder::Partitioned) {
    session.note("note     -L is for the incremental builder, to which the partitioned one falls back at need");
  }
  check_memory_limit(options.builder, plan);

  std::optional<Index> index;
  if (own_reading) {
    const VectorSet vectors = read_vectors(options.input.path, reading, execution);
    clock.reading_end = Clock::now();
    naming(options.input.path.string(), [&] { index.emplace(builder.build_from_vectors(vectors)); });
  } else {
    index.emplace(builder.build_from_file(options.input.path, reading.type));
  }
  const double build_s = seconds_since(clock.reading_end);
  if (options.builder.for_drive) {
    index->save_for_disk(options.output, options.force, execution);
  } else {
    index->save(options.output, options.force, execution);
  }
  session.end_progress();
  for (const auto& [stage, seconds] : clock.stages) {
    session.detail(fmt::format("  {:<20} {}", stage, duration_text(seconds)));
  }
  if (index->builder() != to_string(plan.estimate.builder)) {
    session.note(fmt::format("note     built by the {} builder: walks did not find their way in the graph of the other",
                             index->builder()));
  }
  report(options, *index, build_s, session);
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<BuildOptions>();
  arguments.option("-i,--input,--index", options->input.path, "FILE", "Vector file to index", Need::Required);
  arguments.option("-o,--output", options->output, "FILE", "Index file to write", Need::Required);
  declare_builder_flags(arguments, options->builder,
                        "Type to store: f32, f16, i8 or u8. Without it f32 data of small integers is stored in 8 bits, "
                        "losslessly. Also the type of a .bin file whose size does not tell it");
  declare_input_flags(arguments, options->input);
  arguments.option("--seed", options->seed, "N", "Order of insertion (default 42)");
  arguments.option("--ids", options->ids, "FILE",
                   "One id for each row (.txt, .npy or tags .bin); default: row numbers");
  arguments.option(
      "--tune", options->tuning, "FILE",
      "Queries like those to come, to measure recall on and choose codes by: the first 4,096 at most; default: "
      "stored rows");
  arguments.option("--build-memory", options->memory, "SIZE",
                   "With --disk: build in parts where the vectors do not fit in so much memory: 800M, 2G, 1.5GiB");
  arguments.flag("--resume", options->resume,
                 "With --build-memory: go on where a build that was killed stopped, and keep what is done on errors");
  arguments.flag("--force", options->force, "Replace an index that exists");
  return [options](Session& session) { build(*options, session); };
}

}  // namespace

const Command kBuildCommand{"build", "Build an index from a file of vectors",
                            "  diskann build -i vectors.fvecs -o index.bin -m l2 --max-degree 64\n"
                            "  diskann build -i vectors.npy -o index.bin -m cosine --dtype f16 --memory-limit 2G\n"
                            "  diskann build -i vectors.fbin -o index.bin -m cosine --quantize sq8\n"
                            "  diskann build -i vectors.u8bin -o index.bin --ids ids.txt -R 32 -L 75 --force\n",
                            declare};

}  // namespace diskann::cli
