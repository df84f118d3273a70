#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "command.hpp"
#include "diskann/inspect.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "outputs.hpp"
#include "result_text.hpp"
#include "transform.hpp"
#include "vector_figures.hpp"

namespace diskann::cli {
namespace {

struct ConvertOptions {
  VectorInput input;
  std::filesystem::path output;
  std::optional<std::string> output_format, output_type, metric, quantization;
  std::optional<std::uint64_t> skip, limit;
  bool normalize = false, center = false, stats = false, force = false;
};

void convert_index(const ConvertOptions& options, Session& session) {
  const std::string format = options.output_format.value_or("");
  if (format != "microsoft" && format != "diskann" && format != "disk") {
    throw UsageError(fmt::format("{} is an index: it converts to 'microsoft', 'diskann' or 'disk', not to '{}'",
                                 options.input.path.string(), format),
                     "add --output-format microsoft");
  }
  if (options.normalize || options.center || options.stats || options.quantization || options.skip || options.limit ||
      options.input.format) {
    throw UsageError(
        "--normalize, --center, --stats, --quantization, --skip, --limit and --input-format are for vector files",
        "leave them out: an index converts as it is");
  }
  if (options.input.type && options.output_type) {
    throw UsageError("--output-type is for vector files: an index keeps its type", "leave it out");
  }
  const bool microsoft = format == "microsoft";
  std::vector<NamedFile> outputs{{"--output", options.output}};
  if (microsoft) outputs = files_of_index("--output", options.output);
  check_distinct(files_of_index("--input", options.input.path), outputs);
  for (const NamedFile& output : outputs) check_index_output(output.path, options.force);
  IndexInput input{options.input.path, options.metric, options.input.type ? options.input.type : options.output_type};
  const Index index = open_index(input, session.execution());
  naming(options.input.path.string(), [&] {
    const auto save = microsoft ? &Index::save_microsoft : format == "disk" ? &Index::save_for_disk : &Index::save;
    (index.*save)(options.output, options.force, session.execution());
  });
  session.end_progress();
  if (microsoft && index.metric() == Distance::Cosine &&
      (index.type() == VectorType::F32 || inspect_index(input).drive))
    session.note("note     the vectors were normalised, as in all cosine sets of Microsoft's: their lengths are gone");
  if (session.json()) {
    session.row(JsonRow()
                    .add("command", "convert")
                    .add("input", options.input.path.string())
                    .add("output", options.output.string())
                    .add("format", format)
                    .add("metric", to_string(index.metric()))
                    .add("dtype", to_string(index.type()))
                    .add("points", index.size())
                    .add("dimension", index.dimension()));
  }
  session.note(fmt::format("wrote {} · {} × {} {} · {}", options.output.string(),
                           counted(index.size(), "point", "points"), index.dimension(), to_string(index.type()),
                           format));
}

/// A `.bin` may hold vectors as well: what it becomes tells, or its size.
bool converts_results(const ConvertOptions& options) {
  if (options.input.format || is_result_suffix(options.input.path)) return !options.input.format;
  if (options.input.path.extension() != ".bin" || options.input.type || options.output_type || options.output_format)
    return false;
  return is_result_suffix(options.output) || results_in(options.input.path);
}

void convert_results(const ConvertOptions& options, Session& session) {
  const std::string name = options.input.path.string();
  if (options.normalize || options.center || options.stats || options.quantization || options.skip || options.limit ||
      options.output_type || options.input.type || options.output_format || options.metric) {
    throw UsageError(fmt::format("{} holds ids of search results: flags for vectors and indexes do nothing here", name),
                     "give -i and -o alone: the suffixes name the formats");
  }
  check_distinct({{"--input", options.input.path}}, {{"--output", options.output}});
  const std::filesystem::path suffix = options.output.extension();
  if (suffix != ".bin" && (!is_result_suffix(options.output) || suffix == ".ibin")) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} holds ids, not vectors: it cannot become {}", name, options.output.string()),
                "write .ivecs, .bin, .txt or .json");
  }
  check_output_file(options.output, options.force);
  const SearchResults results = read_any_results(options.input.path);
  std::size_t gap = 0;
  while (gap < results.ids.size() && results.has_hit(gap / results.k, gap % results.k)) ++gap;
  if (suffix != ".ivecs" && suffix != ".bin" && gap != results.ids.size()) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: query {} has fewer than {} hits, which text and JSON cannot say", name,
                            gap / results.k, results.k),
                "write .bin or .ivecs, which mark the gaps");
  }
  const bool distances = suffix != ".ivecs" && !results.distances.empty();
  write_results(options.output, results, distances);
  if (session.json()) {
    session.row(JsonRow()
                    .add("command", "convert")
                    .add("input", name)
                    .add("output", options.output.string())
                    .add("format", suffix.string().substr(1))
                    .add("queries", results.rows)
                    .add("k", results.k)
                    .add("distances", distances));
  }
  session.note(fmt::format("wrote {} · {} × {}, {} distances", options.output.string(),
                           counted(results.rows, "query", "queries"), results.k, distances ? "with" : "without"));
}

void check_changes(const ConvertOptions& options, VectorType source, VectorType target) {
  const auto is_float = [](VectorType type) { return type == VectorType::F32 || type == VectorType::F16; };
  if (options.quantization && is_float(target)) {
    throw UsageError("--quantization makes numbers of 8 bits", "add --output-type u8 or i8");
  }
  if (options.quantization && !is_float(source)) {
    throw UsageError(fmt::format("--quantization: the input is {} already", to_string(source)), "leave it out");
  }
  if ((options.normalize || options.center) && !is_float(target) && !options.quantization) {
    throw UsageError(fmt::format("--normalize and --center make fractions, which {} cannot hold", to_string(target)),
                     "add --output-type f32 or f16");
  }
}

