#include "quantization/build_codes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "distance/tiles.hpp"
#include "quantization/row_reader.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::quantization {
namespace {

using base::Slot;

constexpr std::size_t kProbes = 256;  // rows whose nearest neighbours are compared
constexpr std::size_t kNeighbors = 10;
constexpr double kLeastAgreement = 0.9;    // of all neighbours by codes with those by rows
constexpr double kMostLost = 0.01;         // of the probes: rows that lose half of their neighbours or more
constexpr double kMostCollisions = 0.001;  // of the rows: those that differ from another with the same code

/// Mean of some rows, padded as tiles read it.
std::vector<float> mean_of(const std::vector<Slot>& slots, const base::RowsView& rows) {
  std::vector<float> mean(base::round_up(rows.dimension, distance::TileBlock::kPanel));
  const RowReader reader(rows, nullptr);
  for (const Slot slot : slots) {
    reader.for_each(slot, [&](std::size_t j, float value) { mean[j] += value / static_cast<float>(slots.size()); });
  }
  return mean;
}

/// The nearest rows seen so far, as a heap with the farthest on top.
class Nearest {
 public:
  void offer(float distance, Slot slot) {
    const std::pair candidate(distance, slot);
    if (heap_.size() == kNeighbors) {
      if (candidate >= heap_.front()) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end());
  }
  void offer(const Nearest& other) {
    for (const auto& [distance, slot] : other.heap_) offer(distance, slot);
  }
  std::size_t size() const noexcept { return heap_.size(); }
  std::size_t shared_with(const Nearest& other) const {
    return static_cast<std::size_t>(std::count_if(heap_.begin(), heap_.end(), [&](const auto& mine) {
      return std::any_of(other.heap_.begin(), other.heap_.end(),
                         [&](const auto& its) { return its.second == mine.second; });
    }));
  }

 private:
  std::vector<std::pair<float, Slot>> heap_;
};

/// The nearest neighbours of some rows, themselves excluded: one pass over all.
std::vector<Nearest> neighbors_of(const std::vector<Slot>& probes, Distance metric, const base::RowsView& rows,
                                  const float* norms, base::ThreadTeam& team) {
  constexpr std::size_t kBlock = 96;
  const bool integers = rows.type == VectorType::U8 || rows.type == VectorType::I8;
  const distance::TileKernels& kernels = distance::tiles(metric, rows.type, integers ? rows.type : VectorType::F32);
  const std::vector<float> center = integers || metric != Distance::L2 ? std::vector<float>() : mean_of(probes, rows);
  distance::TileSource source{rows, norms, probes.data(), 0, probes.size(), center.empty() ? nullptr : center.data()};
  distance::TileBlock left;
  kernels.load(source, false, left);
  source.slots = nullptr;

  struct Scratch {
    distance::TileBlock block;
    std::vector<float> distances;
    std::vector<Nearest> nearest;
  };
  std::vector<Scratch> scratch(team.threads());
  team.run(rows.rows, kBlock, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    auto& [block, distances, nearest] = scratch[thread];
    nearest.resize(probes.size());
    distance::TileSource some = source;
    some.first = begin;
    some.count = end - begin;
    kernels.load(some, true, block);
    const std::size_t stride = block.padded_rows();
    distances.resize(left.padded_rows() * stride);
    kernels.multiply(left, 0, probes.size(), block, distances.data(), stride);
    for (std::size_t p = 0; p < probes.size(); ++p) {
      for (std::uint64_t i = begin; i < end; ++i)
        if (i != probes[p]) nearest[p].offer(distances[p * stride + i - begin], static_cast<Slot>(i));
    }
  });
  std::vector<Nearest> nearest(probes.size());
  for (const Scratch& of_thread : scratch) {
    for (std::size_t p = 0; p < of_thread.nearest.size(); ++p) nearest[p].offer(of_thread.nearest[p]);
  }
  return nearest;
}

/// Whether the codes of a sample of rows have the neighbours that the rows have. A small group of rows that lie closer
/// together than the grid can tell is lost on it while all others are well, so the worst count as well as the mean.
bool keep_neighbors(Distance metric, const base::RowsView& rows, const float* norms, const BuildCodes& codes,
                    base::ThreadTeam& team) {
  const std::vector<Slot> probes = base::sample(rows.rows, kProbes, base::Random(2));
  const std::vector<Nearest> by_rows = neighbors_of(probes, metric, rows, norms, team);
  const std::vector<Nearest> by_codes = neighbors_of(probes, codes.metric, codes.rows, nullptr, team);
  std::size_t shared = 0, all = 0, lost = 0;
  for (std::size_t p = 0; p < probes.size(); ++p) {
    const std::size_t kept = by_rows[p].shared_with(by_codes[p]);
    shared += kept;
    all += by_rows[p].size();
    if (2 * kept <= by_rows[p].size()) ++lost;
  }
  return static_cast<double>(shared) >= kLeastAgreement * static_cast<double>(all) &&
         static_cast<double>(lost) <= kMostLost * static_cast<double>(probes.size());
}

/// Rows whose code another row has too.
std::size_t count_collisions(const base::RowsView& codes, base::ThreadTeam& team) {
  base::HugeArray<std::uint64_t> hashes(codes.rows);
  team.run(codes.rows, 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i)
      hashes[i] = std::hash<std::string_view>()({reinterpret_cast<const char*>(codes.row(i)), codes.stride});
  });
  std::sort(hashes.begin(), hashes.end());
  std::size_t collisions = 0;
  for (std::size_t i = 1; i < hashes.size(); ++i) collisions += hashes[i] == hashes[i - 1] ? 1 : 0;
  return collisions;
}

}  // namespace

std::optional<BuildCodes> encode_for_building(Distance metric, const base::RowsView& rows, const float* norms,
                                              base::ThreadTeam& team) {
  if (rows.type == VectorType::U8 || rows.type == VectorType::I8 || rows.rows < 2) return std::nullopt;
  const bool products = metric == Distance::InnerProduct;
  const Grid grid = choose_grid(rows, norms, products ? VectorType::I8 : VectorType::U8);
  if (!(grid.step > 0)) return std::nullopt;
  BuildCodes codes{encode(grid, rows, norms, team), products ? metric : Distance::L2};

  // By inner product rows of small norm are nobody's nearest, so that it does not matter whether codes tell them apart.
  const double most = kMostCollisions * static_cast<double>(rows.rows);
  if (!products && static_cast<double>(count_collisions(codes.rows, team)) > most) return std::nullopt;
  if (!keep_neighbors(metric, rows, norms, codes, team)) return std::nullopt;
  return codes;
}

}  // namespace diskann::quantization
