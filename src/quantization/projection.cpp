#include "quantization/projection.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "distance/kernels.hpp"
#include "distance/tiles.hpp"
#include "quantization/dot.hpp"
#include "quantization/eigenvectors.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::quantization {
namespace {

constexpr int kSteps = 4;  // of subspace iteration: what is lost beside the best directions is little
constexpr std::size_t kClipSample = 1 << 15;
constexpr double kClipped = 0.01;   // of the squares of components, what may be cut off
constexpr std::size_t kBlock = 32;  // rows made orthonormal before they are taken from all others

/// Rows of floats, zeros up to a multiple of 16.
struct Matrix {
  Matrix(std::size_t height, std::size_t width)
      : rows(height), stride(base::round_up(width, 16)), values(height * stride) {}
  float* row(std::size_t i) noexcept { return values.data() + i * stride; }
  const float* row(std::size_t i) const noexcept { return values.data() + i * stride; }

  std::size_t rows, stride;
  base::HugeArray<float> values;
};

/// What one of 127 whole numbers stands for. A few great components cannot make the others vanish, nor do components
/// that are always great count as less than they are.
float step_of(const base::RowsView& sample) {
  std::vector<float> sizes;
  double all = 0;
  base::Random random(3);
  for (std::size_t i = 0; i < kClipSample; ++i) {
    const auto* row = reinterpret_cast<const float*>(sample.row(random.below(sample.rows)));
    sizes.push_back(std::abs(row[random.below(sample.dimension)]));
    all += static_cast<double>(sizes.back()) * static_cast<double>(sizes.back());
  }
  std::sort(sizes.begin(), sizes.end());
  double above = 0;  // squares of all that are greater than the one under way
  std::size_t i = sizes.size() - 1;
  for (std::size_t count = 1; i > 0; --i, ++count) {
    above += static_cast<double>(sizes[i]) * static_cast<double>(sizes[i]);
    const double clip = static_cast<double>(sizes[i - 1]);
    if (above - static_cast<double>(count) * clip * clip > kClipped * all) break;
  }
  return sizes[i] / 127.0f;
}

/// Products of components, added up over the rows, whose components count as bytes: whole numbers, the same on every
/// processor.
Matrix products_of_components(const base::RowsView& sample, base::ThreadTeam& team) {
  const std::size_t dimension = sample.dimension;
  Matrix products(dimension, dimension);
  const float step = step_of(sample);
  if (!(step > 0)) return products;
  base::RowStore columns(VectorType::I8, dimension, sample.rows);
  std::vector<float> steps(dimension);
  std::vector<std::int8_t> bytes(dimension);
  for (std::size_t i = 0; i < sample.rows; ++i) {
    clamp_steps(reinterpret_cast<const float*>(sample.row(i)), 0, step, -127, 127, dimension, steps.data());
    round_steps(steps.data(), 0, dimension, bytes.data());
    for (std::size_t j = 0; j < dimension; ++j) columns.row(j)[i] = static_cast<std::byte>(bytes[j]);
  }
  const distance::TileKernels& kernels = distance::tiles(Distance::InnerProduct, VectorType::I8, VectorType::I8);
  distance::TileBlock block;
  kernels.load({columns, nullptr, nullptr, 0, dimension, nullptr}, true, block);
  constexpr std::size_t kRows = 64;
  std::vector<std::vector<float>> out(team.threads(), std::vector<float>(kRows * block.padded_rows()));
  team.run(dimension, kRows, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    kernels.multiply(block, begin, end - begin, block, out[thread].data(), block.padded_rows());
    for (std::uint64_t i = begin; i < end; ++i)
      for (std::size_t j = 0; j < dimension; ++j)
        products.row(i)[j] = -out[thread][(i - begin) * block.padded_rows() + j];
  });
  return products;
}

/// Takes from a row what lies along others, of length 1.
void take_away(const Matrix& rows, std::size_t begin, std::size_t end, float* __restrict row) {
  for (std::size_t j = begin; j < end; ++j) {
    const float* __restrict const other = rows.row(j);
    const float along = dot(row, other, rows.stride);
    for (std::size_t t = 0; t < rows.stride; ++t) row[t] -= along * other[t];
  }
}

