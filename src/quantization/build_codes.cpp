#include "quantization/build_codes.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <vector>

#include "distance/kernels.hpp"

namespace diskann::quantization {
namespace {

using base::Slot;

constexpr std::size_t kSampleValues = std::size_t{1} << 18;  // that the range of the grid is taken from
constexpr std::size_t kProbes = 32;                          // rows whose nearest neighbours are compared
constexpr std::size_t kNeighbors = 10;
constexpr double kLeastAgreement = 0.9;  // of the neighbours by codes with those by rows

/// The components of a row, scaled to length 1 where there is an inverse norm.
class RowReader {
 public:
  RowReader(const base::RowsView& rows, const float* norms) : rows_(rows), norms_(norms) {}
  template <class F>
  void for_each(std::size_t row, const F& f) const {
    const float scale = norms_ == nullptr ? 1.0f : norms_[row];
    if (rows_.type == VectorType::F32) {
      const auto* values = reinterpret_cast<const float*>(rows_.row(row));
      for (std::size_t j = 0; j < rows_.dimension; ++j) f(j, values[j] * scale);
    } else {
      const auto* values = reinterpret_cast<const float16*>(rows_.row(row));
      for (std::size_t j = 0; j < rows_.dimension; ++j) f(j, static_cast<float>(values[j]) * scale);
    }
  }

 private:
  const base::RowsView& rows_;
  const float* norms_;
};

/// code = round((value - zero) / step), clamped to [least, most].
struct Grid {
  float zero = 0, step = 1;
  float least = 0, most = 255;

  float place(float value) const noexcept { return std::clamp(std::nearbyint((value - zero) / step), least, most); }
};

/// Spans all but a few of the values of a sample of rows.
Grid choose_grid(const RowReader& reader, const base::RowsView& rows, bool symmetric) {
  std::vector<float> values;
  const std::size_t count = std::clamp<std::size_t>(kSampleValues / rows.dimension, 1, rows.rows);
  values.reserve(count * rows.dimension);
  for (std::size_t i = 0; i < count; ++i)
    reader.for_each(i * rows.rows / count, [&](std::size_t, float value) { values.push_back(value); });
  if (symmetric) {  // the largest products decide: nothing of the sample is cut off
    float largest = 0;
    for (const float value : values) largest = std::max(largest, std::abs(value));
    return {0, largest / 127.0f, -127, 127};
  }
  const auto cut = static_cast<std::ptrdiff_t>(values.size() / 5000);
  const auto low = values.begin() + cut;
  const auto high = values.end() - 1 - cut;
  std::nth_element(values.begin(), low, values.end());
  const float least = *low;
  std::nth_element(values.begin(), high, values.end());
  return {least, (*high - least) / 255.0f, 0, 255};
}

template <class Code>
base::RowStore encode(const Grid& grid, const RowReader& reader, const base::RowsView& rows, VectorType type,
                      base::ThreadTeam& team) {
  base::RowStore codes(type, rows.rows, rows.dimension);
  team.run(rows.rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      auto* code = reinterpret_cast<Code*>(codes.row(i));
      reader.for_each(i, [&](std::size_t j, float value) { code[j] = static_cast<Code>(grid.place(value)); });
    }
  });
  return codes;
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

/// The exact nearest neighbours of rows spread over all, themselves excluded: one pass for all of them.
std::vector<Nearest> neighbors_of_probes(Distance metric, const base::RowsView& rows, const float* norms,
                                         base::ThreadTeam& team) {
  const std::size_t probes = std::min(kProbes, rows.rows);
  std::vector<Slot> slots;
  std::vector<distance::QueryBuffer> buffers;
  std::vector<distance::Query> queries;
  for (std::size_t p = 0; p < probes; ++p) {
    slots.push_back(static_cast<Slot>(p * rows.rows / probes));
    buffers.emplace_back(rows.dimension);
    queries.push_back(buffers.back().prepare_stored(rows, slots[p], norms == nullptr ? 0.0f : norms[slots[p]]));
  }
  const distance::KernelTable& kernels = distance::kernels(metric, rows.type, queries.front().form);

  constexpr std::size_t kBlock = 64;
  std::vector<Nearest> nearest(probes);
  std::mutex mutex;
  team.run(rows.rows, 16 * kBlock, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    std::vector<Nearest> mine(probes);
    float distances[kBlock];
    for (std::uint64_t first = begin; first < end; first += kBlock) {
      const std::uint64_t count = std::min<std::uint64_t>(kBlock, end - first);
      for (std::size_t p = 0; p < probes; ++p) {
        kernels.block(queries[p], rows, norms == nullptr ? nullptr : norms + first, first, count, distances);
        for (std::uint64_t i = 0; i < count; ++i)
          if (first + i != slots[p]) mine[p].offer(distances[i], static_cast<Slot>(first + i));
      }
    }
    const std::lock_guard lock(mutex);
    for (std::size_t p = 0; p < probes; ++p) nearest[p].offer(mine[p]);
  });
  return nearest;
}

}  // namespace

std::optional<BuildCodes> encode_for_building(Distance metric, const base::RowsView& rows, const float* norms,
                                              base::ThreadTeam& team) {
  if (rows.type == VectorType::U8 || rows.type == VectorType::I8 || rows.rows < 2) return std::nullopt;
  const bool products = metric == Distance::InnerProduct;
  const RowReader reader(rows, norms);
  const Grid grid = choose_grid(reader, rows, products);
  if (!(grid.step > 0)) return std::nullopt;
  BuildCodes codes = products ? BuildCodes{encode<std::int8_t>(grid, reader, rows, VectorType::I8, team), metric}
                              : BuildCodes{encode<std::uint8_t>(grid, reader, rows, VectorType::U8, team)};

  const std::vector<Nearest> by_rows = neighbors_of_probes(metric, rows, norms, team);
  const std::vector<Nearest> by_codes = neighbors_of_probes(codes.metric, codes.rows, nullptr, team);
  std::size_t shared = 0, all = 0;
  for (std::size_t p = 0; p < by_rows.size(); ++p) {
    shared += by_rows[p].shared_with(by_codes[p]);
    all += by_rows[p].size();
  }
  if (static_cast<double>(shared) < kLeastAgreement * static_cast<double>(all)) return std::nullopt;
  return codes;
}

}  // namespace diskann::quantization
