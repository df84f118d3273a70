#include "quantization/projection.hpp"

#include <algorithm>
#include <cmath>

#include "base/random.hpp"
#include "distance/kernels.hpp"
#include "distance/tiles.hpp"
#include "quantization/dot.hpp"
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

Projection find_directions(const base::RowsView& sample, std::size_t first, std::size_t next, base::ThreadTeam& team) {
  const Matrix rows = strongest(products_of_components(sample, team), first + next, team);
  Projection projection{base::RowStore(VectorType::I8, first + next, sample.dimension),
                        std::vector<float>(first + next)};
  for (const auto& part : {std::pair(std::size_t{0}, first), std::pair(first, next)}) {
    const std::size_t begin = part.first, count = part.second;
    const Matrix turn = random_rows(count, count, base::Random(11 + begin), team);
    team.run(count, 8, [&](unsigned, std::uint64_t from, std::uint64_t to) {
      for (std::uint64_t i = from; i < to; ++i) {
        std::vector<float> turned(rows.stride);
        for (std::size_t r = 0; r < count; ++r)
          for (std::size_t t = 0; t < rows.stride; ++t) turned[t] += turn.row(i)[r] * rows.row(begin + r)[t];
        write_direction(turned, begin + i, projection);
      }
    });
  }
  return projection;
}

}  // namespace diskann::quantization
