#include "quality.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "diskann/error.hpp"
#include "figures.hpp"
#include "inputs.hpp"

namespace diskann::cli {
namespace {

/// Such a row is short; whatever is longer is another file.
constexpr std::size_t kLongestRow = std::size_t{1} << 16;

double share_more(const QualityReport& quality, const QualityReference& reference) {
  return quality.distance_computations / reference.distance_computations - 1;
}

}  // namespace

QualityReference read_quality(const std::filesystem::path& path) {
  std::string text(kLongestRow, ' ');
  std::ifstream file = open_text(path);
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  const nlohmann::json row = nlohmann::json::parse(text, nullptr, false);
  QualityReference reference{path};
  const auto number = [&](const char* key, double least) {
    const auto found = row.is_object() ? row.find(key) : row.end();
    if (found != row.end() && found->is_number()) {
      const double value = found->get<double>();
      if (std::isfinite(value) && value >= least) return value;
    }
    throw Error(ErrorCode::InvalidArgument, fmt::format("{}: no '{}' of a graph's quality in it", path.string(), key),
                "give the output of diskann verify INDEX --quality --json");
  };
  reference.recall = number("recall", 0);
  reference.hops = number("hops", 0);
  reference.distance_computations = number("distance_computations", 1e-9);
  return reference;
}

void add_quality(const QualityReport& quality, const std::optional<QualityReference>& reference, JsonRow& row) {
  row.add("queries", quality.queries)
      .add("duplicates", quality.duplicates)
      .add("self_recall", quality.self_recall)
      .add("search_list_size", quality.search_list_size)
      .add("recall", quality.recall)
      .add("hops", quality.hops)
      .add("distance_computations", quality.distance_computations);
  if (!reference) return;
  row.add("reference", reference->path.string())
      .add("reference_recall", reference->recall)
      .add("reference_hops", reference->hops)
      .add("reference_distance_computations", reference->distance_computations);
}

void print_quality(const QualityReport& quality, const GraphStatistics& graph,
                   const std::optional<QualityReference>& reference, Session& session) {
  session.print(fmt::format(
      "quality  degrees {} to {}, {:.1f} on average · {} of other points", graph.smallest_degree, graph.largest_degree,
      static_cast<double>(graph.edges) / static_cast<double>(std::max<std::uint64_t>(graph.nodes, 1)),
      counted(quality.duplicates, "duplicate", "duplicates")));
  session.print(fmt::format("quality  of {} searched for, {:.4f} find their nearest with -L 10",
                            counted(quality.queries, "stored row", "stored rows"), quality.self_recall));
  session.print(fmt::format("quality  recall@10 {:.4f} with -L {}: {:.1f} hops and {:.1f} distances a query",
                            quality.recall, quality.search_list_size, quality.hops, quality.distance_computations));
  if (!reference) return;
  const double more = share_more(quality, *reference);
  session.print(fmt::format("quality  {:.1f} % {} distances than the {:.1f} of {}, at recall {:.4f}",
                            100 * std::abs(more), more < 0 ? "fewer" : "more", reference->distance_computations,
                            reference->path.string(), reference->recall));
}

}  // namespace diskann::cli
