#include "quantization/nibble_codes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "base/random.hpp"
#include "quantization/dot.hpp"
#include "quantization/row_reader.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::quantization {
namespace {

constexpr std::size_t kSampleValues = std::size_t{1} << 16;
constexpr int kLloydSteps = 40, kLeast = distance::kLeastOnGrid, kMost = distance::kMostOnGrid;
constexpr std::size_t kComponentsALine = 512;  // for so many one line of 4 bits
constexpr std::size_t kMixedRows = 2048, kMixedProbes = 128;
constexpr std::ptrdiff_t kSpared = 10'000;  // one in so many components may lie outside the grid

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

/// In steps.
distance::NibblePlaces on_grid(const std::array<float, 16>& values, float step) {
  distance::NibblePlaces places{};
  for (std::size_t c = 0; c < 16; ++c)
    places[c] = static_cast<std::int8_t>(std::clamp(static_cast<int>(std::lrint(values[c] / step)), kLeast, kMost));
  return places;
}

float checked_step(float step) {
  return step < std::numeric_limits<float>::min() ? 0 : step;
}  // too coarse to count in

/// Makes codes of one row after the other.
class RowEncoder {
 public:
  RowEncoder(const NibbleGrid& grid)
      : grid_(grid),
        nearest_(grid.places),
        along_means_(direction_of(grid.mean, base::round_up(grid.mean.size(), distance::kNibblesInLine))),
        values_(base::round_up(grid.mean.size(), distance::kNibblesInLine)),
        scratch_(values_.size()),
        bytes_(base::round_up(grid.mean.size(), distance::kBytesInLine)),
        seen_(grid.shape.padded()),
        decoded_(grid.shape.padded()),
        numbers_(grid.shape.padded()),
        codes_(grid.shape.padded()) {}

  /// The values of a row, to be filled in.
  float* values() noexcept { return values_.data(); }
  /// After centring them, the components that are coded, and after decode() what their codes stand for, in steps.
  const float* seen() const noexcept { return seen_.data(); }
  const float* decoded() const noexcept { return decoded_.data(); }
  float square() const noexcept { return dot(values_.data(), values_.data(), values_.size()); }
  float of_means() const noexcept { return dot(values_.data(), along_means_.data(), values_.size()); }
  float product() const noexcept { return grid_.step * dot(decoded_.data(), seen_.data(), seen_.size()); }

  void look() {
    const std::size_t dimension = grid_.mean.size();
    centre(grid_.mean.data(), dimension, values_.data());
    if (grid_.projection) {
      grid_.projection->apply(values_.data(), bytes_.data(), scratch_.data(), seen_.data());
    } else {
      std::copy_n(values_.data(), dimension, seen_.data());
    }
  }
  void decode() {
    const std::size_t bytes = grid_.shape.bytes, components = grid_.shape.components();
    clamp_steps(seen_.data(), 0, grid_.step, kLeast, kMost, components, decoded_.data());
    round_steps(decoded_.data(), kLeast, components, numbers_.data());
    for (std::size_t j = 0; j < bytes; ++j) decoded_[j] = static_cast<float>(numbers_[j] + kLeast);
    nearest_.look_up(numbers_.data() + bytes, components - bytes, codes_.data() + bytes, decoded_.data() + bytes);
  }
  void write(std::byte* to) const {
    auto* row = std::copy_n(numbers_.data(), grid_.shape.bytes, reinterpret_cast<std::uint8_t*>(to));
    for (std::size_t j = grid_.shape.bytes; j < codes_.size(); j += distance::kNibblesInLine, row += 64)
      for (std::size_t b = 0; b < 64; ++b) row[b] = static_cast<std::uint8_t>(codes_[j + b] | codes_[j + 64 + b] << 4);
  }

