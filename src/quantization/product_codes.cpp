#include "quantization/product_codes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/random.hpp"
#include "quantization/dot.hpp"
#include "quantization/kmeans.hpp"
#include "quantization/row_reader.hpp"

namespace diskann::quantization {
namespace {

constexpr std::size_t kLeastSample = 4096, kMostSample = 8192;  // between them a sixteenth of the rows
constexpr std::size_t kProbed = 2048, kProbes = 64;  // rows of the sample among which near ones are looked for
constexpr std::size_t kBlock = 32;  // rows that meet the centroids of a chunk while those are in the nearest cache

std::size_t code_at(const ProductShape& shape, const std::byte* code, std::size_t chunk) noexcept {
  if (shape.bits == 8) return std::to_integer<std::size_t>(code[chunk]);
  return std::to_integer<std::size_t>(code[chunk / 2]) >> (chunk % 2 * 4) & 15;
}

void decode_chunk(const ProductGrid& grid, std::size_t chunk, std::size_t k, float* values) {
  const distance::Centroids centroids = grid.of(chunk);
  float* const part = values + grid.shape.begin(chunk);
  for (std::size_t j = 0; j < centroids.length; ++j) part[j] = centroids.values[j * centroids.count + k];
}

/// Of a row, centred, into its code, zero so far, and what that stands for.
void encode_chunk(const ProductGrid& grid, std::size_t chunk, const float* values, std::byte* code, float* decoded) {
  const ProductShape& shape = grid.shape;
  const std::uint32_t k = distance::centroid_kernels().nearest(grid.of(chunk), values + shape.begin(chunk)).index;
  code[chunk * shape.bits / 8] |= static_cast<std::byte>(shape.bits == 4 && chunk % 2 != 0 ? k << 4 : k);
  decode_chunk(grid, chunk, k, decoded);
}

/// The sums of four rows at once: each waits for its own additions only.
template <std::size_t kBits>
void look_up_four(std::size_t chunks, const float* tables, const std::byte* const* codes, float* out) noexcept {
  float sums[4] = {};
  if constexpr (kBits == 8) {
    for (std::size_t c = 0; c < chunks; ++c, tables += 256)
      for (std::size_t i = 0; i < 4; ++i) sums[i] += tables[std::to_integer<std::size_t>(codes[i][c])];
  } else {
    for (std::size_t c = 0; c + 1 < chunks; c += 2, tables += 32) {
      for (std::size_t i = 0; i < 4; ++i) {
        const auto both = std::to_integer<std::size_t>(codes[i][c / 2]);
        sums[i] += tables[both & 15];
        sums[i] += tables[16 + (both >> 4)];
      }
    }
    if (chunks % 2 != 0)
      for (std::size_t i = 0; i < 4; ++i) sums[i] += tables[std::to_integer<std::size_t>(codes[i][chunks / 2]) & 15];
  }
  std::copy_n(sums, 4, out);
}

template <std::size_t kBits>
void look_up_all(std::size_t chunks, const float* tables, const base::RowsView& rows, const base::Slot* slots,
                 std::size_t count, float* out) noexcept {
  for (std::size_t i = 0; i < count; i += 4) {
    const std::byte* codes[4];
    float sums[4];
    for (std::size_t j = 0; j < 4; ++j) codes[j] = rows.row(slots[std::min(i + j, count - 1)]);
    look_up_four<kBits>(chunks, tables, codes, sums);
    std::copy_n(sums, std::min<std::size_t>(4, count - i), out + i);
  }
}

}  // namespace

ProductShape usual_shape(std::size_t dimension, std::size_t bits) noexcept {
  const std::size_t length = bits / 2;
  return {dimension, (dimension + length - 1) / length, bits};
}

namespace {

/// Rows of one after the other, less the means.
class Centred {
 public:
  Centred(const base::RowsView& rows, const float* inverse_norms, const std::vector<float>& mean)
      : reader_(rows, inverse_norms), mean_(mean) {}
  void read(std::size_t row, float* values) const {
    reader_.read(row, values);
    centre(mean_.data(), mean_.size(), values);
  }

 private:
  RowReader reader_;
  const std::vector<float>& mean_;
};

std::size_t sample_of(std::uint64_t rows) {
  return static_cast<std::size_t>(std::min(rows, std::clamp<std::uint64_t>(rows / 16, kLeastSample, kMostSample)));
}

/// Components with the zeros that dot() wants behind them.
std::size_t padded(std::size_t dimension) { return base::round_up(dimension, 8); }

/// By some rows of a sample, padded, and the nearest to each in a part of it: both from everywhere in it, since the
/// order of rows may say what they are.
float part_shared(const ProductGrid& grid, const std::vector<float>& sample, base::ThreadTeam& team) {
  const std::size_t stride = padded(grid.shape.dimension), all_rows = sample.size() / stride;
  const std::size_t rows = std::min(all_rows, kProbed), probes = std::min(rows, kProbes);
  const auto row = [&](std::size_t i) { return sample.data() + i * all_rows / rows * stride; };
  std::vector<float> squares(rows), lost(probes), shared(probes);
  for (std::size_t i = 0; i < rows; ++i) squares[i] = dot(row(i), row(i), stride);
  team.run(probes, 4, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    std::vector<float> decoded(stride), left(stride);
    for (std::uint64_t p = begin; p < end; ++p) {
      const std::size_t probe = p * rows / probes;
      std::vector<std::byte> code(grid.shape.row_bytes());
      std::size_t nearest = probe;
      float least = std::numeric_limits<float>::infinity();
      for (std::size_t i = 0; i < rows; ++i) {
        const float distance = squares[i] - 2 * dot(row(probe), row(i), stride);
        if (i != probe && distance < least) least = distance, nearest = i;
      }
      for (std::size_t chunk = 0; chunk < grid.shape.chunks; ++chunk)
        encode_chunk(grid, chunk, row(probe), code.data(), decoded.data());
      for (std::size_t j = 0; j < stride; ++j) left[j] = row(probe)[j] - decoded[j];
      lost[p] = dot(left.data(), row(probe), stride);
      shared[p] = dot(left.data(), row(nearest), stride);
    }
  });
  double all = 0, both = 0;
  for (std::size_t p = 0; p < probes; ++p) {
    all += static_cast<double>(lost[p]);
    both += static_cast<double>(shared[p]);
  }
  const double part = both / all;
  return all > 0 && std::isfinite(part) ? static_cast<float>(std::clamp(part, 0.0, 1.0)) : 1.0f;
}

}  // namespace

