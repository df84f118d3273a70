#include "index/code_trial.hpp"

#include <algorithm>
#include <atomic>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "graph/candidate_list.hpp"
#include "quantization/build_codes.hpp"

namespace diskann::index {
namespace {

using base::Slot;

constexpr std::size_t kProbes = 256;
constexpr std::size_t kLookedAt = 40;     // rows that codes put first, at most; a quarter of few
constexpr std::size_t kWanted = 10;       // nearest rows that should be among them, at most; a quarter as well
constexpr double kLeastAgreement = 0.95;  // of all neighbours
constexpr double kMostLost = 0.01;        // of the probes: rows that lose half of their neighbours or more

}  // namespace

bool codes_tell_neighbors(const graph::CodeSpace& space, Distance metric, const float* inverse_norms,
                          base::ThreadTeam& team) {
  const base::RowsView& rows = space.rows();
  if (rows.rows < 2) return true;
  const std::size_t looked_at = std::clamp<std::size_t>(rows.rows / 4, 1, kLookedAt);
  const std::size_t most_wanted = std::clamp<std::size_t>(looked_at / 4, 1, kWanted);
  const std::vector<Slot> probes = base::sample(rows.rows, kProbes, base::Random(3));
  const std::vector<std::vector<Slot>> nearest = quantization::nearest_rows(probes, metric, rows, inverse_norms, team);
  std::atomic<std::size_t> all = 0, kept = 0, lost = 0;
  team.run(probes.size(), 8, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    constexpr std::size_t kBlock = 256;
    graph::CodeSpace::Buffer buffer(rows.dimension);
    graph::CandidateList list(kBlock);
    std::vector<Slot> slots(kBlock);
    std::vector<float> distances(kBlock);
    for (std::uint64_t p = begin; p < end; ++p) {
      const VectorView row(rows.row(probes[p]), rows.type, 1, rows.dimension, rows.stride);
      const graph::CodeSpace::Query query = space.prepare(row, buffer);
      list.reset(looked_at + 1);  // the row itself among them
      for (std::size_t first = 0; first < rows.rows; first += kBlock) {
        const std::size_t count = std::min(kBlock, rows.rows - first);
        std::iota(slots.begin(), slots.end(), static_cast<Slot>(first));
        space.score(query, slots.data(), count, distances.data());
        list.merge(distances.data(), slots.data(), count);
      }
      // By distance: equal rows stand for one another.
      space.exact(query, nearest[p].data(), nearest[p].size(), distances.data());
      const std::size_t wanted = std::min(most_wanted, nearest[p].size());
      std::sort(distances.begin(), distances.begin() + static_cast<std::ptrdiff_t>(nearest[p].size()));
      const float limit = distances[wanted - 1];
      std::size_t found = 0;
      for (const graph::Candidate candidate : list.entries())
        if (graph::slot_of(candidate) != probes[p]) slots[found++] = graph::slot_of(candidate);
      space.exact(query, slots.data(), found, distances.data());
      const auto near = static_cast<std::size_t>(std::count_if(distances.begin(),
                                                               distances.begin() + static_cast<std::ptrdiff_t>(found),
                                                               [&](float distance) { return distance <= limit; }));
      all += wanted;
      kept += std::min(near, wanted);
      if (2 * near <= wanted) ++lost;
    }
  });
  return static_cast<double>(kept) >= kLeastAgreement * static_cast<double>(all) &&
         static_cast<double>(lost) <= kMostLost * static_cast<double>(probes.size());
}

}  // namespace diskann::index
