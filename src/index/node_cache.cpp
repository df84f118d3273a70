#include "index/node_cache.hpp"

#include <atomic>
#include <memory>
#include <numeric>

#include "base/random.hpp"
#include "base/threads.hpp"
#include "graph/search.hpp"

namespace diskann::index {
namespace {

constexpr std::size_t kWalkers = 4096;       // rows
constexpr std::size_t kSearchListSize = 40;  // of a walk

}  // namespace

std::vector<base::Slot> most_visited(const Index::State& state, const Codes& codes, std::size_t count,
                                     const Execution& execution) {
  const base::RowsView& rows = state.rows.view();
  const graph::LoneCodeSpace space(state.metric, rows, codes.walk());
  const graph::EntryPoints entry_points(
      graph::KernelSpace(state.metric, rows, state.norms.empty() ? nullptr : state.norms.data()), state.entry_points);
  const std::vector<base::Slot> walkers = base::sample(rows.rows, kWalkers, base::Random(5));
  const auto visits = std::make_unique<std::atomic<std::uint32_t>[]>(rows.rows);
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "count visits", walkers.size());
  team.run(walkers.size(), 64, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    graph::LoneCodeSpace::Buffer buffer(rows.dimension);
    graph::SearchScratch scratch(rows.rows, std::max(state.graph.stride(), 64u));
    std::vector<graph::Candidate> path;
    scratch.path = &path;
    for (std::uint64_t i = begin; i < end; ++i) {
      const VectorView query(rows.row(walkers[i]), rows.type, 1, rows.dimension, rows.stride);
      graph::Walk<graph::LoneCodeSpace> walk(space, state.graph, space.prepare(query, buffer), entry_points,
                                             graph::Breadth(kSearchListSize), scratch);
      while (walk.gather()) walk.absorb();
      for (const graph::Candidate candidate : path)
        visits[graph::slot_of(candidate)].fetch_add(1, std::memory_order_relaxed);
    }
    progress.add(end - begin);
  });
  std::vector<base::Slot> order(rows.rows);
  std::iota(order.begin(), order.end(), base::Slot{0});
  count = std::min(count, order.size());
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](base::Slot a, base::Slot b) { return visits[a] != visits[b] ? visits[a] > visits[b] : a < b; });
  order.resize(count);
  while (!order.empty() && visits[order.back()] == 0) order.pop_back();
  return order;
}

}  // namespace diskann::index
