#include <fmt/format.h>

#include <memory>

#include "command.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"
#include "quality.hpp"

namespace diskann::cli {
namespace {

struct VerifyOptions {
  std::optional<std::filesystem::path> path;
  IndexInput index;
  std::uint32_t threads = 0;
  bool quality = false;
  std::optional<std::filesystem::path> reference;
};

void check(const VerifyOptions& options, Session& session) {
  std::optional<QualityReference> reference;
  if (options.reference) {
    if (!options.quality) throw UsageError("--reference without --quality", "add --quality");
    reference = read_quality(*options.reference);
  }
  if (options.index.metric || options.index.type) (void)inspect_index(options.index);  // refuses what contradicts it
  const VerifyReport report =
      verify(options.index.path, open_options(options.index), session.execution(options.threads));
  std::optional<QualityReport> quality;
  if (options.quality && report.ok()) {
    const Index index = open_index(options.index, session.execution(options.threads));
    quality = measure_quality(index, {}, session.execution(options.threads));
  }
  session.end_progress();
  if (session.json()) {
    JsonRow row;
    row.add("command", "verify")
        .add("index", options.index.path.string())
        .add("ok", report.ok())
        .add("nodes", report.graph.nodes)
        .add("edges", report.graph.edges)
        .add("smallest_degree", report.graph.smallest_degree)
        .add("largest_degree", report.graph.largest_degree)
        .add("unreachable", report.graph.unreachable)
        .add("checks", std::span<const std::string>(report.checks))
        .add("problems", std::span<const std::string>(report.problems))
        .add("warnings", std::span<const std::string>(report.warnings));
    if (quality) add_quality(*quality, reference, row);
    session.row(row);
  } else {
    for (const std::string& line : report.checks) session.print("checked  " + line);
    for (const std::string& line : report.problems) session.print("PROBLEM  " + line);
    for (const std::string& line : report.warnings) session.print("warning  " + line);
  }
  if (!report.ok()) {
    throw Error(ErrorCode::Corrupt,
                fmt::format("{}: {} found", options.index.path.string(),
                            counted(report.problems.size(), "problem", "problems")),
                "do not use this index: restore it, or build it again");
  }
  if (!session.json()) {
    if (quality) print_quality(*quality, report.graph, reference, session);
    session.print(fmt::format(
        "ok       {} · {}, {}, {}", options.index.path.string(), counted(report.graph.nodes, "node", "nodes"),
        counted(report.graph.edges, "edge", "edges"),
        report.graph.unreachable == 0 ? "all reachable"
                                      : fmt::format("{} not reachable", count_text(report.graph.unreachable))));
  }
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<VerifyOptions>();
  arguments.option("index,-i,--index,--input", options->path, "FILE", "Index to check, with -i or without (required)");
  arguments.threads(options->threads);
  arguments.flag("--quality", options->quality,
                 "Also search for 1,000 stored rows: what recall@10 of 0.95 takes, beside exact search");
  arguments.option("--reference", options->reference, "FILE",
                   "What --quality --json wrote of another index of these vectors: how this one compares");
  declare_index_flags(arguments, options->index, false);
  return [options](Session& session) {
    if (!options->path) throw UsageError("no index given", "name one: diskann verify FILE");
    options->index.path = *options->path;
    check(*options, session);
  };
}

}  // namespace

const Command kVerifyCommand{"verify", "Check every checksum, edge and id of an index",
                             "  diskann verify index.bin\n"
                             "  diskann verify index.bin --quality\n"
                             "  diskann verify index.bin --quality --json > good.json\n"
                             "  diskann verify other.bin --quality --reference good.json\n"
                             "  diskann verify -i microsoft_prefix -m l2 --dtype f32 --json\n",
                             declare};

}  // namespace diskann::cli
