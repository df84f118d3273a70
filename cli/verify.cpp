#include <fmt/format.h>

#include <memory>

#include "command.hpp"
#include "diskann/inspect.hpp"
#include "figures.hpp"
#include "inputs.hpp"
#include "json_row.hpp"

namespace diskann::cli {
namespace {

struct VerifyOptions {
  IndexInput index;
  std::uint32_t threads = 0;
};

void check(const VerifyOptions& options, Session& session) {
  const VerifyReport report =
      verify(options.index.path, open_options(options.index), session.execution(options.threads));
  session.end_progress();
  if (session.json()) {
    session.row(JsonRow()
                    .add("command", "verify")
                    .add("index", options.index.path.string())
                    .add("ok", report.ok())
                    .add("nodes", report.graph.nodes)
                    .add("edges", report.graph.edges)
                    .add("smallest_degree", report.graph.smallest_degree)
                    .add("largest_degree", report.graph.largest_degree)
                    .add("unreachable", report.graph.unreachable)
                    .add("checks", std::span<const std::string>(report.checks))
                    .add("problems", std::span<const std::string>(report.problems)));
  } else {
    for (const std::string& line : report.checks) session.print("checked  " + line);
    for (const std::string& line : report.problems) session.print("PROBLEM  " + line);
  }
  if (!report.ok()) {
    throw Error(ErrorCode::Corrupt,
                fmt::format("{}: {} problem{} found", options.index.path.string(), report.problems.size(),
                            report.problems.size() == 1 ? "" : "s"),
                "do not use this index: restore it, or build it again");
  }
  if (!session.json()) {
    session.print(fmt::format("ok       {} · {} nodes, {} edges, all reachable", options.index.path.string(),
                              count_text(report.graph.nodes), count_text(report.graph.edges)));
  }
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<VerifyOptions>();
  arguments.option("index,-i,--index,--input", options->index.path, "FILE", "Index to check", Need::Required);
  arguments.option("-j,--threads", options->threads, "N", "Threads; 0 is all (default)");
  declare_index_flags(arguments, options->index, false);
  return [options](Session& session) { check(*options, session); };
}

}  // namespace

const Command kVerifyCommand{"verify", "Check every checksum, edge and id of an index",
                             "  diskann verify index.bin\n"
                             "  diskann verify -i microsoft_prefix -m l2 --dtype f32 --json\n",
                             declare};

}  // namespace diskann::cli