/// Gram and Schmidt's steps, modified. A row that is nearly made of those before it becomes zero.
void make_orthonormal(Matrix& rows, base::ThreadTeam& team) {
  std::vector<float> before(rows.rows);
  for (std::size_t i = 0; i < rows.rows; ++i) before[i] = dot(rows.row(i), rows.row(i), rows.stride);
  for (std::size_t begin = 0; begin < rows.rows; begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, rows.rows);
    for (std::size_t i = begin; i < end; ++i) {
      float* const row = rows.row(i);
      take_away(rows, begin, i, row);
      const float left = dot(row, row, rows.stride);
      const float scale = left > 1e-10f * before[i] ? 1 / std::sqrt(left) : 0.0f;
      for (std::size_t t = 0; t < rows.stride; ++t) row[t] *= scale;
    }
    team.run(rows.rows - end, 16, [&](unsigned, std::uint64_t first, std::uint64_t last) {
      for (std::uint64_t i = end + first; i < end + last; ++i) take_away(rows, begin, end, rows.row(i));
    });
  }
}

Matrix random_rows(std::size_t height, std::size_t width, base::Random random, base::ThreadTeam& team) {
  Matrix rows(height, width);
  for (std::size_t i = 0; i < height; ++i)
    for (std::size_t j = 0; j < width; ++j) rows.row(i)[j] = static_cast<float>(random.normal());
  make_orthonormal(rows, team);
  return rows;
}

/// The directions in which most lies, most first.
Matrix strongest(const Matrix& products, std::size_t count, base::ThreadTeam& team) {
  Matrix rows = random_rows(count, products.rows, base::Random(7), team);
  Matrix next(count, products.rows);
  for (int step = 0; step < kSteps; ++step) {
    team.run(count, 8, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
      for (std::size_t j = 0; j < products.rows; ++j)
        for (std::uint64_t i = begin; i < end; ++i) next.row(i)[j] = dot(rows.row(i), products.row(j), products.stride);
    });
    std::swap(rows, next);
    make_orthonormal(rows, team);
  }
  make_orthonormal(rows, team);  // once more, for what rounding left
  return rows;
}

/// Becomes vectors.
void add_times(const float* __restrict row, float factor, std::vector<float>& sums) {
  float* __restrict const to = sums.data();
  for (std::size_t t = 0; t < sums.size(); ++t) to[t] += factor * row[t];
}

/// Rounds to 8 bits.
void write_direction(const std::vector<float>& values, std::size_t i, Projection& projection) {
  float most = 0;
  for (const float value : values) most = std::max(most, std::abs(value));
  projection.scales[i] = most / 127.0f;
  if (!(most > 0)) return;
  auto* const row = reinterpret_cast<std::int8_t*>(projection.directions.row(i));
  for (std::size_t t = 0; t < projection.directions.view().dimension; ++t)
    row[t] = static_cast<std::int8_t>(std::lrint(values[t] / most * 127.0f));
}

}  // namespace

void Projection::apply(const float* values, std::int8_t* bytes, float* scratch, float* out) const noexcept {
  const base::RowsView& rows = directions;
  const float step = to_bytes(values, rows.dimension, bytes, scratch);
  static const distance::KernelTable& kernels =
      distance::kernels(Distance::InnerProduct, VectorType::I8, VectorType::I8);
  const distance::Query query{reinterpret_cast<const std::byte*>(bytes), VectorType::I8, 0, 0};
  kernels.block(query, rows, nullptr, 0, rows.rows, out);
  for (std::size_t i = 0; i < rows.rows; ++i) out[i] *= -step * scales[i];
}

