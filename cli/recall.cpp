#include <fmt/format.h>

#include <memory>

#include "command.hpp"
#include "diskann/evaluation.hpp"
#include "figures.hpp"
#include "json_row.hpp"
#include "result_text.hpp"

namespace diskann::cli {
namespace {

struct RecallOptions {
  std::filesystem::path truth, results;
  std::optional<std::uint64_t> k;
};

void compare(const RecallOptions& options, Session& session) {
  const SearchResults truth = read_any_results(options.truth);
  const SearchResults found = read_any_results(options.results);
  if (found.rows != truth.rows) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{} has {}, {} has {}", options.results.string(), counted(found.rows, "query", "queries"),
                            options.truth.string(), truth.rows),
                "compare results of the same queries");
  }
  const std::uint64_t k = options.k.value_or(std::min(found.k, truth.k));
  const double recall = recall_at(found, truth, k);
  if (session.json()) {
    session.row(JsonRow().add("command", "recall").add("k", k).add("queries", found.rows).add("recall", recall));
  } else {
    session.print(fmt::format("recall@{}  {:.6f}  ({})", k, recall, counted(found.rows, "query", "queries")));
  }
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto options = std::make_shared<RecallOptions>();
  arguments.option("-g,--groundtruth,--ground-truth", options->truth, "FILE",
                   "True neighbours: .bin, .ivecs, .txt or .json", Need::Required);
  arguments.option("-r,--results", options->results, "FILE", "Results: .bin, .ivecs, .txt or .json", Need::Required);
  arguments.option("-k", options->k, "N", "Hits that count (default: as many as both files have)");
  return [options](Session& session) { compare(*options, session); };
}

}  // namespace

const Command kRecallCommand{"recall", "Tell which share of the true neighbours a result file holds",
                             "  diskann recall -g truth.bin -r results.txt -k 10\n"
                             "  diskann recall -g truth.ivecs -r results.bin --json\n",
                             declare};

}  // namespace diskann::cli
