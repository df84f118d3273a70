#include "graph/code_space.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "base/convert.hpp"
#include "quantization/dot.hpp"

namespace diskann::graph {
namespace {

class ScalarWalk final : public WalkCodes {
 public:
  ScalarWalk(Distance metric, const KernelSpace& codes, const std::optional<quantization::Grid>& grid, float longest)
      : WalkCodes(codes.rows()), metric_(metric), codes_(codes), grid_(grid), longest_(longest) {}

  Query prepare(std::size_t dimension, float inverse_norm, Buffer& buffer) const override {
    const std::span<float> steps(buffer.values.data(), dimension);
    const VectorView as_floats(steps.data(), 1, dimension);
    Query query;
    if (!grid_) {
      query.row = buffer.code.prepare(as_floats, codes_.rows().type);
      return query;
    }
    // In steps of the grid. By products any length puts rows in the same order: one that uses the whole grid loses
    // least.
    if (grid_->type == VectorType::I8) {
      float largest = 0;
      for (const float value : steps) largest = std::max(largest, std::abs(value));
      for (float& value : steps) value = largest > 0 ? value / largest * 127.0f : 0.0f;
      query.factor = largest / 127.0f;
    } else {
      for (float& value : steps) value = (value - grid_->zero) / grid_->step;
    }
    auto* const bytes = reinterpret_cast<std::byte*>(buffer.whole.data());
    const bool on_grid = quantization::encode(grid_->type, steps.data(), dimension, bytes);
    float squares = 0;
    for (std::size_t j = 0; !on_grid && j < dimension; ++j) squares += steps[j] * steps[j];
    // Beyond that even f32 has no room: from so far away the ends of the grid put rows in order as well.
    const bool far = !(squares < 0x1p100f);
    query.row = on_grid || far ? buffer.code.prepare({bytes, grid_->type, 1, dimension, dimension}, grid_->type)
                               : buffer.code.prepare(as_floats, grid_->type);
    if (metric_ == Distance::L2) {
      query.factor = grid_->step * grid_->step;
      if (far) query.offset = query.factor * squares;
    } else if (metric_ == Distance::Cosine) {
      query.offset = 1;
      query.factor *= grid_->step * inverse_norm;
    } else {
      const float length = query.row.inverse_norm > 0 ? 1 / query.row.inverse_norm : 0;
      query.factor *= length * longest_;
      query.offset = -query.factor;
      query.row.inverse_norm *= grid_->step;  // rows are of length 1 before they are codes
    }
    return query;
  }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const override {
    codes_.score(query.row, slots, count, out);
  }
  void decode(Slot slot, float* values) const override {
    const std::size_t dimension = rows().dimension;
    base::convert_row(rows().row(slot), rows().type, reinterpret_cast<std::byte*>(values), VectorType::F32, dimension);
    for (std::size_t j = 0; grid_ && j < dimension; ++j) values[j] = values[j] * grid_->step + grid_->zero;
  }

 private:
  Distance metric_;
  KernelSpace codes_;
  std::optional<quantization::Grid> grid_;
  float longest_;
};

/// Takes away the means of the rows, by inner product as many times as a query lies along them. By cosine queries are
/// scaled to length 1 before, as rows were. Says what scores of the rest are off by. Behind `values` are zeros.
WalkCodes::Query take_means(Distance metric, float inverse_norm, const std::vector<float>& mean,
                            std::span<float> values) {
  WalkCodes::Query query;
  if (metric == Distance::InnerProduct) {
    double along = 0, square = 0;
    for (std::size_t j = 0; j < values.size(); ++j) {
      along += static_cast<double>(values[j]) * static_cast<double>(mean[j]);
      square += static_cast<double>(mean[j]) * static_cast<double>(mean[j]);
    }
    const double part = square > 0 ? along / square : 0.0;
    query.weight = static_cast<float>(part * std::sqrt(square));
    for (std::size_t j = 0; j < values.size(); ++j)
      values[j] = static_cast<float>(static_cast<double>(values[j]) - part * static_cast<double>(mean[j]));
    query.offset = static_cast<float>(-along);
    return query;
  }
  // Becomes vectors, as two loops do not.
  const float scale = metric == Distance::Cosine ? inverse_norm : 1.0f;
  for (std::size_t j = 0; j < values.size(); ++j) values[j] = values[j] * scale - mean[j];
  query.factor = metric == Distance::Cosine ? 0.5f : 1.0f;  // of unit vectors |q - y|^2 / 2 is the distance
  query.offset = query.factor * quantization::dot(values.data(), values.data(), base::round_up(values.size(), 8));
  if (metric == Distance::Cosine && inverse_norm == 0) query.offset = 1, query.factor = 0;  // as the metric says
  return query;
}

class NibbleWalk final : public WalkCodes {
 public:
  NibbleWalk(Distance metric, const base::RowsView& codes, const quantization::NibbleGrid& grid, const float* norms)
      : WalkCodes(codes), metric_(metric), grid_(&grid), norms_(norms) {}

