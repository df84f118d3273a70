#include "graph/entry_points.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/random.hpp"
#include "graph/candidate_list.hpp"

namespace diskann::graph {
namespace {

constexpr std::size_t kLargeNorms = 16;
constexpr std::size_t kLeaders = 16;

/// Mean of the rows, each scaled by its inverse norm where there are norms, in double precision: the sum of a fixed cut
/// into parts, so that it does not depend on the threads.
std::vector<float> mean_row(const base::RowsView& rows, const float* norms, base::ThreadTeam& team) {
  constexpr std::size_t kParts = 64;
  std::vector<std::vector<double>> sums(kParts, std::vector<double>(rows.dimension));
  team.run(kParts, 1, [&](unsigned, std::uint64_t part, std::uint64_t) {
    std::vector<double>& sum = sums[part];
    const auto add = [&]<class T>(const T* row, double scale) {
      for (std::size_t j = 0; j < rows.dimension; ++j) sum[j] += scale * static_cast<double>(row[j]);
    };
    for (std::size_t i = rows.rows * part / kParts; i < rows.rows * (part + 1) / kParts; ++i) {
      const double scale = norms != nullptr ? static_cast<double>(norms[i]) : 1.0;
      const std::byte* row = rows.row(i);
      switch (rows.type) {
        case VectorType::F32: add(reinterpret_cast<const float*>(row), scale); break;
        case VectorType::F16: {
          const auto* halves = reinterpret_cast<const float16*>(row);
          for (std::size_t j = 0; j < rows.dimension; ++j) sum[j] += scale * static_cast<float>(halves[j]);
          break;
        }
        case VectorType::I8: add(reinterpret_cast<const std::int8_t*>(row), scale); break;
        case VectorType::U8: add(reinterpret_cast<const std::uint8_t*>(row), scale); break;
      }
    }
  });
  std::vector<float> mean(rows.dimension);
  for (std::size_t j = 0; j < rows.dimension; ++j) {
    double total = 0;
    for (const auto& sum : sums) total += sum[j];
    mean[j] = static_cast<float>(total / static_cast<double>(rows.rows));
  }
  return mean;
}

/// The row nearest to `point` by f32 kernels; the lower slot among equals.
Slot nearest_row(Distance metric, const base::RowsView& rows, const float* norms, const std::vector<float>& point,
                 base::ThreadTeam& team) {
  constexpr std::size_t kRows = 256;
  // Integer forms would round the mean; f32 against the rows' type does not.
  distance::QueryBuffer buffer(rows.dimension);
  const distance::Query query = buffer.prepare(VectorView(point), VectorType::F32, "mean");
  const distance::KernelTable& kernels = distance::kernels(metric, rows.type, VectorType::F32);
  std::vector<Candidate> best(team.threads(), ~Candidate{0});
  team.run(rows.rows, kRows, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    float distances[kRows];
    kernels.block(query, rows, norms != nullptr ? norms + begin : nullptr, begin, end - begin, distances);
    for (std::uint64_t i = begin; i < end; ++i)
      best[thread] = std::min(best[thread], make_candidate(distances[i - begin], static_cast<Slot>(i)));
  });
  return slot_of(*std::min_element(best.begin(), best.end()));
}

std::vector<Slot> largest_norms(const base::RowsView& rows, base::ThreadTeam& team) {
  std::vector<double> norms(rows.rows);
  team.run(rows.rows, 4096, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    distance::squared_norms(rows, begin, end - begin, norms.data() + begin);
  });
  std::vector<Slot> slots(rows.rows);
  std::iota(slots.begin(), slots.end(), Slot{0});
  const std::size_t count = std::min(kLargeNorms, rows.rows);
  std::partial_sort(slots.begin(), slots.begin() + static_cast<std::ptrdiff_t>(count), slots.end(),
                    [&](Slot a, Slot b) { return norms[a] != norms[b] ? norms[a] > norms[b] : a < b; });
  slots.resize(count);
  return slots;
}

void add_once(std::vector<Slot>& slots, Slot slot) {
  if (std::find(slots.begin(), slots.end(), slot) == slots.end()) slots.push_back(slot);
}