void convert_file(const ConvertOptions& options, Session& session) {
  if (options.metric) throw UsageError("-m is for indexes: vectors have no metric", "leave it out");
  WriteOptions writing;
  writing.format =
      options.output_format ? parse_vector_format(*options.output_format) : vector_format_of(options.output);
  check_distinct({{"--input", options.input.path}}, {{"--output", options.output}});
  check_output_file(options.output, options.force);
  ReadOptions reading = read_options(options.input, parse_type(options.output_type), true);
  reading.skip = options.skip.value_or(0);
  reading.limit = options.limit.value_or(kNoId);
  const Execution execution = session.execution();
  VectorSet vectors = read_vectors(options.input.path, reading, execution);

  const std::string name = options.input.path.string();
  const std::string from = options.skip ? fmt::format("{}, after the first {} rows", name, *options.skip) : name;
  const VectorType source = vectors.type();
  VectorType target = type_told_by(*writing.format).value_or(source);
  if (options.output_type) target = parse_vector_type(*options.output_type);
  check_changes(options, source, target);
  if (options.normalize || options.center || options.quantization) {
    const VectorStatistics statistics = analyze_vectors(vectors, session.execution());
    if (statistics.not_finite > 0) {
      throw Error(ErrorCode::InvalidArgument,
                  fmt::format("{}: row {} holds NaN or infinity", from, statistics.first_not_finite_row),
                  "see diskann info --validate");
    }
    if (source != VectorType::F32) vectors = convert_vectors(vectors, VectorType::F32, execution);
    if (options.center) center_rows(vectors);
    if (options.normalize) normalize_rows(vectors);
    if (options.quantization) quantize_rows(vectors, parse_quantization(*options.quantization), target);
  }
  if (vectors.type() != target) naming(from, [&] { vectors = convert_vectors(vectors, target, execution); });
  write_vectors(options.output, vectors, writing, execution);
  session.end_progress();

  std::optional<VectorStatistics> statistics;
  if (options.stats) statistics = analyze_vectors(vectors, execution);
  session.end_progress();
  if (session.json()) {
    JsonRow row;
    row.add("command", "convert").add("input", options.input.path.string()).add("output", options.output.string());
    row.add("format", to_string(*writing.format)).add("dtype", to_string(target)).add("rows", vectors.rows());
    row.add("dimension", vectors.dimension());
    if (statistics) add_statistics(row, *statistics);
    session.row(row);
    return;
  }
  session.note(fmt::format("wrote {} · {} × {} {} · {}", options.output.string(), count_text(vectors.rows()),
                           vectors.dimension(), to_string(target), to_string(*writing.format)));
  if (statistics) {
    for (const std::string& line : statistics_lines(*statistics)) session.print(line);
  }
}

void convert(const ConvertOptions& options, Session& session) {
  const FileKind kind = options.input.format ? FileKind::Vectors : file_kind(options.input.path);
  const bool is_index = kind != FileKind::Vectors && kind != FileKind::Unknown;
  if (is_index) return convert_index(options, session);
  converts_results(options) ? convert_results(options, session) : convert_file(options, session);
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<ConvertOptions>();
  arguments.option("-i,--input,--index", options->input.path, "FILE",
                   "Vector file, index, or search results and ground truth", Need::Required);
  arguments.option("-o,--output", options->output, "FILE", "What to write; a prefix for Microsoft's set",
                   Need::Required);
  arguments.option("--output-format,--format", options->output_format, "FORMAT",
                   "fvecs bvecs fbin f16bin u8bin i8bin bin npy (default: by suffix); an index: microsoft, which "
                   "of one on a drive is their set for SSDs, diskann or disk");
  arguments.option(
      "--output-type,--output-dtype,--dtype", options->output_type, "TYPE",
      "Type to write: f32, f16, i8 or u8; values that do not fit are refused. Also the type of a .bin file whose size "
      "does not tell it");
  arguments.option("--input-format", options->input.format, "FORMAT", "Format of the input, whatever its suffix");
  arguments.option("--input-dtype,--input-type", options->input.type, "TYPE",
                   "Type of a .bin file or Microsoft index: f32, f16, i8 or u8");
  arguments.option("-m,--metric", options->metric, "METRIC", "Metric of a Microsoft index");
  arguments.option("--skip", options->skip, "N", "Leave out the first N rows");
  arguments.option("--limit", options->limit, "N", "Take N rows at most");
  arguments.flag("--center", options->center, "Subtract the mean vector (before --normalize)");
  arguments.flag("--normalize", options->normalize, "Scale every row to length 1");
  arguments.option("--quantization", options->quantization, "HOW",
                   "To 8 bits: minmax spreads the range of all values, standard cuts at three standard deviations");
  arguments.flag("--stats", options->stats, "Say what the vectors written are like");
  arguments.flag("--force", options->force, "Replace an index that exists (vector files that are none always are)");
  return [options](Session& session) { convert(*options, session); };
}

}  // namespace

const Command kConvertCommand{
    "convert", "Change the format or type of vectors, or the format of an index or of results",
    "  diskann convert -i vectors.bin -o vectors.fvecs --format fvecs\n"
    "  diskann convert -i vectors.npy -o unit.f16bin --normalize --limit 100000\n"
    "  diskann convert -i vectors.fbin -o small.u8bin --output-type u8 --quantization minmax\n"
    "  diskann convert -i truth.ivecs -o truth.txt\n"
    "  diskann convert -i index.bin -o microsoft/index --output-format microsoft\n",
    declare};

}  // namespace diskann::cli