  Query prepare(std::size_t dimension, float inverse_norm, Buffer& buffer) const override {
    const quantization::NibbleGrid& grid = *grid_;
    const std::span<float> values(buffer.values.data(), dimension);
    Query query = take_means(metric_, inverse_norm, grid.mean, values);
    const float* seen = buffer.values.data();
    std::size_t count = dimension;
    if (grid.projection) {
      grid.projection->apply(buffer.values.data(), buffer.whole.data(), buffer.scratch.data(), buffer.seen.data());
      seen = buffer.seen.data();
      count = grid.projection->count();
    }
    // Any length puts rows in the same order, so that the whole range of 8 bits is used.
    const float step = quantization::to_bytes(seen, count, buffer.coded.data(), buffer.scratch.data());
    const float scale = (metric_ == Distance::InnerProduct ? 1.0f : -2.0f) * step * grid.step;
    if (metric_ == Distance::InnerProduct) query.offset = 0;  // these know the products with the means
    query.nibbles = {buffer.coded.data(), grid.shape.bytes, &grid.places, scale, query.weight};
    return query;
  }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const override {
    kernel_(query.nibbles, rows(), norms_, slots, count, out);
  }
  void decode(Slot slot, float* values) const override {
    quantization::decode_nibbles(*grid_, rows().row(slot), values);
  }

 private:
  Distance metric_;
  const quantization::NibbleGrid* grid_;
  const float* norms_;
  distance::NibbleKernel kernel_ = distance::nibble_kernel(
      metric_ == Distance::InnerProduct ? distance::NibbleEnding::Scale : distance::NibbleEnding::Add);
};

class PlaneWalk final : public WalkCodes {
 public:
  PlaneWalk(Distance metric, const base::RowsView& codes, const quantization::PlaneGrid& grid, const float* factors)
      : WalkCodes(codes), metric_(metric), grid_(&grid), factors_(factors) {}

  Query prepare(std::size_t dimension, float inverse_norm, Buffer& buffer) const override {
    const std::size_t padded = grid_->rotation.padded();
    const std::span<float> values(buffer.values.data(), dimension);
    Query query = take_means(metric_, inverse_norm, grid_->mean, values);
    grid_->rotation.apply(buffer.values.data());
    const float step = quantization::to_bytes(buffer.values.data(), padded, buffer.coded.data(), buffer.scratch.data());
    query.planes = distance::make_plane_query(buffer.coded.data(), padded, grid_->bits, step, query.weight);
    return query;
  }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const override {
    kernel_(query.planes, rows(), factors_, slots, count, out);
  }
  void decode(Slot slot, float* values) const override {
    const float scale = factors_[2 * std::size_t{slot} + 1] / (metric_ == Distance::InnerProduct ? -1.0f : -2.0f);
    quantization::decode_planes(*grid_, rows().row(slot), scale, values);
  }

 private:
  Distance metric_;
  const quantization::PlaneGrid* grid_;
  const float* factors_;
  distance::PlaneKernel kernel_ = distance::plane_kernel();
};

class LvqWalk final : public WalkCodes {
 public:
  LvqWalk(Distance metric, const base::RowsView& codes, const std::vector<float>& mean, const float* factors)
      : WalkCodes(codes), metric_(metric), mean_(&mean), factors_(factors) {}

