#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <set>

#include "command.hpp"
#include "diskann/inspect.hpp"
#include "diskann/output.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "measure.hpp"
#include "outputs.hpp"
#include "plot.hpp"
#include "result_text.hpp"
#include "searched.hpp"
#include "table.hpp"

namespace diskann::cli {
namespace {

struct BenchmarkOptions {
  IndexInput index;
  DriveFlags drive;
  VectorInput queries;
  std::optional<std::filesystem::path> truth, plot, ids_directory;
  std::optional<std::string> search_lists;
  std::optional<float> target_recall;
  std::optional<std::uint64_t> max_queries;
  std::uint64_t k = 10;
  std::uint32_t threads = 0, warmup = 1;
  std::optional<std::uint32_t> rounds;  ///< default kDefaultRounds
  bool latency = false, throughput = false, recall = false, all = false, force = false;
};

constexpr std::uint32_t kDefaultRounds = 3;
constexpr std::string_view kDefaultLists = "10,20,40,80,160";

void check_flags(const BenchmarkOptions& options) {
  if (options.force && !options.plot && !options.ids_directory) {
    throw UsageError("--force: no file is written without --plot or --ids-dir", "leave it out");
  }
  if (options.target_recall && !options.truth) throw UsageError("--target-recall needs the truth", "add -g FILE");
  if (options.recall && !options.truth) throw UsageError("--recall needs the truth", "add -g FILE");
  if (options.plot && !options.truth) throw UsageError("--plot draws recall: it needs the truth", "add -g FILE");
  if (options.plot && !options.throughput && !options.all && (options.latency || options.recall)) {
    throw UsageError("--plot draws queries a second, which are not measured", "add --throughput");
  }
  if (options.plot && options.plot->extension() != ".svg") {
    throw UsageError(fmt::format("--plot draws SVG, which '{}' does not say", options.plot->string()),
                     "give it a name that ends in .svg");
  }
  if (options.all && (options.latency || options.throughput || options.recall)) {
    throw UsageError("--all contradicts --latency, --throughput and --recall, which measure one thing alone",
                     "leave one out");
  }
  if (options.rounds && options.recall && !options.latency && !options.throughput) {
    throw UsageError("--rounds: --recall alone times nothing", "leave --rounds out, or add --throughput");
  }
  if (options.ids_directory && (options.latency || options.all || options.rounds)) {
    throw UsageError("--ids-dir times one batch for each search list: --latency, --all and --rounds contradict it",
                     "leave one out");
  }
  if (options.rounds == 0u) throw Error(ErrorCode::InvalidArgument, "--rounds cannot be 0: at least one pass is timed");
  check_max_queries(options.max_queries);
  if (options.k == 0) throw Error(ErrorCode::InvalidArgument, "-k cannot be 0: there is nothing to measure");
  const auto target = options.target_recall;
  if (target && !(*target > 0 && *target <= 1)) {
    throw Error(ErrorCode::InvalidArgument, fmt::format("--target-recall {} is not in (0, 1]", *target));
  }
}

SearchResults read_truth(const BenchmarkOptions& options, std::size_t queries) {
  SearchResults truth = read_any_results(*options.truth);
  // Fewer queries may be measured than the truth knows; with more of them it belongs to another query set.
  if (truth.rows < queries || (truth.rows > queries && !options.max_queries)) {
    throw Error(ErrorCode::InvalidArgument, fmt::format("{} is the truth of {}, there are {}", options.truth->string(),
                                                        counted(truth.rows, "query", "queries"), queries));
  }
  if (truth.k < options.k) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} has {} a query, -k {} needs as many", options.truth->string(),
                            counted(truth.k, "neighbour", "neighbours"), options.k),
                "make a longer truth: diskann groundtruth -k …");
  }
  truth.rows = queries;
  truth.ids.resize(queries * truth.k);
  if (!truth.distances.empty()) truth.distances.resize(queries * truth.k);
  return truth;
}

std::string id_file_name(std::uint32_t list) { return fmt::format("L{}.bin", list); }

