#include "graph/look.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "distance/tiles.hpp"
#include "graph/partition.hpp"
#include "graph/row_walker.hpp"

namespace diskann::graph {
namespace {

constexpr std::size_t kAnswers = 10;

/// The mean of what `judge(i, query, found)` says of a walk to every probe.
template <class Judge>
double walk_to(const std::vector<Slot>& probes, const KernelSpace& space, const Graph& graph,
               std::uint32_t search_list_size, base::ThreadTeam& team, const Judge& judge) {
  std::vector<double> verdicts(probes.size());
  const EntryPoints entry_points(space, graph.entry_points);
  RowWalker<KernelSpace> walker(space, graph.adjacency, entry_points, search_list_size, team);
  walker.walk_to(probes, [&](std::size_t i, const KernelSpace::Query& query, std::span<const Candidate> found) {
    verdicts[i] = judge(i, query, found);
  });
  return std::accumulate(verdicts.begin(), verdicts.end(), 0.0) / static_cast<double>(probes.size());
}

/// Metrics by which a row is nearest to itself.
double look_for_rows(const std::vector<Slot>& probes, const KernelSpace& space, const Graph& graph,
                     base::ThreadTeam& team) {
  return walk_to(probes, space, graph, 10, team,
                 [&](std::size_t i, const KernelSpace::Query& query, const auto& found) {
                   const std::span<const Slot> neighbors = graph.adjacency.neighbors(probes[i]);
                   std::vector<float> distances(neighbors.size());
                   space.score(query, neighbors.data(), neighbors.size(), distances.data());
                   std::sort(distances.begin(), distances.end());
                   const auto comes_near = [&](Candidate candidate) {
                     return slot_of(candidate) == probes[i] ||
                            (!distances.empty() && distance_of(candidate) <= distances[distances.size() / 2]);
                   };
                   return std::any_of(found.begin(), found.end(), comes_near) ? 1.0 : 0.0;
                 });
}

/// The distance of every probe to the last of its answers, by comparing it with all rows.
std::vector<float> farthest_answers(const std::vector<Slot>& probes, const KernelSpace& space, base::ThreadTeam& team) {
  constexpr std::size_t kBlock = 1024;
  struct Worker {
    distance::TileBlock block;
    base::HugeArray<float> distances;
    std::vector<std::vector<Candidate>> answers;  // of each probe among the rows that this thread saw
  };
  const distance::TileKernels& tiles = distance::tiles(space.metric(), space.rows().type, tile_form(space.rows()));
  distance::TileBlock left;
  tiles.load({space.rows(), space.inverse_norms(), probes.data(), 0, probes.size(), nullptr}, false, left);
  std::vector<Worker> workers(team.threads());
  const auto keep_nearest = [](std::vector<Candidate>& answers) {
    if (answers.size() <= kAnswers) return;
    std::nth_element(answers.begin(), answers.begin() + kAnswers - 1, answers.end());
    answers.resize(kAnswers);
  };
  team.run(space.rows().rows, kBlock, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    Worker& worker = workers[thread];
    worker.answers.resize(probes.size());
    if (worker.distances.size() == 0)
      worker.distances = base::HugeArray<float>(base::round_up(probes.size(), 8) * kBlock);
    tiles.load({space.rows(), space.inverse_norms(), nullptr, begin, end - begin, nullptr}, true, worker.block);
    const std::size_t stride = worker.block.padded_rows();
    tiles.multiply(left, 0, probes.size(), worker.block, worker.distances.data(), stride);
    for (std::size_t i = 0; i < probes.size(); ++i) {
      std::vector<Candidate>& answers = worker.answers[i];
      const float* const row = worker.distances.data() + i * stride;
      for (std::size_t j = 0; j < end - begin; ++j)
        answers.push_back(make_candidate(row[j], static_cast<Slot>(begin + j)));
      keep_nearest(answers);
    }
  });

  std::vector<float> farthest(probes.size());
  KernelSpace::Buffer buffer(space.rows().dimension);
  for (std::size_t i = 0; i < probes.size(); ++i) {
    std::vector<Candidate> all;
    for (const Worker& worker : workers)
      if (!worker.answers.empty()) all.insert(all.end(), worker.answers[i].begin(), worker.answers[i].end());
    keep_nearest(all);
    const Slot last = slot_of(*std::max_element(all.begin(), all.end()));
    space.score(space.stored_query(probes[i], buffer), &last, 1, &farthest[i]);  // as walks measure it
  }
  return farthest;
}

double look_for_answers(const std::vector<Slot>& probes, const KernelSpace& space, const Graph& graph,
                        base::ThreadTeam& team) {
  const std::vector<float> farthest = farthest_answers(probes, space, team);
  const std::size_t wanted = std::min(kAnswers, space.rows().rows);
  return walk_to(probes, space, graph, 64, team, [&](std::size_t i, const KernelSpace::Query&, const auto& found) {
    const auto is_answer = [&](Candidate candidate) { return distance_of(candidate) <= farthest[i]; };
    const auto answers = static_cast<std::size_t>(std::count_if(found.begin(), found.end(), is_answer));
    return static_cast<double>(std::min(answers, wanted)) / static_cast<double>(wanted);
  });
}

}  // namespace

bool leads_home(const KernelSpace& space, const Graph& graph, std::uint64_t seed, base::ThreadTeam& team) {
  const bool products = space.metric() == Distance::InnerProduct;
  const std::vector<Slot> probes =
      base::sample(space.rows().rows, products ? 200 : 1000, base::Random(base::mix(seed + 1)));
  return products ? look_for_answers(probes, space, graph, team) >= 0.9
                  : look_for_rows(probes, space, graph, team) >= 0.98;
}

}  // namespace diskann::graph