  Query prepare(std::size_t dimension, float inverse_norm, Buffer& buffer) const override {
    const std::span<float> values(buffer.values.data(), dimension);
    Query query = take_means(metric_, inverse_norm, *mean_, values);
    const float step = quantization::to_bytes(values.data(), dimension, buffer.coded.data(), buffer.scratch.data());
    std::int32_t sum = 0;
    for (std::size_t j = 0; j < dimension; ++j) sum += buffer.coded.data()[j];
    query.row = {reinterpret_cast<const std::byte*>(buffer.coded.data()), VectorType::I8, 0, 0};
    query.step = step;
    query.sum = step * static_cast<float>(sum);
    return query;
  }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const override {
    for (std::size_t i = 0; i < count; ++i)
      base::prefetch_unaligned(reinterpret_cast<const std::byte*>(factors_ + 3 * std::size_t{slots[i]}), 12);
    kernels_->many(query.row, rows(), nullptr, slots, count, out);
    for (std::size_t i = 0; i < count; ++i) {
      const float* const factors = factors_ + 3 * std::size_t{slots[i]};
      out[i] = query.weight * factors[0] - factors[1] * query.step * out[i] + factors[2] * query.sum;
    }
  }
  void decode(Slot slot, float* values) const override {
    const float* const factors = factors_ + 3 * std::size_t{slot};
    const float scale = metric_ == Distance::InnerProduct ? -1.0f : -0.5f;
    const auto* const code = reinterpret_cast<const std::int8_t*>(rows().row(slot));
    for (std::size_t j = 0; j < mean_->size(); ++j)
      values[j] = (*mean_)[j] + scale * (factors[1] * static_cast<float>(code[j]) + factors[2]);
  }

 private:
  Distance metric_;
  const std::vector<float>* mean_;
  const float* factors_;
  const distance::KernelTable* kernels_ = &distance::kernels(Distance::InnerProduct, VectorType::I8, VectorType::I8);
};

class ProductWalk final : public WalkCodes {
 public:
  ProductWalk(Distance metric, const base::RowsView& codes, const quantization::ProductGrid& grid, const float* factors)
      : WalkCodes(codes), metric_(metric), grid_(&grid), factors_(factors) {}

  Query prepare(std::size_t dimension, float inverse_norm, Buffer& buffer) const override {
    const quantization::ProductShape& shape = grid_->shape;
    float* const values = buffer.values.data();
    Query query = take_means(metric_, inverse_norm, grid_->mean, {values, dimension});
    const std::size_t count = shape.centroids();
    if (buffer.tables.size() < shape.chunks * count) buffer.tables = base::HugeArray<float>(shape.chunks * count);
    quantization::see_chunks(*grid_, values, buffer.whole.data(), buffer.scratch.data(), buffer.seen.data());
    for (std::size_t chunk = 0; chunk < shape.chunks; ++chunk)
      kernels_->products(grid_->of(chunk), buffer.seen.data() + shape.begin(chunk),
                         buffer.tables.data() + chunk * count);
    query.tables = buffer.tables.data();
    return query;
  }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const override {
    const bool products = metric_ == Distance::InnerProduct;
    const std::size_t of_row = products ? 2 : 1;
    for (std::size_t i = 0; i < count; ++i)
      base::prefetch(reinterpret_cast<const std::byte*>(factors_ + of_row * slots[i]), of_row * sizeof(float));
    quantization::look_up(grid_->shape, query.tables, rows(), slots, count, out);
    for (std::size_t i = 0; i < count; ++i) {
      const float* const of = factors_ + of_row * slots[i];
      out[i] = products ? query.weight * of[0] + of[1] * out[i] : of[0] - 2 * out[i];
    }
  }
  void decode(Slot slot, float* values) const override {
    quantization::decode_product(*grid_, rows().row(slot), values);
  }