void check_outputs(const BenchmarkOptions& options, const std::vector<std::uint32_t>& lists) {
  std::vector<NamedFile> inputs = files_of_index("--index", options.index.path);
  inputs.push_back({"--queries", options.queries.path});
  if (options.truth) inputs.push_back({"--groundtruth", *options.truth});
  std::vector<NamedFile> outputs;
  if (options.plot) outputs.push_back({"--plot", *options.plot});
  if (options.ids_directory) {
    check_output_directory(*options.ids_directory);
    for (const std::uint32_t list : std::set<std::uint32_t>(lists.begin(), lists.end())) {
      outputs.push_back({"--ids-dir", *options.ids_directory / id_file_name(list)});
    }
  }
  check_distinct(inputs, outputs);
  for (const NamedFile& output : outputs) check_output_file(output.path, options.force);
}

/// u32 rows, u32 k, then the ids, 0xFFFFFFFF where there is none: a truth file without distances.
void write_id_file(const std::filesystem::path& path, const SearchResults& found) {
  for (std::size_t cell = 0; cell < found.ids.size(); ++cell) {
    if (found.ids[cell] == kNoId && found.has_hit(cell / found.k, cell % found.k))
      throw Error(ErrorCode::InvalidArgument, fmt::format("{}: id {} does not fit 32 bits", path.string(), kNoId));
  }
  write_results(path, {found.rows, found.k, found.ids, {}});
}

JsonRow row_of(const BenchmarkOptions& options, const Workload& workload, const Measurement& measured,
               const SystemInfo& system) {
  const Searched& index = *workload.index;
  JsonRow row;
  row.add("command", "benchmark").add("index", options.index.path.string()).add("metric", to_string(index.metric()));
  row.add("dtype", to_string(index.type())).add("points", index.size()).add("dimension", index.dimension());
  row.add("threads", options.threads == 0 ? system.threads : options.threads);
  row.add("codec", to_string(index.codec())).add("has_vectors", index.has_vectors());
  row.add("k", options.k).add("search_list_size", measured.search_list_size);
  if (measured.recall) row.add("recall", *measured.recall);
  if (measured.qps) {
    row.add("qps", measured.qps->median).add("qps_mean", measured.qps->mean);
    row.add("qps_stddev", measured.qps->deviation).add("qps_best", measured.qps->best);
  }
  if (measured.latency) {
    row.add("latency_mean_us", measured.latency->mean).add("latency_p50_us", measured.latency->p50);
    row.add("latency_p95_us", measured.latency->p95).add("latency_p99_us", measured.latency->p99);
    row.add("latency_p999_us", measured.latency->p999);
  }
  row.add("hops", measured.hops).add("distance_computations", measured.distance_computations);
  if (const DiskIndex* const drive = index.on_drive()) {
    row.add("reads", measured.reads).add("bytes_read", measured.bytes_read).add("waits", measured.waits);
    row.add("io", drive->io());
  }
  row.add("queries", measured.results.rows).add("rounds", measured.qps || measured.latency ? workload.rounds : 1u);
  row.add("peak_rss_bytes", peak_resident_bytes()).add("isa", system.isa).add("machine", system.processor);
  return row;
}

std::vector<std::string> cells_of(const Measurement& measured, bool on_drive) {
  std::vector<std::string> cells{std::to_string(measured.search_list_size)};
  if (measured.recall) cells.push_back(fmt::format("{:.4f}", *measured.recall));
  if (measured.qps) {
    cells.push_back(fmt::format("{:.0f}", measured.qps->median));
    cells.push_back(fmt::format("{:.0f}", measured.qps->deviation));
    cells.push_back(fmt::format("{:.0f}", measured.qps->best));
  }
  if (measured.latency) {
    const Latency& latency = *measured.latency;
    for (const double value : {latency.mean, latency.p50, latency.p95, latency.p99, latency.p999}) {
      cells.push_back(fmt::format("{:.1f}", value));
    }
  }
  cells.push_back(fmt::format("{:.1f}", measured.hops));
  cells.push_back(fmt::format("{:.0f}", measured.distance_computations));
  if (on_drive) {
    cells.push_back(fmt::format("{:.1f}", measured.reads));
    cells.push_back(fmt::format("{:.1f}", measured.bytes_read / 1024));
  }
  return cells;
}

Table table_for(const Workload& workload) {
  std::vector<std::string> header{"L"};
  if (workload.truth != nullptr) header.push_back(fmt::format("recall@{}", workload.k));
  if (workload.throughput) header.insert(header.end(), {"qps", "±", "best"});
  if (workload.latency) header.insert(header.end(), {"mean µs", "p50", "p95", "p99", "p99.9"});
  header.insert(header.end(), {"hops", "distances"});
  if (workload.index->on_drive() != nullptr) header.insert(header.end(), {"reads", "KiB"});
  return Table(header);
}

