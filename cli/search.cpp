#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

#include "calibration_text.hpp"
#include "command.hpp"
#include "diskann/inspect.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "interrupt.hpp"
#include "json_row.hpp"
#include "outputs.hpp"
#include "searched.hpp"
#include "table.hpp"

namespace diskann::cli {
namespace {

constexpr std::uint64_t kDefaultK = 10;
constexpr std::uint64_t kShownQueries = 10;  ///< on the screen, where nothing else is asked for

struct SearchOptions {
  IndexInput index;
  DriveFlags drive;
  VectorInput queries;
  std::optional<std::filesystem::path> output;
  std::optional<std::uint64_t> k;                 ///< default kDefaultK
  std::optional<std::uint32_t> search_list_size;  ///< default that of SearchParameters
  std::optional<float> target_recall, radius;
  std::optional<std::uint64_t> max_queries;
  std::uint32_t threads = 0;
  bool show_distances = false;
  bool accurate = false;
  bool force = false;
};

using Answers = std::vector<std::vector<Hit>>;

Answers range_search_all(const Index& index, VectorView queries, float radius, const SearchParameters& parameters,
                         unsigned threads) {
  Answers answers(queries.rows());
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr failure;
  const auto work = [&] {
    try {
      for (std::size_t q = next++; q < queries.rows(); q = next++) {
        throw_if_interrupted();
        answers[q] = index.range_search(queries.slice(q, 1), radius, parameters);
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!failure) failure = std::current_exception();
      next = queries.rows();
    }
  };
  {
    std::vector<std::jthread> helpers;
    try {
      for (unsigned t = 1; t < threads && t < queries.rows(); ++t) helpers.emplace_back(work);
    } catch (const std::system_error&) {  // the system gives no more: those that are there do the work
    }
    work();
  }
  if (failure) std::rethrow_exception(failure);
  return answers;
}

Answers answers_of(const SearchResults& results) {
  Answers answers(results.rows);
  for (std::size_t q = 0; q < results.rows; ++q) {
    for (std::size_t i = 0; i < results.k && results.has_hit(q, i); ++i) {
      answers[q].push_back({results.ids_of(q)[i], results.distances_of(q)[i]});
    }
  }
  return answers;
}

void print_rows(const Answers& answers, Session& session) {
  for (std::size_t q = 0; q < answers.size(); ++q) {
    std::vector<std::uint64_t> ids;
    std::vector<float> distances;
    for (const Hit& hit : answers[q]) {
      ids.push_back(hit.id);
      distances.push_back(hit.distance);
    }
    session.row(JsonRow()
                    .add("query", q)
                    .add("ids", std::span<const std::uint64_t>(ids))
                    .add("distances", std::span<const float>(distances)));
  }
}

void print_table(const Answers& answers, Session& session) {
  Table table({"query", "rank", "id", "distance"});
  for (std::size_t q = 0; q < answers.size(); ++q) {
    for (std::size_t i = 0; i < answers[q].size(); ++i) {
      table.add({std::to_string(q), std::to_string(i + 1), std::to_string(answers[q][i].id),
                 fmt::format("{}", answers[q][i].distance)});
    }
  }
  session.print(table.text());
}

struct Outcome {
  Answers answers;        ///< for the screen or range results
  SearchResults results;  ///< of a k-nearest search
  DiskStatistics statistics;
  double seconds = 0;
};

void summarize(const SearchOptions& options, const Searched& index, const Outcome& outcome, std::size_t queries,
               std::uint64_t list_size, Session& session) {
  const double qps = outcome.seconds > 0 ? static_cast<double>(queries) / outcome.seconds : 0;
  const double per_query = 1.0 / static_cast<double>(std::max<std::size_t>(queries, 1));
  if (session.json()) {
    if (!options.output) return;
    JsonRow row;
    row.add("command", "search").add("index", options.index.path.string()).add("metric", to_string(index.metric()));
    row.add("dtype", to_string(index.type())).add("points", index.size()).add("dimension", index.dimension());
    row.add("has_vectors", index.has_vectors()).add("queries", queries).add("search_list_size", list_size);
    if (options.radius) {
      std::uint64_t hits = 0;
      for (const auto& answer : outcome.answers) hits += answer.size();
      row.add("radius", *options.radius).add("hits", hits);
    } else {
      row.add("k", options.k.value_or(kDefaultK))
          .add("hops", static_cast<double>(outcome.statistics.walk.hops) * per_query);
      row.add("distance_computations", static_cast<double>(outcome.statistics.walk.distance_computations) * per_query);
    }
    if (const DiskIndex* const drive = index.on_drive()) {
      row.add("spreads", static_cast<double>(index.spreads()));
      row.add("reads", static_cast<double>(outcome.statistics.reads) * per_query).add("io", drive->io());
    }
    row.add("seconds", outcome.seconds).add("qps", qps).add("output", options.output->string());
    row.add("isa", system_info().isa);
    session.row(row);
    return;
  }
  session.note(fmt::format("{} in {} · {} a second · search list {}{}", counted(queries, "query", "queries"),
                           duration_text(outcome.seconds), short_count(qps), list_size,
                           index.has_vectors() ? "" : " · codes" + alone_text(false)));
  if (!options.radius) {
    session.detail(fmt::format("{:.1f} hops and {:.1f} distance computations a query",
                               static_cast<double>(outcome.statistics.walk.hops) * per_query,
                               static_cast<double>(outcome.statistics.walk.distance_computations) * per_query));
  }
  if (const DiskIndex* const drive = index.on_drive()) {
    session.detail(fmt::format("{:.1f} reads a query by {}, candidates compared up to {} spreads",
                               static_cast<double>(outcome.statistics.reads) * per_query, drive->io(),
                               index.spreads()));
  }
  if (options.output) session.note(fmt::format("wrote {}", options.output->string()));
}

void check_flags(const SearchOptions& options) {
  if (options.force && !options.output) throw UsageError("--force: no file is written without -o", "leave it out");
  check_max_queries(options.max_queries);
  if (options.radius && options.k) throw UsageError("-k and --range contradict each other", "give one of them");
  if (options.target_recall && (options.search_list_size || options.accurate || options.radius)) {
    throw UsageError(
        "--target-recall chooses the candidate list for the k nearest: -L, --accurate and --range "
        "contradict it",
        "leave one out");
  }
  if (options.target_recall && options.drive.spreads)
    throw UsageError("--target-recall chooses --spreads, too", "leave one out");
  if (!options.show_distances) return;
  if (!options.output) {
    throw UsageError("--show-distances is for files: without -o distances are always shown", "leave it out");
  }
  if (options.output->extension() == ".ivecs") {
    throw UsageError("--show-distances: an .ivecs file holds ids only", "use .txt or .json, or .bin without the flag");
  }
  if (options.output->extension() == ".bin") {
    throw UsageError("--show-distances: a .bin file always holds distances", "leave it out");
  }
}

void search(const SearchOptions& options, Session& session) {
  check_flags(options);
  if (options.output) {
    check_result_suffix(*options.output, options.radius ? ResultKind::Range : ResultKind::Nearest);
    std::vector<NamedFile> inputs = files_of_index("--index", options.index.path);
    inputs.push_back({"--queries", options.queries.path});
    check_distinct(inputs, {{"--output", *options.output}});
    check_output_file(*options.output, options.force);
  }
  Searched index(options.index, options.drive, session.execution());
  if (options.radius && index.in_memory() == nullptr) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: --range wants an index in memory", options.index.path.string()),
                "make one: diskann convert -i INDEX -o FILE --output-format diskann");
  }
  const std::uint64_t k = std::min<std::uint64_t>(options.k.value_or(kDefaultK), index.size());
  ReadOptions reading = read_options(options.queries, index.source_type());
  const bool to_screen = !options.output && !session.json();
  reading.limit = options.max_queries.value_or(to_screen ? kShownQueries : kNoId);
  const VectorSet queries =
      read_queries(options.queries, reading, index.dimension(), options.index.path.string(), session.execution());