 private:
  Distance metric_;
  const quantization::ProductGrid* grid_;
  const float* factors_;
  const distance::CentroidKernels* kernels_ = &distance::centroid_kernels();
};

}  // namespace

std::shared_ptr<const WalkCodes> scalar_walk(Distance metric, const KernelSpace& codes,
                                             const std::optional<quantization::Grid>& grid, float longest) {
  return std::make_shared<ScalarWalk>(metric, codes, grid, longest);
}
std::shared_ptr<const WalkCodes> nibble_walk(Distance metric, const base::RowsView& codes,
                                             const quantization::NibbleGrid& grid, const float* norms) {
  return std::make_shared<NibbleWalk>(metric, codes, grid, norms);
}
std::shared_ptr<const WalkCodes> plane_walk(Distance metric, const base::RowsView& codes,
                                            const quantization::PlaneGrid& grid, const float* factors) {
  return std::make_shared<PlaneWalk>(metric, codes, grid, factors);
}

std::shared_ptr<const WalkCodes> lvq_walk(Distance metric, const base::RowsView& codes, const std::vector<float>& mean,
                                          const float* factors) {
  return std::make_shared<LvqWalk>(metric, codes, mean, factors);
}

std::shared_ptr<const WalkCodes> product_walk(Distance metric, const base::RowsView& codes,
                                              const quantization::ProductGrid& grid, const float* factors) {
  return std::make_shared<ProductWalk>(metric, codes, grid, factors);
}

namespace {

/// Fills in the query's components, and zeros behind them.
WalkCodes::Query prepare_code(const WalkCodes& codes, const VectorView& query, float inverse_norm,
                              WalkCodes::Buffer& buffer) {
  auto* const values = reinterpret_cast<std::byte*>(buffer.values.data());
  base::convert_row(query.row(0), query.type(), values, VectorType::F32, query.dimension());
  std::fill(buffer.values.data() + query.dimension(), buffer.values.data() + buffer.values.size(), 0.0f);
  return codes.prepare(query.dimension(), inverse_norm, buffer);
}

}  // namespace

CodeSpace::Query CodeSpace::prepare(const VectorView& query, Buffer& buffer) const {
  const distance::Query row = buffer.row.prepare(query, rows().type);
  return {prepare_code(*codes_, query, row.inverse_norm, buffer.code), row};
}

LoneCodeSpace::Query LoneCodeSpace::prepare(const VectorView& query, Buffer& buffer) const {
  return prepare_code(*codes_, query, buffer.row.prepare(query, VectorType::F32).inverse_norm, buffer.code);
}

void LoneCodeSpace::score(const Query& query, const Slot* slots, std::size_t count, float* out) const {
  codes_->score(query, slots, count, out);
  // So written that what is no number, which only a file can bring here, is far.
  constexpr float kFar = std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < count; ++i) out[i] = std::min(kFar, query.offset + query.factor * out[i]);
}

float LoneCodeSpace::distance(float estimate) const noexcept {
  if (metric_ == Distance::InnerProduct) return estimate;
  return std::max(0.0f, metric_ == Distance::Cosine ? std::min(estimate, 2.0f) : estimate);
}

void LoneCodeSpace::score_block(const Query& query, const base::RowsView&, const float*, std::size_t first,
                                std::size_t count, float* out) const {
  constexpr std::size_t kAtOnce = 64;
  Slot slots[kAtOnce];
  for (std::size_t done = 0; done < count; done += kAtOnce) {
    const std::size_t some = std::min(kAtOnce, count - done);
    std::iota(slots, slots + some, static_cast<Slot>(first + done));
    score(query, slots, some, out + done);
  }
}

void LoneCodeSpace::Decoded::score(Query query, const Slot* slots, std::size_t count, float* out) const {
  for (std::size_t i = 0; i < count; ++i) {
    const std::vector<float>& other = row(slots[i]);
    out[i] = 0;
    for (std::size_t j = 0; j < dimension_; ++j) out[i] += (query[j] - other[j]) * (query[j] - other[j]);
  }
}

const std::vector<float>& LoneCodeSpace::Decoded::row(Slot slot) const {
  const auto [found, is_new] = rows_.try_emplace(slot);
  if (is_new) {
    found->second.resize(dimension_);
    codes_->decode(slot, found->second.data());
  }
  return found->second;
}

}  // namespace diskann::graph