/// What -L asks for, or else the default; nothing where only the target is to be found.
std::vector<std::uint32_t> lists_asked_for(const BenchmarkOptions& options) {
  if (options.search_lists) return parse_list(*options.search_lists, "-L");
  return options.target_recall ? std::vector<std::uint32_t>() : parse_list(kDefaultLists, "-L");
}

std::vector<std::uint32_t> lists_to_measure(const BenchmarkOptions& options, std::vector<std::uint32_t> lists,
                                            const Workload& workload, Session& session) {
  if (options.target_recall) {
    // The float carries 0.95 as 0.949999988; the wish is the short decimal.
    const double target = std::stod(fmt::format("{}", *options.target_recall));
    const std::uint32_t found = smallest_search_list(workload, target);
    session.note(fmt::format("recall@{} of {} needs a search list of {}", workload.k, target, found));
    if (std::find(lists.begin(), lists.end(), found) == lists.end()) lists.push_back(found);
  }
  return lists;
}

void describe(const BenchmarkOptions& options, const Workload& workload, const SystemInfo& system, Session& session) {
  const Searched& index = *workload.index;
  session.note(fmt::format("index    {} · {} × {} {} · {}", options.index.path.string(), count_text(index.size()),
                           index.dimension(), to_string(index.type()), to_string(index.metric())));
  if (const DiskIndex* const drive = index.on_drive()) {
    session.note(fmt::format("drive    {} · {} {} in memory · vectors {} edges", drive->io(),
                             bytes_text(drive->memory_usage().total()), to_string(drive->codec()),
                             drive->split() ? "apart from" : "beside"));
  }
  session.note(fmt::format("machine  {} · {}", system.processor, system.isa));
  const unsigned threads = workload.threads == 0 ? system.threads : workload.threads;
  const std::string rounds = counted(workload.rounds, "round", "rounds");
  session.note(fmt::format(
      "runs     {} · k {}{}{}", counted(workload.queries.rows(), "query", "queries"), workload.k,
      workload.throughput
          ? fmt::format(" · qps: median of {} in one batch on {}", rounds, counted(threads, "thread", "threads"))
          : "",
      workload.latency ? fmt::format(" · latency: {} of one at a time on one thread", rounds) : ""));
  if (workload.truth == nullptr) session.note("recall is unknown without the truth: add -g FILE");
}

