#include <fmt/format.h>

#include <memory>

#include "calibration_text.hpp"
#include "command.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "outputs.hpp"

namespace diskann::cli {
namespace {

struct TuneOptions {
  IndexInput index;
  VectorInput queries;
  std::optional<std::filesystem::path> output;
  std::uint32_t threads = 0;
  bool force = false;
};

void tune(const TuneOptions& options, Session& session) {
  const std::filesystem::path& output = options.output.value_or(options.index.path);
  if (options.force && !options.output) throw UsageError("--force: -i itself is replaced without -o", "leave it out");
  if (options.output) {
    std::vector<NamedFile> inputs = files_of_index("--index", options.index.path);
    if (!options.queries.path.empty()) inputs.push_back({"--queries", options.queries.path});
    check_distinct(inputs, {{"--output", output}});
    check_index_output(output, options.force);
  }
  const Execution execution = session.execution(options.threads);
  if (file_kind(options.index.path) != FileKind::Index) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: Microsoft's files have no place for what is measured", options.index.path.string()),
                "convert it first: diskann convert --output-format diskann");
  }
  Index index = open_index(options.index, execution);
  VectorSet queries;
  if (!options.queries.path.empty()) {
    queries = read_queries(options.queries, read_options(options.queries, index.source_type()), index.dimension(),
                           options.index.path.string(), execution);
  }
  index.calibrate(queries, execution);
  if (index.calibration().queries == 0) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} holds one vector, which any list finds", options.index.path.string()));
  }
  const bool on_drive = inspect_index(options.index).drive.has_value();
  on_drive ? index.save_for_disk(output, true, execution) : index.save(output, true, execution);
  session.end_progress();
  if (session.json()) {
    JsonRow row;
    row.add("command", "tune").add("index", output.string());
    add_calibration(index.calibration(), row);
    session.row(row);
    return;
  }
  session.print(calibration_text(index.calibration()));
  print_lists(index.calibration(), session);
  session.note(fmt::format("wrote    {} · {}", output.string(), bytes_text(std::filesystem::file_size(output))));
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<TuneOptions>();
  arguments.option("-i,--index,--input", options->index.path, "FILE", "Index to tune", Need::Required);
  arguments.option("-q,--queries", options->queries.path, "FILE",
                   "Vector file of queries like those to come; without it stored rows are searched for");
  arguments.option("-o,--output", options->output, "FILE", "Index file to write; without it -i is replaced");
  arguments.threads(options->threads);
  arguments.option("--query-format", options->queries.format, "FORMAT", "Format of the queries, whatever their suffix");
  arguments.option("--query-dtype", options->queries.type, "TYPE",
                   "Type of .bin queries: f32, f16, i8 or u8 (default: that of the index)");
  arguments.flag("--force", options->force, "Replace an index that exists");
  return [options](Session& session) { tune(*options, session); };
}

}  // namespace

const Command kTuneCommand{"tune", "Measure which candidate list finds how much, for search --target-recall",
                           "  diskann tune -i index.bin -q queries.fvecs\n"
                           "  diskann tune -i index.bin -q queries.fvecs -o tuned.bin\n",
                           declare};

}  // namespace diskann::cli