ProductGrid train_product(const ProductShape& shape, const base::RowsView& rows, const float* inverse_norms,
                          base::ThreadTeam& team) {
  ProductGrid grid{shape, means_of(RowReader(rows, inverse_norms), rows.rows), {}};
  grid.values.resize(shape.dimension * shape.centroids());
  const Centred reader(rows, inverse_norms, grid.mean);
  const auto chosen = base::sample(rows.rows, sample_of(rows.rows), base::Random(4));
  const std::size_t stride = padded(shape.dimension);
  std::vector<float> sample(chosen.size() * stride);
  team.run(chosen.size(), 64, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) reader.read(chosen[i], sample.data() + i * stride);
  });
  std::vector<std::vector<float>> points(team.threads());
  team.run(shape.chunks, 1, [&](unsigned thread, std::uint64_t chunk, std::uint64_t) {
    const std::size_t first = shape.begin(chunk), length = shape.length(chunk);
    points[thread].resize(chosen.size() * length);
    for (std::size_t i = 0; i < chosen.size(); ++i)
      std::copy_n(sample.data() + i * stride + first, length, points[thread].data() + i * length);
    learn_centroids(points[thread].data(), chosen.size(), length, shape.centroids(), chunk,
                    grid.values.data() + first * shape.centroids());
  });
  grid.shared = part_shared(grid, sample, team);
  return grid;
}

std::uint64_t product_training_bytes(const ProductShape& shape, std::uint64_t rows, unsigned threads) noexcept {
  // Of a thread the points of a chunk, their nearest centroids, and what the heap keeps of trials before.
  const std::uint64_t of_thread = sample_of(rows) * (shape.length(0) * sizeof(float) + 8) + (std::uint64_t{1} << 20);
  return sample_of(rows) * padded(shape.dimension) * sizeof(float) + threads * of_thread;
}

std::uint64_t product_encoding_bytes(const ProductShape& shape) noexcept {
  return 2 * kBlock * padded(shape.dimension) * sizeof(float);
}

ProductCodes encode_product(const ProductGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                            base::ThreadTeam& team) {
  const ProductShape& shape = grid.shape;
  const std::size_t stride = padded(shape.dimension);
  const Centred reader(rows, inverse_norms, grid.mean);
  const std::vector<float> along_means = direction_of(grid.mean, stride);
  ProductCodes codes{base::RowStore::packed(rows.rows, shape.row_bytes()), std::vector<float>(rows.rows),
                     std::vector<float>(rows.rows), std::vector<float>(rows.rows)};
  team.run(rows.rows, kBlock, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    std::vector<float> values((end - begin) * stride), decoded(values.size());
    const auto each = [&](const auto& f) {
      for (std::uint64_t i = begin; i < end; ++i)
        f(i, values.data() + (i - begin) * stride, decoded.data() + (i - begin) * stride);
    };
    each([&](std::uint64_t i, float* row, float*) { reader.read(i, row); });
    for (std::size_t chunk = 0; chunk < shape.chunks; ++chunk)
      each([&](std::uint64_t i, float* row, float* of_code) {
        encode_chunk(grid, chunk, row, codes.rows.row(i), of_code);
      });
    each([&](std::uint64_t i, float* row, float* of_code) {
      codes.products[i] = dot(row, of_code, stride);
      codes.squares[i] = dot(row, row, stride);
      codes.of_means[i] = dot(row, along_means.data(), stride);
    });
  });
  return codes;
}

void decode_product(const ProductGrid& grid, const std::byte* code, float* values) {
  for (std::size_t chunk = 0; chunk < grid.shape.chunks; ++chunk)
    decode_chunk(grid, chunk, code_at(grid.shape, code, chunk), values);
  for (std::size_t j = 0; j < grid.mean.size(); ++j) values[j] += grid.mean[j];
}

void look_up(const ProductShape& shape, const float* tables, const base::RowsView& rows, const base::Slot* slots,
             std::size_t count, float* out) noexcept {
  const auto all = shape.bits == 8 ? look_up_all<8> : look_up_all<4>;
  all(shape.chunks, tables, rows, slots, count, out);
}

}  // namespace diskann::quantization
