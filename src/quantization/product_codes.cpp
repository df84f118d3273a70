#include "quantization/product_codes.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/random.hpp"
#include "distance/nibbles.hpp"
#include "quantization/dot.hpp"
#include "quantization/kmeans.hpp"
#include "quantization/row_reader.hpp"

namespace diskann::quantization {
namespace {

constexpr std::size_t kLeastSample = 4096, kMostSample = 8192;  // between them a sixteenth of the rows
constexpr std::size_t kProbes = 128;                            // rows of the sample whose nearest ones are looked for
constexpr double kLeastShared = 0.4, kMostShared = 0.75;        // what so few rows say beyond is chance
constexpr std::size_t kDirectionRows = 2048;             // of the sample, which say in which directions rows vary
constexpr std::size_t kLeastTurned = 16;                 // components
constexpr std::size_t kMostWork = std::size_t{1} << 28;  // of finding directions: their number times components squared
constexpr float kLeastCovered = 0.95f;
constexpr std::size_t kLongChunk = 16;  // directions, of which a chunk has no more
constexpr std::size_t kBlock = 32;      // rows that meet the centroids of a chunk while those are in the nearest cache

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

ProductShape product_shape(std::size_t dimension, std::size_t bits, std::size_t chunks) {
  const std::size_t length = bits / 2;
  if (chunks == 0) chunks = (dimension + length - 1) / length;
  const std::size_t room = std::min(dimension, 2 * chunks * length);
  const std::size_t directions = std::min(room, kMostWork / (dimension * dimension));
  if (dimension < kLeastTurned || directions < chunks) return {dimension, chunks, bits};
  return {directions, chunks, bits, true};
}

namespace {

/// Components with the zeros that dot() wants behind them.
std::size_t padded(std::size_t dimension) { return base::round_up(dimension, 16); }

/// Rows of one after the other, less the means, and what of them chunks are made of.
class Sight {
 public:
  /// Of one thread.
  struct Row {
    explicit Row(const ProductGrid& grid)
        : values(padded(grid.mean.size())),
          scratch(values.size()),
          bytes(base::round_up(grid.mean.size(), distance::kBytesInLine)) {}
    base::HugeArray<float> values, scratch;  // zeros behind the components
    base::HugeArray<std::int8_t> bytes;
  };
  Sight(const base::RowsView& rows, const float* inverse_norms, const ProductGrid& grid)
      : reader_(rows, inverse_norms), grid_(grid) {}
  void read(std::size_t which, Row& row) const {
    reader_.read(which, row.values.data());
    centre(grid_.mean.data(), grid_.mean.size(), row.values.data());
  }
  void see(Row& row, float* seen) const {
    see_chunks(grid_, row.values.data(), row.bytes.data(), row.scratch.data(), seen);
  }

