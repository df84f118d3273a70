#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "builder_flags.hpp"
#include "calibration_text.hpp"
#include "command.hpp"
#include "diskann/disk_index.hpp"
#include "diskann/inspect.hpp"
#include "diskann/version.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "result_text.hpp"
#include "vector_figures.hpp"

namespace diskann::cli {
namespace {

struct InfoOptions {
  std::optional<std::filesystem::path> path;
  IndexInput index;
  std::optional<std::string> format;
  std::optional<std::uint64_t> preview;
  bool detailed = false, distribution = false, duplicates = false, validate = false, memory = false;
  std::optional<std::uint32_t> threads;
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text.empty() ? "none" : text;
}

void describe_system(Session& session) {
  const SystemInfo system = system_info();
  if (session.json()) {
    session.row(JsonRow()
                    .add("command", "info")
                    .add("version", system.version)
                    .add("compiler", system.compiler)
                    .add("highway", system.highway)
                    .add("isa", system.isa)
                    .add("compiled_isas", std::span<const std::string>(system.compiled_isas))
                    .add("io_backends", std::span<const std::string>(system.io_backends))
                    .add("accelerators", std::span<const std::string>(system.accelerators))
                    .add("machine", system.processor)
                    .add("threads", system.threads)
                    .add("memory_bytes", system.memory_bytes));
    return;
  }
  session.print(fmt::format("diskann       {} · {} · Highway {}", system.version, system.compiler, system.highway));
  session.print(fmt::format("instructions  {} chosen · compiled in: {}", system.isa, joined(system.compiled_isas)));
  session.print("files         " + joined(system.io_backends));
  session.print("accelerators  " + joined(system.accelerators));
  session.print(fmt::format("machine       {} · {} · {}", system.processor,
                            counted(system.threads, "thread", "threads"), bytes_text(system.memory_bytes)));
}

void describe_memory(const MemoryUsage& memory, Session& session, JsonRow& row) {
  row.add("memory_bytes", memory.total()).add("vectors_bytes", memory.vectors).add("graph_bytes", memory.graph);
  row.add("ids_bytes", memory.ids).add("norms_bytes", memory.norms).add("codes_bytes", memory.codes);
  if (session.json()) return;
  session.print("memory   " + usage_text(memory));
}

DiskIndex open_for(const IndexInput& input, Session& session) {
  const OpenOptions asked = open_options(input);
  DiskOpenOptions options;
  options.metric = asked.metric;
  options.type = asked.type;
  options.execution = session.execution();
  return DiskIndex::open(input.path, options);
}

/// What goes beyond the header of an index and needs it opened.
void describe_opened(const InfoOptions& options, const IndexFileInfo& info, Session& session, JsonRow& row) {
  IndexInput input = options.index;
  input.map = info.kind == FileKind::Index && !info.drive;
  if (options.memory && info.drive)  // searched where it is
    describe_memory(open_for(input, session).memory_usage(), session, row);
  if (!options.detailed && !options.distribution && info.drive) return;
  const Index index = open_index(input, session.execution());
  if (options.detailed || options.distribution) {
    const GraphStatistics graph = index.graph_statistics();
    const double mean = static_cast<double>(graph.edges) / static_cast<double>(std::max<std::uint64_t>(graph.nodes, 1));
    row.add("edges", graph.edges).add("smallest_degree", graph.smallest_degree).add("mean_degree", mean);
    row.add("largest_degree", graph.largest_degree).add("unreachable", graph.unreachable);
    if (!session.json()) {
      session.print(fmt::format("degrees  {} to {} · mean {:.1f} · {} · {} unreachable", graph.smallest_degree,
                                graph.largest_degree, mean, counted(graph.edges, "edge", "edges"), graph.unreachable));
    }
  }
  if (options.memory && !info.drive) describe_memory(index.memory_usage(), session, row);
}

/// Microsoft's files do not say how their graph was built, nor do files of ours that it was converted to.
bool knows_its_build(const IndexFileInfo& info) { return info.parameters.search_list_size != 0; }

/// Points that share the node of an equal one. A file that says less points than nodes is for verify to refuse.
std::uint64_t duplicates(const IndexFileInfo& info) { return info.points - std::min(info.points, info.nodes); }

std::string layout_text(const DriveLayout& layout, FileKind kind) {
  const std::string records = fmt::format("{} in a page of {} KiB", layout.records_a_page, layout.page_bytes / 1024);
  if (layout.split && kind == FileKind::MicrosoftDiskIndex)
    return fmt::format("vectors behind all nodes, whose records are {} bytes, {}", layout.record_bytes, records);
  if (!layout.split) return fmt::format("vectors beside edges: records of {} bytes, {}", layout.record_bytes, records);
  return fmt::format("vectors apart from edges, since both are {} bytes, more than 2 KiB: edges of {} bytes, {}",
                     layout.record_bytes + layout.vector_bytes, layout.record_bytes, records);
}

void print_index(const IndexFileInfo& info, const InfoOptions& options, Session& session) {
  const std::string kind = info.kind == FileKind::Index ? fmt::format("diskann index, format {}, written by {}",
                                                                      info.format_version, info.library_version)
                           : info.drive                 ? "Microsoft's disk index"
                                                        : "Microsoft's memory index";
  session.print(fmt::format("{}  {} · {}", options.path->string(), kind, bytes_text(info.file_bytes)));
  session.print(fmt::format(
      "vectors  {} × {} {}{} · metric {}", count_text(info.points), info.dimension, to_string(info.type),
      info.type != info.source_type
          ? fmt::format(" ({}, given as {})", rounds(info.source_type, info.type) ? "rounded" : "losslessly",
                        to_string(info.source_type))
          : "",
      info.distance_name.empty() ? std::string(to_string(info.metric)) : info.distance_name));
  session.print(fmt::format(
      "graph    {} · max degree {}{}", counted(info.nodes, "node", "nodes"), info.parameters.max_degree,
      knows_its_build(info) ? fmt::format(" · search list {} · alpha {:g} · seed {}", info.parameters.search_list_size,
                                          info.parameters.alpha, info.parameters.seed)
                            : ""));
  if (info.codec != Codec::None)
    session.print(fmt::format("codes    {}{}", to_string(info.codec), alone_text(info.has_vectors)));
  if (info.drive) session.print("drive    " + layout_text(*info.drive, info.kind));
  if (info.calibration.queries > 0) session.print(calibration_text(info.calibration));
  if (options.detailed) print_lists(info.calibration, session);
  session.print(fmt::format("ids      {}", info.custom_ids ? "given" : "row numbers"));
  if (options.duplicates) {
    session.print(
        fmt::format("twins    {} the node of an equal one", counted(duplicates(info), "point shares", "points share")));
  }
  if (!options.detailed) return;
  for (const SectionInfo& section : info.sections) {
    session.print(fmt::format("section  {:<12} version {} · at {} · {} bytes · XXH3 {:016x}", section.name,
                              section.version, section.offset, section.bytes, section.checksum));
  }
}

JsonRow index_row(const IndexFileInfo& info, const InfoOptions& options) {
  JsonRow row;
  row.add("command", "info").add("index", options.path->string());
  row.add("kind", info.kind == FileKind::Index ? "index" : "microsoft").add("metric", to_string(info.metric));
  row.add("dtype", to_string(info.type)).add("source_dtype", to_string(info.source_type));
  row.add("points", info.points)
      .add("dimension", info.dimension)
      .add("nodes", info.nodes)
      .add("codec", to_string(info.codec))
      .add("has_vectors", info.has_vectors)
      .add("on_drive", info.drive.has_value());
  if (info.drive)
    row.add("split", info.drive->split)
        .add("record_bytes", info.drive->record_bytes)
        .add("page_bytes", info.drive->page_bytes);
  row.add("max_degree", info.parameters.max_degree);
  if (knows_its_build(info)) {
    row.add("search_list_size", info.parameters.search_list_size).add("alpha", info.parameters.alpha);
    row.add("seed", info.parameters.seed);
  }
  row.add("custom_ids", info.custom_ids).add("index_bytes", info.file_bytes);
  if (!info.distance_name.empty()) row.add("distance", info.distance_name);
  if (info.kind == FileKind::Index) {
    row.add("format_version", info.format_version).add("library_version", info.library_version);
  }
  if (options.duplicates) row.add("duplicates", duplicates(info));
  if (info.calibration.queries > 0) add_calibration(info.calibration, row);
  if (options.detailed) {
    std::vector<JsonRow> sections;
    for (const SectionInfo& section : info.sections) {
      sections.push_back(JsonRow()
                             .add("name", section.name)
                             .add("version", section.version)
                             .add("offset", section.offset)
                             .add("bytes", section.bytes)
                             .add("xxh3", fmt::format("{:016x}", section.checksum)));
    }
    row.add("sections", std::span<const JsonRow>(sections));
  }
  return row;
}

void describe_index(const InfoOptions& options, Session& session) {
  if (options.preview) throw UsageError("--preview shows vector files, this is an index", "leave it out");
  if (options.format) throw UsageError("--input-format is for vector files, this is an index", "leave it out");
  if (options.threads && !options.validate) {
    throw UsageError("-j: of an index only --validate takes threads", "leave it out, or add --validate");
  }
  const IndexFileInfo info = inspect_index(options.index);
  if (options.duplicates && info.kind != FileKind::Index) {
    throw UsageError("--duplicates: Microsoft's sets do not keep equal points together",
                     "convert it with --output-format diskann, and ask of that index");
  }
  JsonRow row = index_row(info, options);
  if (!session.json()) print_index(info, options, session);
  if (options.detailed || options.distribution || options.memory) describe_opened(options, info, session, row);
  VerifyReport report;
  if (options.validate) {
    report = verify(options.index.path, open_options(options.index), session.execution(options.threads.value_or(0)));
    session.end_progress();
    row.add("valid", report.ok()).add("problems", std::span<const std::string>(report.problems));
    row.add("warnings", std::span<const std::string>(report.warnings));
    if (!session.json()) {
      if (report.ok()) {
        session.print(info.kind == FileKind::Index
                          ? "valid    yes: checksums, values, edges and ids are right"
                          : "valid    yes: sizes, values, edges and ids are right; these files have no checksums");
      }
      for (const std::string& problem : report.problems) session.print("PROBLEM  " + problem);
      for (const std::string& warning : report.warnings) session.print("warning  " + warning);
    }
  }
  if (session.json()) session.row(row);
  if (!report.ok()) {
    throw Error(ErrorCode::Corrupt, fmt::format("{}: {}", options.path->string(), report.problems.front()));
  }
}

/// The first `wanted` rows: cut to the screen for people, whole for programs.
void preview(const VectorSet& vectors, std::uint64_t wanted, Session& session, JsonRow& row) {
  const std::uint64_t shown = std::min<std::uint64_t>(wanted, vectors.rows());
  std::vector<JsonRow> rows;
  for (std::uint64_t i = 0; i < shown; ++i) {
    const std::vector<float> values = components(vectors, i);
    if (session.json()) {
      rows.push_back(JsonRow().add("row", i).add("values", std::span<const float>(values)));
    } else {
      session.print(fmt::format("row {:<4} {}", i, preview_text(values)));
    }
  }
  row.add("preview", std::span<const JsonRow>(rows));
}

void describe_vectors(const InfoOptions& options, Session& session) {
  if (options.index.metric) throw UsageError("-m is for indexes: vectors have no metric", "leave it out");
  const ReadOptions reading = read_options({*options.path, options.format, options.index.type});
  const VectorFileInfo info = inspect_vectors(*options.path, reading);
  const std::uint64_t bytes = info.rows * info.dimension * size_of(info.type);
  JsonRow row;
  row.add("command", "info").add("vectors", options.path->string()).add("kind", "vectors");
  row.add("format", to_string(info.format)).add("dtype", to_string(info.type)).add("rows", info.rows);
  row.add("dimension", info.dimension).add("file_bytes", info.file_bytes);
  if (!session.json()) {
    session.print(
        fmt::format("{}  {} · {}", options.path->string(), to_string(info.format), bytes_text(info.file_bytes)));
    session.print(fmt::format("vectors  {} × {} {}", count_text(info.rows), info.dimension, to_string(info.type)));
  }
  if (options.memory) {
    const BuildEstimate estimate = IndexBuilder().estimate(info.rows, info.dimension, info.type);
    row.add("memory_bytes", bytes).add("build_bytes", estimate.total());
    if (!session.json()) {
      session.print(fmt::format("memory   {} of vectors · {} at most to build an index", bytes_text(bytes),
                                bytes_text(estimate.total())));
    }
  }
  std::uint64_t not_finite = 0, first_bad = 0;
  const bool reads = options.detailed || options.distribution || options.duplicates || options.validate;
  if (options.threads && !reads) {
    throw UsageError("-j: nothing here takes threads", "leave it out, or add --detailed or --validate");
  }
  if (reads || options.preview) {
    const Execution execution = session.execution(options.threads.value_or(0));
    const VectorSet vectors = read_vectors(*options.path, reading, execution);
    if (options.preview) preview(vectors, *options.preview, session, row);
    VectorStatistics statistics;
    if (reads) statistics = analyze_vectors(vectors, execution);
    session.end_progress();
    if (options.detailed || options.distribution) {
      add_statistics(row, statistics);
      for (const std::string& line : statistics_lines(statistics)) session.json() ? void() : session.print(line);
    }
    if (options.detailed || options.duplicates) {
      row.add("duplicates", statistics.duplicates);
      if (!session.json())
        session.print(
            fmt::format("twins    {} an earlier one", counted(statistics.duplicates, "row equals", "rows equal")));
    }
    if (options.validate) {
      not_finite = statistics.not_finite;
      first_bad = statistics.first_not_finite_row;
      row.add("valid", not_finite == 0).add("not_finite", not_finite);
      if (!session.json() && not_finite == 0) session.print("valid    yes: size fits, every component is finite");
    }
  }
  if (session.json()) session.row(row);
  if (not_finite != 0) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: {} NaN or infinity, the first is row {}", options.path->string(),
                            counted(not_finite, "row holds", "rows hold"), first_bad));
  }
}