void Projection::add_back(const float* along, float* values) const noexcept {
  const base::RowsView& rows = directions;
  for (std::size_t i = 0; i < count(); ++i) {
    const auto* direction = reinterpret_cast<const std::int8_t*>(rows.row(i));
    const float scaled = along[i] * scales[i];
    for (std::size_t j = 0; j < rows.dimension; ++j) values[j] += scaled * static_cast<float>(direction[j]);
  }
}

Directions principal_directions(const base::RowsView& sample, std::size_t count, base::ThreadTeam& team) {
  const Matrix products = products_of_components(sample, team);
  const Matrix rows = strongest(products, count, team);
  // What they span is right, and of it they are found by the products of what lies along them (Rayleigh and Ritz).
  std::vector<std::vector<double>> between(count, std::vector<double>(count));
  team.run(count, 8, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    std::vector<float> seen(products.stride);
    for (std::uint64_t i = begin; i < end; ++i) {
      for (std::size_t j = 0; j < products.rows; ++j) seen[j] = dot(rows.row(i), products.row(j), products.stride);
      for (std::size_t j = 0; j <= i; ++j)
        between[i][j] = static_cast<double>(dot(seen.data(), rows.row(j), rows.stride));
    }
  });
  const Eigenvectors found = find_eigenvectors(std::move(between));
  double all = 0;
  for (std::size_t j = 0; j < sample.dimension; ++j) all += static_cast<double>(products.row(j)[j]);
  Directions directions{sample.dimension, {}, {}};
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<float>& direction = directions.rows.emplace_back(sample.dimension);
    for (std::size_t r = 0; r < count; ++r) add_times(rows.row(r), static_cast<float>(found.vectors[i][r]), direction);
    const double share = all > 0 ? std::max(found.values[i], 0.0) / all : 0.0;
    directions.shares.push_back(static_cast<float>(share));
    directions.covered += static_cast<float>(share);
  }
  return directions;
}

void turn(Directions& directions, std::size_t begin, std::size_t count, base::ThreadTeam& team) {
  const Matrix turn = random_rows(count, count, base::Random(11 + begin), team);
  std::vector<std::vector<float>> turned(count, std::vector<float>(directions.dimension));
  team.run(count, 8, [&](unsigned, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t i = from; i < to; ++i)
      for (std::size_t r = 0; r < count; ++r) add_times(directions.rows[begin + r].data(), turn.row(i)[r], turned[i]);
  });
  std::move(turned.begin(), turned.end(), directions.rows.begin() + static_cast<std::ptrdiff_t>(begin));
  float share = 0;
  for (std::size_t i = 0; i < count; ++i) share += directions.shares[begin + i];
  std::fill_n(directions.shares.begin() + static_cast<std::ptrdiff_t>(begin), count, share / static_cast<float>(count));
}

Projection in_bytes(const Directions& directions, const std::vector<std::size_t>& order) {
  Projection projection{base::RowStore(VectorType::I8, order.size(), directions.dimension),
                        std::vector<float>(order.size())};
  for (std::size_t i = 0; i < order.size(); ++i) write_direction(directions.rows[order[i]], i, projection);
  return projection;
}

Projection find_directions(const base::RowsView& sample, std::size_t first, std::size_t next, base::ThreadTeam& team) {
  Directions found = principal_directions(sample, first + next, team);
  turn(found, 0, first, team);
  turn(found, first, next, team);
  std::vector<std::size_t> order(first + next);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return in_bytes(found, order);
}

std::uint64_t direction_bytes(std::uint64_t sample, std::size_t dimension, std::size_t count,
                              unsigned threads) noexcept {
  const std::uint64_t padded = base::round_up(dimension, 64);
  const std::uint64_t products = padded * padded * sizeof(float);
  // Columns of the sample in bytes, and in 16 bits for the tiles, twice and with a quarter more, with the products of a
  // few rows a thread; or the products with the directions, twice, and what the eigenvectors among those take.
  const std::uint64_t columns = 6 * sample * padded + threads * 64 * padded * sizeof(float) + products;
  return std::max(columns, products + 2 * count * padded * sizeof(float) + 20 * count * count);
}

}  // namespace diskann::quantization