 private:
  const NibbleGrid& grid_;
  NearestPlaces nearest_;
  std::vector<float> along_means_;
  base::HugeArray<float> values_, scratch_;
  base::HugeArray<std::int8_t> bytes_;
  std::vector<float> seen_, decoded_;
  std::vector<std::uint8_t> numbers_, codes_;
};

std::vector<RowEncoder> encoders_of(const NibbleGrid& grid, const base::ThreadTeam& team) {
  std::vector<RowEncoder> encoders;
  for (unsigned thread = 0; thread < team.threads(); ++thread) encoders.emplace_back(grid);
  return encoders;
}

/// By how much of what the code of a row loses of it, its near neighbours lie along it, of some rows of a sample.
float part_shared(const NibbleGrid& grid, const base::RowsView& sample, base::ThreadTeam& team) {
  const std::size_t dimension = sample.dimension, width = grid.shape.padded();
  std::vector<RowEncoder> encoders = encoders_of(grid, team);
  const auto look_at = [&](RowEncoder& encoder, std::size_t row) {
    // Already centred: what look() takes away is put back.
    const auto* values = reinterpret_cast<const float*>(sample.row(row));
    for (std::size_t j = 0; j < dimension; ++j) encoder.values()[j] = values[j] + grid.mean[j];
    encoder.look();
  };
  std::vector<float> seen(sample.rows * width);
  team.run(sample.rows, 64, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      look_at(encoders[thread], i);
      std::copy_n(encoders[thread].seen(), width, seen.data() + i * width);
    }
  });
  std::vector<float> squares(sample.rows);
  for (std::size_t i = 0; i < sample.rows; ++i) squares[i] = dot(&seen[i * width], &seen[i * width], width);
  const std::size_t probes = std::min(kMixedProbes, sample.rows);
  std::vector<double> lost(probes), shared(probes);
  team.run(probes, 4, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    RowEncoder& encoder = encoders[thread];
    for (std::uint64_t p = begin; p < end; ++p) {
      std::size_t nearest = p;
      float least = std::numeric_limits<float>::infinity();
      for (std::size_t i = 0; i < sample.rows; ++i) {
        const float distance = squares[i] - 2 * dot(&seen[p * width], &seen[i * width], width);
        if (i != p && distance < least) least = distance, nearest = i;
      }
      look_at(encoder, p);
      encoder.decode();
      const auto* row = reinterpret_cast<const float*>(sample.row(p));
      const auto* other = reinterpret_cast<const float*>(sample.row(nearest));
      lost[p] = static_cast<double>(encoder.square() - encoder.product());
      double along = 0;
      for (std::size_t j = 0; j < dimension; ++j) along += static_cast<double>(row[j]) * static_cast<double>(other[j]);
      shared[p] = along - static_cast<double>(grid.step * dot(encoder.decoded(), &seen[nearest * width], width));
    }
  });
  double all = 0, both = 0;
  for (std::size_t p = 0; p < probes; ++p) all += lost[p], both += shared[p];
  return all > 0 ? static_cast<float>(std::clamp(both / all, 0.0, 1.0)) : 1.0f;
}

}  // namespace

NibbleGrid train_nibbles(const base::RowsView& rows, const float* inverse_norms) {
  const RowReader reader(rows, inverse_norms);
  NibbleGrid grid;
  grid.mean = means_of(reader, rows.rows);
  std::vector<float> values;
  const auto sample = base::sample(rows.rows, kSampleValues / rows.dimension + 1, base::Random(1));
  for (const base::Slot slot : sample)
    reader.for_each(slot, [&](std::size_t j, float value) { values.push_back(value - grid.mean[j]); });
  std::sort(values.begin(), values.end());
  const std::array<float, 16> places = lloyd(values);
  grid.step = checked_step(std::max(std::abs(places.front()), std::abs(places.back())) / static_cast<float>(kMost));
  if (grid.step > 0) grid.places = on_grid(places, grid.step);
  grid.shape.nibbles = rows.dimension;
  return grid;
}

distance::NibbleShape mixed_shape(std::size_t dimension) noexcept {
  constexpr std::size_t kBytes = distance::kBytesInLine, kNibbles = distance::kNibblesInLine;
  const std::size_t lines = std::max<std::size_t>(1, dimension / kComponentsALine);
  return {kBytes, std::min(std::max(dimension, kBytes) - kBytes, lines * kNibbles)};
}