 private:
  RowReader reader_;
  const ProductGrid& grid_;
};

std::size_t sample_of(std::uint64_t rows) {
  return static_cast<std::size_t>(std::min(rows, std::clamp<std::uint64_t>(rows / 16, kLeastSample, kMostSample)));
}

/// Bits that each direction is worth where all are to be said with the same error, so many bits in all: half the
/// logarithm of its variance over that error (reverse water-filling). None where it varies by less.
std::vector<double> share_bits(const std::vector<float>& shares, double bits) {
  std::vector<double> of_each(shares.size());
  double low = -200, high = 1;  // logarithm of the error
  for (int step = 0; step < 60; ++step) {
    const double error = (low + high) / 2;
    double sum = 0;
    for (std::size_t i = 0; i < shares.size(); ++i) {
      of_each[i] = shares[i] > 0 ? std::max((std::log2(static_cast<double>(shares[i])) - error) / 2, 0.0) : 0.0;
      sum += of_each[i];
    }
    (sum > bits ? low : high) = error;
  }
  return of_each;
}

/// Turns the strongest directions until none is worth more bits than a chunk has, and shares them out: each, the
/// strongest first, to the chunk with the fewest bits so far that has room.
std::vector<std::size_t> share_out(ProductShape& shape, Directions& found, base::ThreadTeam& team) {
  const auto of_chunk = static_cast<double>(shape.bits), all = of_chunk * static_cast<double>(shape.chunks);
  std::size_t turned = 1;
  std::vector<double> bits;
  while (true) {
    std::vector<float> shares = found.shares;
    const auto end = shares.begin() + static_cast<std::ptrdiff_t>(turned);
    std::fill(shares.begin(), end, std::accumulate(shares.begin(), end, 0.0f) / static_cast<float>(turned));
    bits = share_bits(shares, all);
    if (bits.front() <= of_chunk || turned == shares.size()) break;
    turned = std::min(turned + turned / 2 + 1, shares.size());
  }
  if (turned > 1) turn(found, 0, turned, team);
  std::vector<std::vector<std::size_t>> chunks(shape.chunks);
  constexpr double kLeastBits = 0.01;  // no chunk takes all of those that are worth none
  std::vector<double> taken(shape.chunks);
  for (std::size_t i = 0; i < bits.size(); ++i) {
    const auto least = static_cast<std::size_t>(std::min_element(taken.begin(), taken.end()) - taken.begin());
    chunks[least].push_back(i);
    taken[least] += std::max(bits[i], kLeastBits);
    if (chunks[least].size() == kLongChunk) taken[least] = std::numeric_limits<double>::infinity();
  }
  std::vector<std::size_t> order;
  shape.starts.clear();
  for (const std::vector<std::size_t>& chunk : chunks) {
    shape.starts.push_back(static_cast<std::uint32_t>(order.size()));
    order.insert(order.end(), chunk.begin(), chunk.end());
  }
  shape.starts.push_back(static_cast<std::uint32_t>(order.size()));
  return order;
}

/// By some of the chosen rows; without directions where they see too little.
void find_projection(const Sight& sight, std::span<const base::Slot> chosen, ProductGrid& grid,
                     base::ThreadTeam& team) {
  const std::size_t dimension = grid.mean.size(), rows = std::min(chosen.size(), kDirectionRows);
  base::RowStore sample(VectorType::F32, rows, dimension);
  Sight::Row row(grid);
  for (std::size_t i = 0; i < rows; ++i) {
    sight.read(chosen[i * chosen.size() / rows], row);
    std::copy_n(row.values.data(), dimension, reinterpret_cast<float*>(sample.row(i)));
  }
  Directions found = principal_directions(sample, grid.shape.dimension, team);
  if (found.covered < kLeastCovered) {
    grid.shape = {dimension, grid.shape.chunks, grid.shape.bits};
    return;
  }
  const std::vector<std::size_t> order = share_out(grid.shape, found, team);
  grid.projection = std::make_shared<Projection>(in_bytes(found, order));
}

/// By some rows of a sample, padded, and the nearest to each: from everywhere in it, since the order of rows may say
/// what they are.
float part_shared(const ProductGrid& grid, const std::vector<float>& sample, base::ThreadTeam& team) {
  const std::size_t stride = padded(grid.shape.dimension), rows = sample.size() / stride;
  const std::size_t probes = std::min(rows, kProbes);
  const auto row = [&](std::size_t i) { return sample.data() + i * stride; };
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
  return all > 0 && std::isfinite(part) ? static_cast<float>(std::clamp(part, kLeastShared, kMostShared)) : 1.0f;
}

}  // namespace

ProductGrid train_product(const ProductShape& wanted, const base::RowsView& rows, const float* inverse_norms,
                          base::ThreadTeam& team) {
  ProductGrid grid{wanted, means_of(RowReader(rows, inverse_norms), rows.rows), {}};
  const Sight sight(rows, inverse_norms, grid);
  const auto chosen = base::sample(rows.rows, sample_of(rows.rows), base::Random(4));
  if (wanted.along_directions) find_projection(sight, chosen, grid, team);
  const ProductShape& shape = grid.shape;
  grid.values.resize(shape.dimension * shape.centroids());
  const std::size_t stride = padded(shape.dimension);
  std::vector<float> sample(chosen.size() * stride);
  team.run(chosen.size(), 64, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    Sight::Row row(grid);
    for (std::uint64_t i = begin; i < end; ++i) {
      sight.read(chosen[i], row);
      sight.see(row, sample.data() + i * stride);
    }
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

std::uint64_t product_training_bytes(const ProductShape& shape, std::size_t dimension, std::uint64_t rows,
                                     unsigned threads) {
  // Where too little lies along the directions, components are taken in their place: longer chunks, and more of them.
  const std::uint64_t longest = std::max<std::uint64_t>(kLongChunk, (dimension + shape.chunks - 1) / shape.chunks);
  // Of a thread the points of a chunk, their nearest centroids, and what the heap keeps of trials before.
  const std::uint64_t of_thread = sample_of(rows) * (longest * sizeof(float) + 8) + (std::uint64_t{1} << 20);
  const std::uint64_t centroids = sample_of(rows) * padded(dimension) * sizeof(float) + threads * of_thread;
  if (!shape.along_directions) return centroids;
  return std::max(centroids, kDirectionRows * base::row_stride(VectorType::F32, dimension) +
                                 direction_bytes(kDirectionRows, dimension, shape.dimension, threads));
}

std::uint64_t product_encoding_bytes(std::size_t dimension) noexcept {
  return (2 * kBlock + 3) * padded(dimension) * sizeof(float);
}

ProductCodes encode_product(const ProductGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                            base::ThreadTeam& team) {
  const ProductShape& shape = grid.shape;
  const std::size_t stride = padded(shape.dimension), width = padded(grid.mean.size());
  const Sight sight(rows, inverse_norms, grid);
  const std::vector<float> along_means = direction_of(grid.mean, width);
  ProductCodes codes{base::RowStore::packed(rows.rows, shape.row_bytes()), std::vector<float>(rows.rows),
                     std::vector<float>(rows.rows), std::vector<float>(rows.rows)};
  team.run(rows.rows, kBlock, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    Sight::Row row(grid);
    std::vector<float> seen((end - begin) * stride), decoded(seen.size());
    for (std::uint64_t i = begin; i < end; ++i) {
      sight.read(i, row);
      sight.see(row, seen.data() + (i - begin) * stride);
      codes.squares[i] = dot(row.values.data(), row.values.data(), width);
      codes.of_means[i] = dot(row.values.data(), along_means.data(), width);
    }
    for (std::size_t chunk = 0; chunk < shape.chunks; ++chunk) {
      for (std::uint64_t i = begin; i < end; ++i) {
        const std::size_t at = (i - begin) * stride;
        encode_chunk(grid, chunk, seen.data() + at, codes.rows.row(i), decoded.data() + at);
      }
    }
    for (std::uint64_t i = begin; i < end; ++i)
      codes.products[i] = dot(seen.data() + (i - begin) * stride, decoded.data() + (i - begin) * stride, stride);
  });
  return codes;
}

void see_chunks(const ProductGrid& grid, const float* values, std::int8_t* bytes, float* scratch,
                float* seen) noexcept {
  if (grid.projection)
    grid.projection->apply(values, bytes, scratch, seen);
  else
    std::copy_n(values, grid.mean.size(), seen);
}

void decode_product(const ProductGrid& grid, const std::byte* code, float* values) {
  std::vector<float> seen(grid.shape.dimension);
  for (std::size_t chunk = 0; chunk < grid.shape.chunks; ++chunk)
    decode_chunk(grid, chunk, code_at(grid.shape, code, chunk), seen.data());
  std::copy(grid.mean.begin(), grid.mean.end(), values);
  if (grid.projection) {
    grid.projection->add_back(seen.data(), values);
  } else {
    for (std::size_t j = 0; j < seen.size(); ++j) values[j] += seen[j];
  }
}

void look_up(const ProductShape& shape, const float* tables, const base::RowsView& rows, const base::Slot* slots,
             std::size_t count, float* out) noexcept {
  const auto all = shape.bits == 8 ? look_up_all<8> : look_up_all<4>;
  all(shape.chunks, tables, rows, slots, count, out);
}

}  // namespace diskann::quantization
