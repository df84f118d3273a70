#include <fmt/format.h>

#include <memory>

#include "command.hpp"
#include "diskann/evaluation.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "outputs.hpp"

namespace diskann::cli {
namespace {

struct TruthOptions {
  VectorInput base, queries;
  std::filesystem::path output;
  std::string metric = "l2";
  std::uint64_t k = 100;
  std::uint32_t threads = 0;
  bool force = false;
};

void compute(const TruthOptions& options, Session& session) {
  const Distance metric = parse_distance(options.metric);
  check_result_suffix(options.output, ResultKind::Nearest);
  check_distinct({{"--input", options.base.path}, {"--queries", options.queries.path}}, {{"--output", options.output}});
  check_output_file(options.output, options.force);
  const Execution execution = session.execution(options.threads);
  const VectorSet base = read_vectors(options.base.path, read_options(options.base), execution);
  const VectorSet queries = read_queries(options.queries, read_options(options.queries, base.type()), base.dimension(),
                                         options.base.path.string(), execution);
  const auto start = std::chrono::steady_clock::now();
  SearchResults truth;
  naming(options.base.path.string(), [&] {
    truth = compute_ground_truth(base, queries, metric, std::min<std::uint64_t>(options.k, base.rows()), execution);
  });
  const double seconds = seconds_since(start);
  session.end_progress();
  write_results(options.output, truth, options.output.extension() != ".ivecs");
  if (session.json()) {
    session.row(JsonRow()
                    .add("command", "groundtruth")
                    .add("metric", to_string(metric))
                    .add("dtype", to_string(base.type()))
                    .add("points", base.rows())
                    .add("dimension", base.dimension())
                    .add("queries", queries.rows())
                    .add("k", truth.k)
                    .add("seconds", seconds)
                    .add("output", options.output.string()));
    return;
  }
  session.note(fmt::format("{} of {} among {} in {}", counted(truth.k, "exact neighbour", "exact neighbours"),
                           counted(queries.rows(), "query", "queries"), counted(base.rows(), "point", "points"),
                           duration_text(seconds)));
  session.note(fmt::format("wrote {}", options.output.string()));
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<TruthOptions>();
  arguments.option("-i,--input,--index", options->base.path, "FILE", "Vector file of the points", Need::Required);
  arguments.option("-q,--queries", options->queries.path, "FILE", "Vector file of the queries", Need::Required);
  arguments.option("-o,--output", options->output, "FILE",
                   "Truth by suffix: .bin (with distances), .ivecs, .txt, .json", Need::Required);
  arguments.option("-m,--metric", options->metric, "METRIC", "l2, cosine or ip (default l2)");
  arguments.option("-k", options->k, "N", "Neighbours of each query (default 100)");
  arguments.threads(options->threads);
  arguments.option("--input-format", options->base.format, "FORMAT", "Format of the points, whatever their suffix");
  arguments.option("--dtype,--input-dtype", options->base.type, "TYPE",
                   "Type of a .bin file of points: f32, f16, i8 or u8");
  arguments.option("--query-format", options->queries.format, "FORMAT", "Format of the queries, whatever their suffix");
  arguments.option("--query-dtype", options->queries.type, "TYPE",
                   "Type of .bin queries: f32, f16, i8 or u8 (default: that of the points)");
  arguments.flag("--force", options->force, kForceHelp);
  return [options](Session& session) { compute(*options, session); };
}

}  // namespace

const Command kGroundtruthCommand{"groundtruth", "Find the exact nearest points of every query, by comparing with all",
                                  "  diskann groundtruth -i vectors.fvecs -q queries.fvecs -m l2 -k 100 -o truth.bin\n"
                                  "  diskann groundtruth -i vectors.npy -q queries.npy -m cosine -o truth.ivecs -j 4\n",
                                  declare};

}  // namespace diskann::cli
