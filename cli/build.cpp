#include <fmt/format.h>

#include <memory>

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

struct BuildOptions {
  VectorInput input;
  std::filesystem::path output;
  std::string metric = "l2";
  std::uint32_t max_degree = BuildParameters{}.max_degree;
  std::optional<std::uint32_t> search_list_size;
  std::optional<float> alpha;
  std::uint64_t seed = BuildParameters{}.seed;
  std::string builder = "auto";
  std::uint32_t threads = 0;
  std::optional<std::string> store_as;
  std::optional<std::filesystem::path> ids;
  std::optional<std::string> memory_limit;
  bool force = false;
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

/// A format that the suffix does not tell has to be read whole before it is built from.
bool needs_own_reading(const VectorInput& input, const ReadOptions& options) {
  if (!options.format) return false;
  try {
    return vector_format_of(input.path) != *options.format;
  } catch (const Error&) {
    return true;
  }
}

void check_limit(std::uint64_t needed, std::uint64_t limit) {
  if (needed <= limit) return;
  throw Error(ErrorCode::OutOfMemory,
              fmt::format("the build may need {} bytes ({}), --memory-limit allows {}", needed, bytes_text(needed),
                          bytes_text(limit)),
              fmt::format("use --memory-limit {}M or more, or a smaller --max-degree", (needed >> 20) + 1));
}

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
                    .add("threads", options.threads == 0 ? system.threads : options.threads)
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
  session.note(fmt::format("built    {} in {} ({} with reading and writing)", counted(index.size(), "point", "points"),
                           duration_text(build_s), duration_text(session.elapsed())));
  session.note(fmt::format("wrote    {} · {}", options.output.string(), bytes_text(index_bytes)));
}