void benchmark(const BenchmarkOptions& options, Session& session) {
  check_flags(options);
  const std::vector<std::uint32_t> lists = lists_asked_for(options);
  check_outputs(options, lists);
  const Searched index(options.index, options.drive, session.execution());
  ReadOptions reading = read_options(options.queries, index.source_type());
  reading.limit = options.max_queries.value_or(kNoId);
  const VectorSet queries =
      read_queries(options.queries, reading, index.dimension(), options.index.path.string(), session.execution());
  std::optional<SearchResults> truth;
  if (options.truth) truth = read_truth(options, queries.rows());

  const bool everything = options.all || !(options.latency || options.throughput || options.recall);
  Workload workload{&index,
                    queries,
                    truth ? &*truth : nullptr,
                    options.k,
                    options.threads,
                    options.rounds.value_or(kDefaultRounds),
                    options.warmup,
                    everything || options.throughput,
                    everything || options.latency};
  if (options.ids_directory) {  // one timed pass, as short as can be: programs compare it with other programs
    workload.rounds = 1;
    workload.latency = false;
  }
  const SystemInfo system = system_info();
  describe(options, workload, system, session);

  Table table = table_for(workload);
  std::vector<PlotPoint> points;
  const std::vector<std::uint32_t> measured_lists = lists_to_measure(options, lists, workload, session);
  check_outputs(options, measured_lists);  // the one that was found among them
  if (options.ids_directory && inspect_index(options.index).custom_ids) {
    // Ids of 64 bits do not fit: said here, before minutes of measuring.
    const std::uint32_t list = measured_lists.front();
    const Execution execution = session.execution(options.threads);
    DiskStatistics unused;
    write_id_file(*options.ids_directory / id_file_name(list),
                  index.search_batch(queries, options.k, {list}, execution, unused));
    session.end_progress();
  }
  for (const std::uint32_t list : measured_lists) {
    const Measurement measured = measure(workload, list);
    // Harnesses keep every key of a line beside their own, so without --json they get what they need and no more.
    JsonRow row;
    if (session.json()) row = row_of(options, workload, measured, system);
    if (options.ids_directory) {
      const std::string name = id_file_name(list);
      write_id_file(*options.ids_directory / name, measured.results);
      row.add("param", list).add("seconds", measured.seconds).add("ids", name);
      if (!session.json()) row.add("hops", measured.hops).add("distance_computations", measured.distance_computations);
    }
    if (session.json() || options.ids_directory) {
      session.row(row);
    } else {
      table.add(cells_of(measured, index.on_drive() != nullptr));
    }
    session.detail(fmt::format("  L {} done after {}", measured.search_list_size, duration_text(session.elapsed())));
    if (options.plot)
      points.push_back({*measured.recall, measured.qps->median, fmt::format("L={}", measured.search_list_size)});
  }
  if (!session.json() && !options.ids_directory) session.print(table.text());
  session.note(fmt::format("peak memory {}", bytes_text(peak_resident_bytes())));
  if (options.plot) {
    const unsigned threads = options.threads == 0 ? system.threads : options.threads;
    const std::string title =
        fmt::format("{} · {} × {} {} · {}", options.index.path.filename().string(), count_text(index.size()),
                    index.dimension(), to_string(index.type()), counted(threads, "thread", "threads"));
    write_text(*options.plot, plot_recall_qps(points, title, fmt::format("recall@{}", options.k)));
    session.note(fmt::format("wrote {}", options.plot->string()));
  }
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<BenchmarkOptions>();
  arguments.option("-i,--index,--input", options->index.path, "FILE", "Index to measure", Need::Required);
  arguments.option("-q,--queries", options->queries.path, "FILE", "Vector file of queries", Need::Required);
  arguments.option("-g,--groundtruth,--ground-truth", options->truth, "FILE",
                   "True neighbours, for recall: .bin, .ivecs, .txt or .json");
  arguments.option("-k", options->k, "N", "Hits for each query (default 10)");
  arguments.option("-L,--search-list-size,--search-list-sizes", options->search_lists, "LIST",
                   "Candidate lists to measure (default 10,20,40,80,160)");
  arguments.threads(options->threads, "Threads of the batches; 0 is all (default)");
  arguments.option("--rounds", options->rounds, "N", "Timed passes for each list (default 3)");
  arguments.option("--warmup", options->warmup, "N", "Passes before that are not timed (default 1)");
  arguments.option("--target-recall", options->target_recall, "X", "Find the smallest list that reaches this recall");
  arguments.option("--plot", options->plot, "FILE", "Draw queries a second over recall as SVG");
  arguments.option(
      "--ids-dir", options->ids_directory, "DIR",
      "One timed pass for each list, its ids in a file of DIR, and a short line of JSON (for bench/peers)");
  arguments.flag("--latency", options->latency, "Measure single queries only");
  arguments.flag("--throughput", options->throughput, "Measure batches only");
  arguments.flag("--recall", options->recall, "Measure recall only");
  arguments.flag("--all", options->all, "Measure all of these (default)");
  arguments.option("--max-queries", options->max_queries, "N", "Only the first N queries");
  arguments.option("--query-format", options->queries.format, "FORMAT", "Format of the queries, whatever their suffix");
  arguments.option("--query-dtype", options->queries.type, "TYPE",
                   "Type of .bin queries: f32, f16, i8 or u8 (default: that of the index)");
  arguments.flag("--force", options->force, kForceHelp);
  declare_drive_flags(arguments, options->drive);
  declare_index_flags(arguments, options->index, true);
  return [options](Session& session) { benchmark(*options, session); };
}

}  // namespace

const Command kBenchmarkCommand{
    "benchmark", "Measure recall, queries a second and latency of an index",
    "  diskann benchmark -i index.bin -q queries.fvecs --rounds 10\n"
    "  diskann benchmark -i index.bin -q queries.fvecs -g truth.bin -L 10,20,40,80 --plot curve.svg\n"
    "  diskann benchmark -i index.bin -q queries.fvecs -g truth.bin --target-recall 0.95 -j 1 --json\n",
    declare};

}  // namespace diskann::cli