  SearchParameters parameters;
  std::uint64_t list_size = 0;  // what is walked with, and said: never shorter than the hits asked for
  if (options.search_list_size) parameters.search_list_size = *options.search_list_size;
  if (options.target_recall) {
    naming(options.index.path.string(),
           [&] { list_size = index.take_recall(*options.target_recall, std::max<std::uint64_t>(k, 1)); });
    parameters.search_list_size = static_cast<std::uint32_t>(list_size);
  }
  if (options.accurate) {
    const std::uint64_t wide = std::max<std::uint64_t>(4 * std::uint64_t{parameters.search_list_size}, 10 * k);
    parameters.search_list_size = static_cast<std::uint32_t>(std::min<std::uint64_t>(wide, index.size() + 1));
  }
  if (!options.target_recall) {
    list_size = options.radius ? parameters.search_list_size : std::max<std::uint64_t>(parameters.search_list_size, k);
  }
  const Execution execution = session.execution(options.threads);
  Outcome outcome;
  const auto start = std::chrono::steady_clock::now();
  if (options.radius) {
    const unsigned threads = options.threads == 0 ? system_info().threads : options.threads;
    outcome.answers = range_search_all(*index.in_memory(), queries, *options.radius, parameters, threads);
  } else {
    outcome.results = index.search_batch(queries, k, parameters, execution, outcome.statistics);
  }
  outcome.seconds = seconds_since(start);
  session.end_progress();