void describe_results(const InfoOptions& options, const ResultFileInfo& info, Session& session) {
  if (options.detailed || options.distribution || options.duplicates || options.validate || options.memory ||
      options.preview || options.index.metric || options.index.type || options.threads) {
    throw UsageError(
        fmt::format("{} holds search results: these flags are for indexes and vectors", options.path->string()),
        "leave them out");
  }
  const bool range = info.kind == ResultKind::Range;
  if (session.json()) {
    JsonRow row;
    row.add("command", "info").add("results", options.path->string()).add("kind", range ? "range" : "results");
    row.add("format", options.path->extension().string().substr(1)).add("queries", info.rows);
    if (!range) row.add("k", info.k);
    session.row(row.add("hits", info.hits).add("distances", info.distances).add("file_bytes", info.file_bytes));
    return;
  }
  session.print(
      fmt::format("{}  search results or ground truth · {}", options.path->string(), bytes_text(info.file_bytes)));
  session.print(fmt::format(
      "hits     {} {} {}, {} distances", counted(info.rows, "query", "queries"), range ? "· by range ·" : "×",
      range ? counted(info.hits, "hit", "hits") : count_text(info.k), info.distances ? "with" : "without"));
}

/// The prefix of the Microsoft set that a file is part of.
std::optional<std::filesystem::path> set_of(const std::filesystem::path& path) {
  const std::string name = path.string();
  for (const std::string_view ending : {".data", ".tags", ".del", "_metadata.bin", "_labels.txt"}) {
    if (!name.ends_with(ending)) continue;
    const std::filesystem::path prefix = name.substr(0, name.size() - ending.size());
    std::error_code error;
    if (std::filesystem::is_regular_file(prefix, error) && file_kind(prefix) == FileKind::MicrosoftMemoryIndex)
      return prefix;
  }
  return std::nullopt;
}

