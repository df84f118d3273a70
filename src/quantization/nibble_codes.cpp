#include "quantization/nibble_codes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/random.hpp"
#include "quantization/row_reader.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::quantization {
namespace {

constexpr std::size_t kSampleValues = std::size_t{1} << 18, kSampleRows = 4096;
constexpr int kLloydSteps = 40, kLeast = -64, kMost = 63;

std::vector<float> means_of(const RowReader& reader, const base::RowsView& rows) {
  std::vector<double> sums(rows.dimension);
  const auto sample = base::sample(rows.rows, kSampleRows, base::Random(2));
  for (const base::Slot slot : sample)
    reader.for_each(slot, [&](std::size_t j, float value) { sums[j] += static_cast<double>(value); });
  std::vector<float> means(rows.dimension);
  for (std::size_t j = 0; j < means.size(); ++j)
    means[j] = static_cast<float>(sums[j] / static_cast<double>(sample.size()));
  return means;
}

/// The 16 values with the least squared error to the nearest: from quantiles, by Lloyd's steps over sorted values.
std::array<float, 16> lloyd(const std::vector<float>& sorted) {
  std::vector<double> sums(sorted.size() + 1);
  for (std::size_t i = 0; i < sorted.size(); ++i) sums[i + 1] = sums[i] + static_cast<double>(sorted[i]);
  std::array<float, 16> places;
  for (std::size_t c = 0; c < 16; ++c) places[c] = sorted[(2 * c + 1) * (sorted.size() - 1) / 32];
  for (int step = 0; step < kLloydSteps; ++step) {
    std::size_t begin = 0;
    std::array<float, 16> next = places;
    for (std::size_t c = 0; c < 16; ++c) {
      const auto end =
          c == 15
              ? sorted.size()
              : static_cast<std::size_t>(
                    std::upper_bound(sorted.begin(), sorted.end(), (places[c] + places[c + 1]) / 2) - sorted.begin());
      if (end > begin) next[c] = static_cast<float>((sums[end] - sums[begin]) / static_cast<double>(end - begin));
      begin = std::max(begin, end);
    }
    places = next;
  }
  return places;
}

}  // namespace

NibbleGrid train_nibbles(const base::RowsView& rows, const float* inverse_norms, bool centred) {
  const RowReader reader(rows, inverse_norms);
  NibbleGrid grid;
  grid.mean = centred ? means_of(reader, rows) : std::vector<float>(rows.dimension);
  std::vector<float> values;
  const auto sample = base::sample(rows.rows, kSampleValues / rows.dimension + 1, base::Random(1));
  for (const base::Slot slot : sample)
    reader.for_each(slot, [&](std::size_t j, float value) { values.push_back(value - grid.mean[j]); });
  std::sort(values.begin(), values.end());
  const std::array<float, 16> places = lloyd(values);
  grid.step = std::max(std::abs(places.front()), std::abs(places.back())) / static_cast<float>(kMost);
  if (grid.step < std::numeric_limits<float>::min()) grid.step = 0;  // smaller ones are too coarse to count in
  for (std::size_t c = 0; c < 16 && grid.step > 0; ++c)
    grid.places[c] =
        static_cast<std::int8_t>(std::clamp(static_cast<int>(std::lrint(places[c] / grid.step)), kLeast, kMost));
  return grid;
}

NibbleCodes encode_nibbles(const NibbleGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                           base::ThreadTeam& team) {
  std::array<std::uint8_t, kMost - kLeast + 1> nearest;
  for (int value = kLeast; value <= kMost; ++value) {
    std::uint8_t best = 0;
    for (std::uint8_t c = 1; c < 16; ++c)
      if (std::abs(grid.places[c] - value) < std::abs(grid.places[best] - value)) best = c;
    nearest[static_cast<std::size_t>(value - kLeast)] = best;
  }
  const RowReader reader(rows, inverse_norms);
  NibbleCodes codes{base::RowStore(VectorType::U8, rows.rows, distance::nibble_row_bytes(rows.dimension)),
                    std::vector<float>(rows.rows), std::vector<float>(rows.rows)};
  team.run(rows.rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      auto* row = reinterpret_cast<std::uint8_t*>(codes.rows.row(i));
      float product = 0, square = 0;
      reader.for_each(i, [&](std::size_t j, float value) {
        const float centred = value - grid.mean[j];
        const float steps =
            std::min(std::max(static_cast<float>(kLeast), centred / grid.step), static_cast<float>(kMost));
        const int place = static_cast<int>(round_to_whole(steps));
        const std::uint8_t code = nearest[static_cast<std::size_t>(place - kLeast)];
        row[j / 128 * 64 + j % 64] |= static_cast<std::uint8_t>(j % 128 < 64 ? code : code << 4);
        product += centred * static_cast<float>(grid.places[code]);
        square += centred * centred;
      });
      codes.products[i] = product * grid.step;
      codes.squares[i] = square;
    }
  });
  return codes;
}

}  // namespace diskann::quantization
