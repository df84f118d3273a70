#include <fmt/format.h>

#include <memory>

#include "command.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/output.hpp"
#include "diskann/vector_file.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "outputs.hpp"

namespace diskann::cli {
namespace {

struct GenerateOptions {
  SyntheticOptions synthetic;
  std::filesystem::path output;
  std::optional<std::filesystem::path> labels, query_output;
  std::optional<std::string> type, format;
  std::string shape = "plain";
  std::uint32_t threads = 0;
  bool force = false;
};

void generate(const GenerateOptions& options, Session& session) {
  if ((options.synthetic.queries != 0) != options.query_output.has_value()) {
    throw UsageError("--queries and --query-output go together", "give both, or neither");
  }
  SyntheticOptions synthetic = options.synthetic;
  synthetic.shape = parse_synthetic_shape(options.shape);
  WriteOptions writing;
  if (options.format) writing.format = parse_vector_format(*options.format);
  std::vector<NamedFile> outputs{{"--output", options.output}};
  if (options.query_output) outputs.push_back({"--query-output", *options.query_output});
  if (options.labels) outputs.push_back({"--labels", *options.labels});
  check_distinct({}, outputs);
  for (const NamedFile& output : outputs) check_output_file(output.path, options.force);

  if (options.type) {
    synthetic.type = parse_vector_type(*options.type);
  } else if (const auto told = type_told_by(writing.format ? *writing.format : vector_format_of(options.output))) {
    synthetic.type = *told;
  }
  const Execution execution = session.execution(options.threads);
  const SyntheticSet set = generate_clustered(synthetic, execution);
  write_vectors(options.output, set.vectors, writing, execution);
  if (options.query_output) write_vectors(*options.query_output, set.queries, writing, execution);
  session.end_progress();
  if (options.labels) {
    std::string text;
    for (const std::uint32_t label : set.labels) text += std::to_string(label) + '\n';
    write_text(*options.labels, text);
  }
  if (session.json()) {
    JsonRow row;
    row.add("command", "generate").add("output", options.output.string()).add("dtype", to_string(synthetic.type));
    row.add("rows", synthetic.rows).add("dimension", synthetic.dimension).add("clusters", synthetic.clusters);
    row.add("seed", synthetic.seed).add("shape", to_string(synthetic.shape));
    if (synthetic.queries != 0) row.add("queries", synthetic.queries);
    session.row(row);
    return;
  }
  const std::string clusters =
      synthetic.clusters == 0 ? "without clusters" : "in " + counted(synthetic.clusters, "cluster", "clusters");
  session.note(fmt::format("wrote {} · {} × {} {} {}, {}", options.output.string(), count_text(synthetic.rows),
                           synthetic.dimension, to_string(synthetic.type), clusters, to_string(synthetic.shape)));
  if (options.query_output) {
    session.note(
        fmt::format("wrote {} · {}", options.query_output->string(), counted(synthetic.queries, "query", "queries")));
  }
  if (options.labels) session.note(fmt::format("wrote {}", options.labels->string()));
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<GenerateOptions>();
  arguments.option("-o,--output", options->output, "FILE", "Vector file to write", Need::Required);
  arguments.option("-n,--rows", options->synthetic.rows, "N", "Vectors (default 10000)");
  arguments.option("-d,--dimension", options->synthetic.dimension, "N", "Components of each (default 128)");
  arguments.option("--clusters", options->synthetic.clusters, "N",
                   "Clusters; 0 for none: normal numbers about the origin (default 100)");
  arguments.option("--spread", options->synthetic.spread, "X",
                   "Standard deviation inside a cluster; centres lie in the unit cube (default 0.1)");
  arguments.option("--shape", options->shape, "NAME",
                   "plain (default), unit or lognormal lengths, decay of the spectrum, outliers about a blob, or "
                   "duplicates");
  arguments.option("--dtype", options->type, "TYPE",
                   "Type to write: f32, f16, i8 or u8 (default: as the suffix says, else f32)");
  arguments.option("--seed", options->synthetic.seed, "N", "The same seed gives the same vectors (default 42)");
  arguments.option("--labels", options->labels, "FILE", "Write the cluster of each vector, one a line");
  arguments.option("--queries", options->synthetic.queries, "N", "Draw N queries of the same clusters as well");
  arguments.option("--query-output", options->query_output, "FILE", "Where the queries go");
  arguments.option("--output-format,--format", options->format, "FORMAT", "Format to write, whatever the suffix");
  arguments.threads(options->threads);
  arguments.flag("--force", options->force, kForceHelp);
  return [options](Session& session) { generate(*options, session); };
}

}  // namespace

const Command kGenerateCommand{
    "generate", "Make synthetic vectors, clustered or adversarial",
    "  diskann generate --rows 100000 --dimension 96 -o vectors.fbin\n"
    "  diskann generate -n 10000 -d 32 --dtype u8 -o base.u8bin --queries 100 --query-output queries.u8bin\n"
    "  diskann generate -n 5000 -d 64 --clusters 20 --labels labels.txt -o vectors.npy --seed 7\n"
    "  diskann generate -n 50000 -d 24 --clusters 0 --spread 1 -o gaussian.fbin\n"
    "  diskann generate -n 50000 -d 64 --spread 0.2 --shape lognormal -o inner-product.fbin\n",
    declare};

}  // namespace diskann::cli