void describe(const InfoOptions& options, Session& session) {
  const FileKind kind = options.format ? FileKind::Vectors : file_kind(*options.path);
  switch (kind) {
    case FileKind::Index:
    case FileKind::MicrosoftMemoryIndex:
    case FileKind::MicrosoftDiskIndex: return describe_index(options, session);
    case FileKind::Vectors:
    case FileKind::Unknown: break;
  }
  if (const auto prefix = options.format ? std::nullopt : set_of(*options.path)) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} is one of the files of the index {}", options.path->string(), prefix->string()),
                fmt::format("diskann info {}", prefix->string()));
  }
  if (!options.format && !options.index.type) {
    if (const auto results = results_in(*options.path)) return describe_results(options, *results, session);
  }
  if (kind == FileKind::Vectors) return describe_vectors(options, session);
  throw Error(ErrorCode::Corrupt, fmt::format("{} is no index, vector or result file", options.path->string()),
              "a vector file with another suffix needs --input-format");
}

bool asks_for_more(const InfoOptions& options) {
  return options.detailed || options.distribution || options.duplicates || options.validate || options.memory ||
         options.preview || options.format || options.index.metric || options.index.type || options.threads;
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<InfoOptions>();
  arguments.option("file,-i,--index,--input", options->path, "FILE",
                   "Index, prefix of a Microsoft index, vector file, or results and ground truth of any form; without "
                   "it: this build "
                   "and machine");
  arguments.flag("--detailed", options->detailed, "Sections and degrees, or all statistics of the vectors");
  arguments.option("--preview", options->preview, "N", "The first N vectors");
  arguments.flag("--distribution", options->distribution, "Degrees of the graph, or range and norms of the vectors");
  arguments.flag("--duplicates", options->duplicates, "How many points equal an earlier one");
  arguments.flag("--validate", options->validate, "Check the whole file");
  arguments.flag("--memory", options->memory, "Memory by component");
  arguments.option("--input-format", options->format, "FORMAT", "Format of a vector file, whatever its suffix");
  arguments.threads(options->threads, "Threads of a look at every row or edge; 0 is all (default)");
  declare_index_flags(arguments, options->index, false, "a Microsoft index or a .bin file: f32, f16, i8 or u8");
  return [options](Session& session) {
    if (!options->path) {
      if (asks_for_more(*options)) throw UsageError("these flags need a file", "name one: diskann info FILE");
      return describe_system(session);
    }
    options->index.path = *options->path;
    describe(*options, session);
  };
}

}  // namespace

const Command kInfoCommand{"info", "Say what a file holds, or what this build can do",
                           "  diskann info index.bin\n"
                           "  diskann info vectors.fvecs --preview 3 --distribution --duplicates\n"
                           "  diskann info index.bin --detailed --validate --memory\n"
                           "  diskann info truth.bin\n"
                           "  diskann info\n",
                           declare};

}  // namespace diskann::cli