void build(const BuildOptions& options, Session& session) {
  const Distance metric = parse_distance(options.metric);
  const std::optional<VectorType> store_as = parse_type(options.store_as);
  std::optional<std::uint64_t> limit;
  if (options.memory_limit) limit = parse_bytes(*options.memory_limit, "--memory-limit");
  std::vector<NamedFile> inputs{{"--input", options.input.path}};
  if (options.ids) inputs.push_back({"--ids", *options.ids});
  check_distinct(inputs, {{"--output", options.output}});
  check_index_output(options.output, options.force);

  StageClock clock;
  Execution execution = session.execution(options.threads);
  execution.progress = [&clock, show = execution.progress](const Progress& progress) {
    clock.see(progress);
    if (show) show(progress);
  };
  IndexBuilder builder;
  builder.metric(metric)
      .max_degree(options.max_degree)
      .seed(options.seed)
      .builder(parse_graph_builder(options.builder))
      .execution(execution);
  if (options.search_list_size) builder.search_list_size(*options.search_list_size);
  if (options.alpha) builder.alpha(*options.alpha);
  if (store_as) builder.store_as(*store_as);
  builder.check_parameters();

  const ReadOptions reading = read_options(options.input, store_as);
  const VectorFileInfo info = inspect_vectors(options.input.path, reading);
  if (options.ids) builder.ids(read_ids(*options.ids));
  const bool own_reading = needs_own_reading(options.input, reading);
  const std::uint64_t copy = own_reading ? info.rows * info.dimension * size_of(info.type) : 0;
  if (limit) builder.memory_limit(*limit - std::min(*limit, copy));
  const BuildEstimate estimate = builder.estimate(info.rows, info.dimension, store_as.value_or(info.type));
  session.note(fmt::format("input    {} · {} × {} {}", options.input.path.string(), count_text(info.rows),
                           info.dimension, to_string(info.type)));
  const std::string uncoded = estimate.uncoded > estimate.total() ? fmt::format(" ({} if 8-bit codes are too coarse)",
                                                                                bytes_text(estimate.uncoded + copy))
                                                                  : "";
  session.note(fmt::format("memory   {} at most{}: vectors {} · graph {} · scratch {}",
                           bytes_text(estimate.total() + copy), uncoded, bytes_text(estimate.vectors + copy),
                           bytes_text(estimate.graph), bytes_text(estimate.scratch)));
  session.note(fmt::format("builder  {}", to_string(estimate.builder)));
  if (options.search_list_size && estimate.builder == GraphBuilder::Partitioned) {
    session.note("note     -L is for the incremental builder, to which the partitioned one falls back at need");
  }
  if (limit) check_limit(estimate.total() + copy, *limit);

  std::optional<Index> index;
  if (own_reading) {
    const VectorSet vectors = read_vectors(options.input.path, reading, execution);
    clock.reading_end = Clock::now();
    index.emplace(builder.build_from_vectors(vectors));
  } else {
    index.emplace(builder.build_from_file(options.input.path, reading.type));
  }
  const double build_s = seconds_since(clock.reading_end);
  index->save(options.output, options.force, execution);
  session.end_progress();
  for (const auto& [stage, seconds] : clock.stages) {
    session.detail(fmt::format("  {:<20} {}", stage, duration_text(seconds)));
  }
  if (index->builder() != to_string(estimate.builder)) {
    session.note(fmt::format("note     built by the {} builder: walks did not find their way in the graph of the other",
                             index->builder()));
  }
  report(options, *index, build_s, session);
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<BuildOptions>();
  arguments.option("-i,--input,--index", options->input.path, "FILE", "Vector file to index", Need::Required);
  arguments.option("-o,--output", options->output, "FILE", "Index file to write", Need::Required);
  arguments.option("-m,--metric", options->metric, "METRIC", "l2, cosine or ip (default l2)");
  arguments.option("-R,--max-degree", options->max_degree, "N", "Neighbours kept for each point (default 64)");
  arguments.option("-L,--search-list-size", options->search_list_size, "N",
                   "Candidate list of the incremental builder: larger is better and slower (default 100)");
  arguments.option("--alpha", options->alpha, "X",
                   "Pruning slack: larger keeps more long edges (default 1.2; 2 for ip)");
  arguments.option("--seed", options->seed, "N", "Order of insertion (default 42)");
  arguments.option(
      "--builder", options->builder, "NAME",
      "partitioned (several times faster), incremental (less memory), or auto: partitioned from 4,096 rows on, "
      "where --memory-limit allows it (default auto)");
  arguments.option("-j,--threads", options->threads, "N", "Threads; 0 is all (default)");
  arguments.option("--dtype", options->store_as, "TYPE",
                   "Type to store: f32, f16, i8 or u8. Without it f32 data of small integers is stored in 8 bits, "
                   "losslessly. Also the type of a .bin file whose size does not tell it");
  arguments.option("--input-format", options->input.format, "FORMAT", "Format of the input, whatever its suffix");
  arguments.option("--input-dtype", options->input.type, "TYPE",
                   "Type of a .bin input: f32, f16, i8 or u8, where --dtype differs");
  arguments.option("--ids", options->ids, "FILE",
                   "One id for each row (.txt, .npy or tags .bin); default: row numbers");
  arguments.option("--memory-limit", options->memory_limit, "SIZE",
                   "Choose a builder that needs no more, or refuse before reading: 800M, 2G, 1.5GiB");
  arguments.flag("--force", options->force, "Replace an index that exists");
  return [options](Session& session) { build(*options, session); };
}

}  // namespace

const Command kBuildCommand{"build", "Build an index from a file of vectors",
                            "  diskann build -i vectors.fvecs -o index.bin -m l2 --max-degree 64\n"
                            "  diskann build -i vectors.npy -o index.bin -m cosine --dtype f16 --memory-limit 2G\n"
                            "  diskann build -i vectors.u8bin -o index.bin --ids ids.txt -R 32 -L 75 --force\n",
                            declare};

}  // namespace diskann::cli
