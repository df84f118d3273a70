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

constexpr std::size_t kSampleValues = std::size_t{1} << 16, kSampleRows = 4096;
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

/// For each whole number from kLeast on the nearest place.
struct NearestPlaces {
  explicit NearestPlaces(const distance::NibblePlaces& places) {
    for (int value = kLeast; value <= kMost; ++value) {
      std::uint8_t best = 0;
      for (std::uint8_t c = 1; c < 16; ++c)
        if (std::abs(places[c] - value) < std::abs(places[best] - value)) best = c;
      code[static_cast<std::size_t>(value - kLeast)] = best;
      place[static_cast<std::size_t>(value - kLeast)] = static_cast<float>(places[best]);
    }
  }
  /// Codes of whole numbers, from kLeast counted, and what they stand for.
  void look_up(const std::uint8_t* __restrict numbers, std::size_t count, std::uint8_t* __restrict codes,
               float* __restrict values) const {
    for (std::size_t j = 0; j < count; ++j) {
      codes[j] = code[numbers[j]];
      values[j] = place[numbers[j]];
    }
  }

  std::array<std::uint8_t, kMost - kLeast + 1> code;
  std::array<float, kMost - kLeast + 1> place;
};

/// Becomes vectors, as the loops that scalar_codes.hpp has.
void centre(const float* __restrict mean, std::size_t count, float* __restrict values) {
  for (std::size_t j = 0; j < count; ++j) values[j] -= mean[j];
}

/// Of a multiple of 8 components, in 8 sums: vectors hold them, in the same order whatever their length.
float dot(const float* a, const float* b, std::size_t count) {
  std::array<float, 8> sums{};
  for (std::size_t i = 0; i < count; i += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += a[i + j] * b[i + j];
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
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
  const NearestPlaces nearest(grid.places);
  const RowReader reader(rows, inverse_norms);
  NibbleCodes codes{base::RowStore(VectorType::U8, rows.rows, distance::nibble_row_bytes(rows.dimension)),
                    std::vector<float>(rows.rows), std::vector<float>(rows.rows)};
  team.run(rows.rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    // Up to whole lines, behind the components zeros, whose codes no line has.
    const std::size_t padded = base::round_up(rows.dimension, distance::kNibblesInLine);
    std::vector<float> values(padded), decoded(padded);
    std::vector<std::uint8_t> places(padded), code(padded);
    for (std::uint64_t i = begin; i < end; ++i) {
      reader.read(i, values.data());
      centre(grid.mean.data(), rows.dimension, values.data());
      clamp_steps(values.data(), 0, grid.step, kLeast, kMost, rows.dimension, decoded.data());
      round_steps(decoded.data(), kLeast, rows.dimension, places.data());
      nearest.look_up(places.data(), rows.dimension, code.data(), decoded.data());
      codes.products[i] = grid.step * dot(decoded.data(), values.data(), padded);
      codes.squares[i] = dot(values.data(), values.data(), padded);
      auto* row = reinterpret_cast<std::uint8_t*>(codes.rows.row(i));
      for (std::size_t j = 0; j < padded; j += distance::kNibblesInLine, row += 64)
        for (std::size_t b = 0; b < 64; ++b) row[b] = static_cast<std::uint8_t>(code[j + b] | code[j + 64 + b] << 4);
    }
  });
  return codes;
}

}  // namespace diskann::quantization