/// Fills up to kEntryPoints with rows drawn at random, or with all rows where there are no more.
void add_representatives(std::vector<Slot>& slots, std::size_t rows, std::uint64_t seed) {
  base::Random random(base::mix(seed));
  if (rows <= kEntryPoints) {
    for (std::size_t i = 0; i < rows; ++i) add_once(slots, static_cast<Slot>(i));
  }
  while (slots.size() < std::min(kEntryPoints, rows)) add_once(slots, static_cast<Slot>(random.below(rows)));
}

}  // namespace

std::vector<Slot> choose_entry_points(Distance metric, const base::RowsView& rows, const float* norms,
                                      std::uint64_t seed, base::ThreadTeam& team) {
  const Distance geometry = metric == Distance::Cosine ? Distance::Cosine : Distance::L2;
  std::vector<Slot> entry_points{nearest_row(geometry, rows, norms, mean_row(rows, norms, team), team)};
  if (metric == Distance::InnerProduct) {
    for (const Slot slot : largest_norms(rows, team)) add_once(entry_points, slot);
  }
  add_representatives(entry_points, rows.rows, seed);
  return entry_points;
}

std::vector<Slot> choose_entry_points(const CustomSpace& space, std::uint64_t seed) {
  std::vector<Slot> entry_points;
  add_representatives(entry_points, space.rows().rows, seed);
  CustomSpace::Buffer buffer(space.rows().dimension);
  std::vector<float> distances(entry_points.size());
  std::vector<double> sums;
  for (const Slot slot : entry_points) {
    space.score(space.stored_query(slot, buffer), entry_points.data(), entry_points.size(), distances.data());
    sums.push_back(std::accumulate(distances.begin(), distances.end(), 0.0));
  }
  const auto least = std::min_element(sums.begin(), sums.end()) - sums.begin();
  std::swap(entry_points.front(), entry_points[static_cast<std::size_t>(least)]);
  return entry_points;
}

template <class Space>
EntryPoints::EntryPoints(const Space& space, std::span<const Slot> slots) : EntryPoints(slots) {
  if (slots.size() <= kLeaders) return;
  leaders_ = kLeaders;
  const auto likeness = space.neighborhood();
  typename std::remove_const_t<decltype(likeness)>::Buffer buffer(space.rows().dimension);
  std::vector<float> distances(slots.size());
  std::vector<float> nearest(slots.size(), std::numeric_limits<float>::infinity());  // to the leaders so far
  std::vector<std::size_t> leader(slots.size());                                     // which that is
  for (std::size_t i = 0; i < kLeaders; ++i) {
    const auto farthest = static_cast<std::size_t>(
        std::max_element(nearest.begin() + static_cast<std::ptrdiff_t>(i), nearest.end()) - nearest.begin());
    std::swap(slots_[i], slots_[farthest]);
    std::swap(nearest[i], nearest[farthest]);
    std::swap(leader[i], leader[farthest]);
    likeness.score(likeness.stored_query(slots_[i], buffer), slots_.data(), slots_.size(), distances.data());
    for (std::size_t j = i + 1; j < slots_.size(); ++j) {
      if (!(distances[j] < nearest[j])) continue;
      nearest[j] = distances[j];
      leader[j] = i;
    }
  }
  std::vector<Slot> grouped(slots_.begin(), slots_.begin() + kLeaders);
  for (std::size_t i = 0; i < kLeaders; ++i) {
    for (std::size_t j = kLeaders; j < slots_.size(); ++j)
      if (leader[j] == i) grouped.push_back(slots_[j]);
    ends_.push_back(grouped.size());
  }
  slots_ = std::move(grouped);
}

template EntryPoints::EntryPoints(const KernelSpace&, std::span<const Slot>);
template EntryPoints::EntryPoints(const CodeSpace&, std::span<const Slot>);
template EntryPoints::EntryPoints(const LoneCodeSpace&, std::span<const Slot>);
template EntryPoints::EntryPoints(const CustomSpace&, std::span<const Slot>);

}  // namespace diskann::graph