NibbleGrid train_mixed(const base::RowsView& rows, const float* inverse_norms, base::ThreadTeam& team) {
  const RowReader reader(rows, inverse_norms);
  NibbleGrid grid;
  grid.mean = means_of(reader, rows.rows);
  grid.shape = mixed_shape(rows.dimension);
  const std::vector<base::Slot> chosen = base::sample(rows.rows, kMixedRows, base::Random(1));
  base::RowStore sample(VectorType::F32, chosen.size(), rows.dimension);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    auto* values = reinterpret_cast<float*>(sample.row(i));
    reader.read(chosen[i], values);
    centre(grid.mean.data(), rows.dimension, values);
  }
  const std::size_t wide = std::min(grid.shape.bytes, rows.dimension);
  grid.projection = std::make_shared<Projection>(find_directions(sample, wide, grid.shape.nibbles, team));
  std::vector<float> sizes, narrow;  // of what is coded in 7 bits, and what is in 4
  RowEncoder encoder(grid);
  for (std::size_t i = 0; i < chosen.size(); i += 2) {
    reader.read(chosen[i], encoder.values());
    encoder.look();
    for (std::size_t j = 0; j < wide; ++j) sizes.push_back(std::abs(encoder.seen()[j]));
    if (narrow.size() < kSampleValues / 2)
      narrow.insert(narrow.end(), encoder.seen() + wide, encoder.seen() + wide + grid.shape.nibbles);
  }
  const auto most = sizes.end() - 1 - static_cast<std::ptrdiff_t>(sizes.size()) / kSpared;
  std::nth_element(sizes.begin(), most, sizes.end());
  std::array<float, 16> places{};
  std::sort(narrow.begin(), narrow.end());
  if (!narrow.empty()) places = lloyd(narrow);
  const float reach = std::max({*most, -places.front(), places.back()});  // of 4 bits too, where a sample misled
  grid.step = checked_step(reach / static_cast<float>(kMost));
  if (!(grid.step > 0)) return grid;
  grid.places = on_grid(places, grid.step);
  grid.shared = part_shared(grid, sample, team);
  return grid;
}

std::uint64_t mixed_training_bytes(std::size_t dimension, unsigned threads) noexcept {
  const std::uint64_t padded = base::round_up(dimension, 64), directions = mixed_shape(dimension).padded();
  const std::uint64_t sample = kMixedRows * padded * sizeof(float);
  const std::uint64_t seen = kMixedRows * directions * sizeof(float) + directions * padded;
  const std::uint64_t found = direction_bytes(kMixedRows, dimension, directions, threads);
  return sample + std::max(found, seen) + (std::uint64_t{2} << 20);
}

NibbleCodes encode_nibbles(const NibbleGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                           base::ThreadTeam& team) {
  const RowReader reader(rows, inverse_norms);
  NibbleCodes codes{base::RowStore(VectorType::U8, rows.rows, grid.shape.row_bytes()), std::vector<float>(rows.rows),
                    std::vector<float>(rows.rows), std::vector<float>(rows.rows)};
  std::vector<RowEncoder> encoders = encoders_of(grid, team);
  team.run(rows.rows, 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    RowEncoder& encoder = encoders[thread];
    for (std::uint64_t i = begin; i < end; ++i) {
      reader.read(i, encoder.values());
      encoder.look();
      encoder.decode();
      encoder.write(codes.rows.row(i));
      codes.products[i] = encoder.product();
      codes.squares[i] = encoder.square();
      codes.of_means[i] = encoder.of_means();
    }
  });
  return codes;
}

void decode_nibbles(const NibbleGrid& grid, const std::byte* code, float* values) {
  std::copy(grid.mean.begin(), grid.mean.end(), values);
  const std::size_t bytes = grid.shape.bytes, dimension = grid.mean.size();
  const auto place = [&](std::size_t i) {
    if (i < bytes) return static_cast<float>(std::to_integer<int>(code[i]) + kLeast) * grid.step;
    const std::size_t j = i - bytes, half = distance::kNibblesInLine / 2;
    const auto byte = std::to_integer<unsigned>(code[bytes + j / distance::kNibblesInLine * half + j % half]);
    return static_cast<float>(grid.places[j % distance::kNibblesInLine < half ? byte & 15u : byte >> 4]) * grid.step;
  };
  if (grid.projection == nullptr) {
    for (std::size_t j = 0; j < dimension; ++j) values[j] += place(j);
    return;
  }
  std::vector<float> along(grid.projection->count());
  for (std::size_t i = 0; i < along.size(); ++i) along[i] = place(i);
  grid.projection->add_back(along.data(), values);
}

}  // namespace diskann::quantization
