#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "diskann/evaluation.hpp"
#include "index/index_state.hpp"

namespace diskann {
namespace {

/// A graph that needs more is a poor one: how poor is not worth minutes.
constexpr std::uint32_t kLongestList = 1000;

void check(const Index& index, const QualityOptions& options) {
  const auto refuse = [](const std::string& what) { throw Error(ErrorCode::InvalidArgument, what); };
  if (index.metric() == Distance::Custom)
    throw Error(ErrorCode::Unsupported, "there is no exact search by a user's distance to compare with");
  if (!index.has_vectors())
    throw Error(ErrorCode::Unsupported, "the index holds no vectors to compare with",
                "give queries and their truth to diskann benchmark");
  if (options.queries == 0) refuse("no queries asked for");
  if (options.k == 0) refuse("k must be at least 1");
  if (!(options.recall > 0 && options.recall <= 1))
    refuse("a recall of " + std::to_string(options.recall) + " is not in (0, 1]");
}

/// Stored rows, their true neighbours, and searches for them.
class Probes {
 public:
  Probes(const Index& index, const QualityOptions& options, const Execution& execution)
      : index_(index), k_(options.k), execution_(execution) {
    const base::RowsView& rows = index.state().rows.view();
    const auto slots = base::sample(rows.rows, options.queries, base::Random(options.seed));
    queries_ = VectorSet(rows.type, slots.size(), rows.dimension);
    for (std::size_t i = 0; i < slots.size(); ++i)
      std::copy_n(rows.row(slots[i]), rows.dimension * size_of(rows.type), queries_.row(i));
    truth_ = compute_ground_truth({rows.data, rows.type, rows.rows, rows.dimension, rows.stride}, queries_,
                                  index.metric(), k_, execution);
  }

  /// With a list of this size.
  void search(std::uint32_t search_list_size, QualityReport& report) const {
    SearchStatistics statistics;
    const SearchResults found = index_.search_batch(queries_, k_, {search_list_size}, execution_, &statistics);
    const auto queries = static_cast<double>(queries_.rows());
    report.search_list_size = search_list_size;
    report.recall = recall(found, k_);
    report.hops = static_cast<double>(statistics.hops) / queries;
    report.distance_computations = static_cast<double>(statistics.distance_computations) / queries;
    report.self_recall = recall(found, 1);
  }
  std::size_t count() const noexcept { return queries_.rows(); }

 private:
  /// By distance: a node may hold several points, and the truth knows nodes.
  double recall(const SearchResults& found, std::size_t k) const {
    std::size_t hits = 0, wanted = 0;
    for (std::size_t i = 0; i < found.rows; ++i) {
      const auto ids = truth_.ids_of(i).first(k);
      const auto real = static_cast<std::size_t>(std::find(ids.begin(), ids.end(), kNoId) - ids.begin());
      const float limit = truth_.distances_of(i)[real - 1];
      const auto distances = found.distances_of(i).first(real);
      wanted += real;
      hits += static_cast<std::size_t>(
          std::count_if(distances.begin(), distances.end(), [&](float distance) { return distance <= limit; }));
    }
    return static_cast<double>(hits) / static_cast<double>(wanted);
  }

  const Index& index_;
  std::size_t k_;
  const Execution& execution_;
  VectorSet queries_;
  SearchResults truth_;
};

}  // namespace

QualityReport measure_quality(const Index& index, const QualityOptions& options, const Execution& execution) {
  check(index, options);
  const Probes probes(index, options, execution);
  QualityReport report;
  report.queries = probes.count();
  report.duplicates = index.size() - index.state().rows.view().rows;

  auto least = static_cast<std::uint32_t>(options.k);
  const std::uint32_t longest = std::max(least, kLongestList);
  probes.search(least, report);
  const double self_recall = report.self_recall;
  std::uint32_t most = least;  // then between the last list too small and the first that is large enough
  while (report.recall < options.recall && most < longest) {
    least = most;
    most = std::min(longest, 2 * most);
    probes.search(most, report);
  }
  if (report.recall >= options.recall && most > least) {
    while (most - least > 1) {
      const std::uint32_t middle = least + (most - least) / 2;
      QualityReport there;
      probes.search(middle, there);
      (there.recall < options.recall ? least : most) = middle;
    }
    probes.search(most, report);
  }
  report.self_recall = self_recall;
  return report;
}

}  // namespace diskann