  if (options.output && options.radius) {
    write_range_results(*options.output, outcome.answers, options.show_distances);
  } else if (options.output) {
    write_results(*options.output, outcome.results, options.show_distances);
  } else {
    if (!options.radius) outcome.answers = answers_of(outcome.results);
    session.json() ? print_rows(outcome.answers, session) : print_table(outcome.answers, session);
  }
  summarize(options, index, outcome, queries.rows(), list_size, session);
  if (!to_screen || options.max_queries) return;
  const std::uint64_t all = inspect_vectors(options.queries.path, reading).rows;
  if (all > queries.rows()) {
    session.note(fmt::format("the first {} of {}; -o FILE or --max-queries N for more", queries.rows(),
                             counted(all, "query", "queries")));
  }
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<SearchOptions>();
  arguments.option("-i,--index,--input", options->index.path, "FILE", "Index to search", Need::Required);
  arguments.option("-q,--queries", options->queries.path, "FILE", "Vector file of queries", Need::Required);
  arguments.option("-k", options->k, "N", "Hits for each query (default 10)");
  arguments.option("-L,--search-list-size", options->search_list_size, "N",
                   "Candidate list: larger finds more and is slower (default 100)");
  arguments.option("--target-recall", options->target_recall, "X",
                   "Choose the candidate list by the recall it gave when the index was built or tuned: 0.95");
  arguments.option("-o,--output", options->output, "FILE",
                   "Results by suffix: .txt .json .ivecs .bin; without it a table of the first queries");
  arguments.option(
      "--range", options->radius, "RADIUS",
      "All points whose distance is this or less, in place of the k nearest: by l2 the squared distance, by "
      "cosine 1 - cos, by ip minus the product");
  arguments.flag("--show-distances", options->show_distances,
                 "Distances beside the ids in a .txt or .json file (elsewhere: always, in .ivecs never)");
  arguments.flag("--accurate", options->accurate, "A candidate list four times as long");
  arguments.option("--max-queries", options->max_queries, "N", "Only the first N queries");
  arguments.threads(options->threads);
  arguments.option("--query-format", options->queries.format, "FORMAT", "Format of the queries, whatever their suffix");
  arguments.option("--query-dtype", options->queries.type, "TYPE",
                   "Type of .bin queries: f32, f16, i8 or u8 (default: that of the index)");
  arguments.flag("--force", options->force, kForceHelp);
  declare_drive_flags(arguments, options->drive);
  declare_index_flags(arguments, options->index, true);
  return [options](Session& session) { search(*options, session); };
}

}  // namespace

const Command kSearchCommand{
    "search", "Find the nearest points of every query",
    "  diskann search -i index.bin -q queries.fvecs -k 10 -o results.txt\n"
    "  diskann search -i index.bin -q queries.fvecs -k 5 --max-queries 3\n"
    "  diskann search -i index.bin -q queries.fvecs --target-recall 0.95 -o results.txt\n"
    "  diskann search -i index.bin -q queries.fvecs --range 0.5 -o near.json --show-distances\n",
    declare};

}  // namespace diskann::cli
