// The models of CodeBook.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/convert.hpp"
#include "distance/kernels.hpp"
#include "index/code_book.hpp"
#include "index/code_layout.hpp"
#include "quantization/dot.hpp"
#include "quantization/lvq_codes.hpp"
#include "quantization/row_reader.hpp"

namespace diskann::index {
namespace {

using io::SectionKind;
using Sections = std::vector<std::pair<SectionKind, std::vector<std::byte>>>;

/// The most that what a query and a code have in common is multiplied with: of rows that codes hardly see nothing is
/// known.
constexpr float kMostScale = 4;

/// What a row y and its code y' say with which queries: the product of a query and y is taken to be q y' + c y (y -
/// y'), as if q lay along what the code loses by the part c of it, `shared`; with c = 1 that is exact along the row. By
/// L2 and cosine |q - y|^2 - |q|^2 is -2 q y' and this, of y y' and y y.
float added_to(float shared, float product, float square) { return 2 * shared * product + (1 - 2 * shared) * square; }
/// By inner product q y' is multiplied with this; 0 where the row and its code have nothing in common.
float scale_along(float shared, float product, float square, float most) {
  const float scale = product > 0 ? std::min(square / product, most) : 0.0f;
  return scale > 0 ? shared * scale + (1 - shared) : 0.0f;
}

std::vector<float> norms_of(Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  std::vector<float> norms(rows.rows);
  team.run(norms.size(), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    distance::row_norms(metric, rows, begin, end - begin, norms.data() + begin);
  });
  return norms;
}

/// What rows are multiplied with before they are codes; nothing where they are taken as they are.
class InverseNorms {
 public:
  InverseNorms(bool wanted, const base::RowsView& rows, base::ThreadTeam& team) {
    if (wanted) norms_ = norms_of(Distance::Cosine, rows, team);
  }
  const float* data() const noexcept { return norms_.empty() ? nullptr : norms_.data(); }
  float operator[](std::size_t row) const noexcept { return norms_[row]; }

 private:
  std::vector<float> norms_;
};

/// Rows may lie so far apart that their squares have no room in a float.
std::optional<CodedRows> checked(base::RowStore rows, std::vector<float> factors) {
  if (!std::all_of(factors.begin(), factors.end(), [](float factor) { return std::isfinite(factor); }))
    return std::nullopt;
  return CodedRows{std::move(rows), std::move(factors)};
}

std::vector<std::byte> bytes_of(std::span<const float> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}
std::vector<float> floats_of(std::span<const std::byte> bytes, SectionKind kind, const SectionSource& source) {
  std::vector<float> values(bytes.size() / sizeof(float));
  if (!values.empty()) std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    source.fail("section " + io::to_string(kind) + " has values that are no numbers");
  return values;
}
/// Empty where the section is missing.
std::vector<float> read_means(const SectionSource& source, std::size_t dimension) {
  const std::vector<std::byte> bytes = source.section(SectionKind::CodeMeans, dimension * sizeof(float));
  return floats_of(bytes, SectionKind::CodeMeans, source);
}
/// Bytes of rows and scales.
std::size_t direction_bytes(std::size_t count, std::size_t dimension) {
  return count * (base::row_stride(VectorType::I8, dimension) + sizeof(float));
}
void add_section(const quantization::Projection& projection, Sections& sections) {
  const base::RowsView& along = projection.directions;
  std::vector<std::byte> bytes(along.data, along.data + along.rows * along.stride);
  const std::vector<std::byte> scales = bytes_of(projection.scales);
  bytes.insert(bytes.end(), scales.begin(), scales.end());
  sections.emplace_back(SectionKind::CodeDirections, std::move(bytes));
}
/// Null where the section is missing.
std::shared_ptr<const quantization::Projection> read_projection(const SectionSource& source, std::size_t count,
                                                                std::size_t dimension) {
  const std::size_t of_rows = count * base::row_stride(VectorType::I8, dimension);
  const std::vector<std::byte> bytes = source.section(SectionKind::CodeDirections, direction_bytes(count, dimension));
  if (bytes.empty()) return nullptr;
  quantization::Projection projection{
      base::RowStore(VectorType::I8, count, dimension),
      floats_of(std::span(bytes).subspan(of_rows), SectionKind::CodeDirections, source)};
  std::memcpy(projection.directions.row(0), bytes.data(), of_rows);
  if (base::stray_padding(projection.directions)) source.fail("section code directions has bytes behind its rows");
  return std::make_shared<quantization::Projection>(std::move(projection));
}
float length_of(const std::vector<float>& means) { return std::sqrt(quantization::dot(means)); }

/// f16 and sq8: rows that the usual kernels compare.
class ScalarBook final : public CodeBook {
 public:
  /// `longest`: length of the longest row, of a grid by inner product.
  ScalarBook(Codec codec, Distance metric, std::optional<quantization::Grid> grid, float longest)
      : codec_(codec), metric_(metric), grid_(grid), longest_(longest) {}

  std::optional<CodedRows> encode(const base::RowsView& rows, base::ThreadTeam& team) const override {
    CodedRows made;
    const VectorType type = code_type(codec_, metric_);
    if (grid_) {
      const InverseNorms inverse(metric_ != Distance::L2, rows, team);
      made.rows = quantization::encode(*grid_, rows, inverse.data(), team);
    } else {
      made.rows = base::RowStore(type, rows.rows, rows.dimension);
      const auto to = [&](unsigned, std::uint64_t row) { return made.rows.row(row); };
      if (!quantization::halve(rows, team, to)) return std::nullopt;
    }
    if (grid_ && metric_ == Distance::InnerProduct) {
      made.factors = norms_of(Distance::Cosine, rows, team);
      make_lengths(made.factors);
    } else if (code_layout(codec_, metric_, rows.dimension, rows.rows).factors != 0) {
      made.factors = norms_of(code_metric(codec_, metric_), made.rows, team);
    }
    return made;
  }
  std::shared_ptr<const graph::WalkCodes> walk(const base::RowsView& codes, const float* factors) const override {
    const graph::KernelSpace space(code_metric(codec_, metric_), codes, factors);
    return graph::scalar_walk(metric_, space, grid_, longest_);
  }
  CodeNumbers numbers() const override {
    CodeNumbers numbers;
    if (grid_) numbers.zero = grid_->zero, numbers.step = grid_->step;
    numbers.longest = longest_;
    return numbers;
  }

 private:
  /// Of inverse norms, lengths in parts of the greatest.
  static void make_lengths(std::vector<float>& norms) {
    float least = std::numeric_limits<float>::infinity();  // inverse norm: of the longest row
    for (const float norm : norms)
      if (norm > 0) least = std::min(least, norm);
    for (float& norm : norms) norm = norm > 0 ? least / norm : 0;
  }

  Codec codec_;
  Distance metric_;
  std::optional<quantization::Grid> grid_;
  float longest_;
};

/// sq4 and mix.
class NibbleBook final : public CodeBook {
 public:
  NibbleBook(Distance metric, quantization::NibbleGrid grid) : metric_(metric), grid_(std::move(grid)) {}

  /// Of rows y, less the means m. By inner product they are of length 1 before that, and queries w m / |m| + q have
  /// w m y / |m| and q y, times the lengths.
  std::optional<CodedRows> encode(const base::RowsView& rows, base::ThreadTeam& team) const override {
    const InverseNorms inverse(metric_ != Distance::L2, rows, team);
    auto codes = quantization::encode_nibbles(grid_, rows, inverse.data(), team);
    const bool products = metric_ == Distance::InnerProduct;
    std::vector<float> factors((products ? 2 : 1) * rows.rows);
    const float shared = grid_.shared, of_means = length_of(grid_.mean);
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const float square = codes.squares[i], product = codes.products[i];
      if (!products) {
        factors[i] = added_to(shared, product, square);
      } else if (inverse[i] > 0) {
        factors[2 * i] = 0 - (of_means + codes.of_means[i]) / inverse[i];
        const float most = grid_.projection == nullptr ? std::numeric_limits<float>::max() : kMostScale;
        factors[2 * i + 1] = 0 - scale_along(shared, product, square, most) / inverse[i];
      }
    }
    return checked(std::move(codes.rows), std::move(factors));
  }
  std::shared_ptr<const graph::WalkCodes> walk(const base::RowsView& codes, const float* factors) const override {
    return graph::nibble_walk(metric_, codes, grid_, factors);
  }
  CodeNumbers numbers() const override { return {0, grid_.step, grid_.shared, 0, grid_.places, grid_.shape}; }
  Sections sections() const override {
    Sections sections;
    sections.emplace_back(SectionKind::CodeMeans, bytes_of(grid_.mean));
    if (grid_.projection != nullptr) add_section(*grid_.projection, sections);
    return sections;
  }
  std::size_t bytes() const override {
    std::size_t bytes = grid_.mean.size() * sizeof(float);
    if (grid_.projection != nullptr) bytes += direction_bytes(grid_.projection->count(), grid_.mean.size());
    return bytes;
  }

  static std::shared_ptr<const CodeBook> read(Codec codec, Distance metric, std::size_t dimension,
                                              const CodeNumbers& numbers, const SectionSource& source) {
    quantization::NibbleGrid grid{{}, numbers.step, numbers.places, numbers.shape, nullptr, numbers.shared};
    grid.mean = read_means(source, dimension);
    if (grid.mean.empty()) return nullptr;
    if (codec == Codec::Mix) {
      grid.projection = read_projection(source, quantization::directions_of(grid.shape, dimension), dimension);
      if (grid.projection == nullptr) return nullptr;
    }
    return std::make_shared<NibbleBook>(metric, std::move(grid));
  }

 private:
  Distance metric_;
  quantization::NibbleGrid grid_;
};

/// rabitq1 to rabitq8.
class PlaneBook final : public CodeBook {
 public:
  PlaneBook(Distance metric, quantization::PlaneGrid grid) : metric_(metric), grid_(std::move(grid)) {}

  /// Of rows y and queries q less the means m: by L2 and cosine |q - y|^2 - |q|^2 is |y|^2 - 2 q y. By inner product
  /// queries w m / |m| + q have w m y / |m| and q y, less what is the same for all rows. And q y is what the code says
  /// times |y|^2 over the product of the row and its code.
  std::optional<CodedRows> encode(const base::RowsView& rows, base::ThreadTeam& team) const override {
    const InverseNorms inverse(metric_ == Distance::Cosine, rows, team);
    auto codes = quantization::encode_planes(grid_, rows, inverse.data(), team);
    std::vector<float> factors(2 * rows.rows);
    const bool products = metric_ == Distance::InnerProduct;
    for (std::size_t i = 0; i < rows.rows; ++i) {
      factors[2 * i] = products ? -codes.of_means[i] : codes.squares[i];
      if (codes.products[i] > 0)
        factors[2 * i + 1] = (products ? -1.0f : -2.0f) * (codes.squares[i] / codes.products[i]);
    }
    return checked(std::move(codes.rows), std::move(factors));
  }
  std::shared_ptr<const graph::WalkCodes> walk(const base::RowsView& codes, const float* factors) const override {
    return graph::plane_walk(metric_, codes, grid_, factors);
  }
  Sections sections() const override { return {{SectionKind::CodeMeans, bytes_of(grid_.mean)}}; }
  std::size_t bytes() const override { return grid_.mean.size() * sizeof(float) + grid_.rotation.bytes(); }

 private:
  Distance metric_;
  quantization::PlaneGrid grid_;
};

/// lvq8.
class LvqBook final : public CodeBook {
 public:
  LvqBook(Distance metric, std::vector<float> mean) : metric_(metric), mean_(std::move(mean)) {}

  /// As PlaneBook; what a code y' = s u + z says of q y is s q u + z times the sum of q.
  std::optional<CodedRows> encode(const base::RowsView& rows, base::ThreadTeam& team) const override {
    const InverseNorms inverse(metric_ == Distance::Cosine, rows, team);
    auto codes = quantization::encode_lvq(mean_, rows, inverse.data(), team);
    std::vector<float> factors(3 * rows.rows);
    const bool products = metric_ == Distance::InnerProduct;
    const float scale = products ? -1.0f : -2.0f;
    for (std::size_t i = 0; i < rows.rows; ++i) {
      // Exact along the row.
      factors[3 * i] = products ? -codes.of_means[i] : 2 * codes.products[i] - codes.squares[i];
      factors[3 * i + 1] = scale * codes.steps[i];
      factors[3 * i + 2] = scale * codes.zeros[i];
    }
    return checked(std::move(codes.rows), std::move(factors));
  }
  std::shared_ptr<const graph::WalkCodes> walk(const base::RowsView& codes, const float* factors) const override {
    return graph::lvq_walk(metric_, codes, mean_, factors);
  }
  Sections sections() const override { return {{SectionKind::CodeMeans, bytes_of(mean_)}}; }
  std::size_t bytes() const override { return mean_.size() * sizeof(float); }

 private:
  Distance metric_;
  std::vector<float> mean_;
};

/// pq4 and pq8.
class ProductBook final : public CodeBook {
 public:
  ProductBook(Distance metric, quantization::ProductGrid grid) : metric_(metric), grid_(std::move(grid)) {}

  /// As NibbleBook; by inner product queries are taken apart as for PlaneBook.
  std::optional<CodedRows> encode(const base::RowsView& rows, base::ThreadTeam& team) const override {
    const InverseNorms inverse(metric_ == Distance::Cosine, rows, team);
    auto codes = quantization::encode_product(grid_, rows, inverse.data(), team);
    const bool products = metric_ == Distance::InnerProduct;
    std::vector<float> factors((products ? 2 : 1) * rows.rows);
    const float shared = grid_.shared;
    for (std::size_t i = 0; i < rows.rows; ++i) {
      const float square = codes.squares[i], product = codes.products[i];
      if (!std::isfinite(square) || !std::isfinite(product)) return std::nullopt;
      if (!products) {
        factors[i] = added_to(shared, product, square);
      } else {
        factors[2 * i] = -codes.of_means[i];
        factors[2 * i + 1] = 0 - scale_along(shared, product, square, kMostScale);
      }
    }
    return checked(std::move(codes.rows), std::move(factors));
  }
  std::shared_ptr<const graph::WalkCodes> walk(const base::RowsView& codes, const float* factors) const override {
    return graph::product_walk(metric_, codes, grid_, factors);
  }
  CodeNumbers numbers() const override {
    CodeNumbers numbers;
    numbers.shared = grid_.shared;
    numbers.product = grid_.shape;
    return numbers;
  }
  Sections sections() const override {
    Sections sections{{SectionKind::CodeMeans, bytes_of(grid_.mean)},
                      {SectionKind::CodeCentroids, bytes_of(grid_.values)}};
    if (grid_.projection != nullptr) add_section(*grid_.projection, sections);
    return sections;
  }
  std::size_t bytes() const override {
    std::size_t bytes = (grid_.mean.size() + grid_.values.size()) * sizeof(float);
    if (grid_.projection != nullptr) bytes += direction_bytes(grid_.projection->count(), grid_.mean.size());
    return bytes;
  }

  static std::shared_ptr<const CodeBook> read(Distance metric, std::size_t dimension, const CodeNumbers& numbers,
                                              const SectionSource& source) {
    quantization::ProductGrid grid{numbers.product, read_means(source, dimension), {}, numbers.shared};
    const std::size_t bytes = grid.shape.dimension * grid.shape.centroids() * sizeof(float);
    grid.values = floats_of(source.section(SectionKind::CodeCentroids, bytes), SectionKind::CodeCentroids, source);
    if (grid.shape.along_directions) grid.projection = read_projection(source, grid.shape.dimension, dimension);
    const bool whole =
        !grid.mean.empty() && !grid.values.empty() && grid.shape.along_directions == (grid.projection != nullptr);
    return whole ? std::make_shared<ProductBook>(metric, std::move(grid)) : nullptr;
  }

 private:
  Distance metric_;
  quantization::ProductGrid grid_;
};

}  // namespace

std::shared_ptr<const CodeBook> product_book(Distance metric, quantization::ProductGrid grid) {
  return std::make_shared<ProductBook>(metric, std::move(grid));
}

std::shared_ptr<const CodeBook> train_book(const CodeChoice& codes, Distance metric, const base::RowsView& rows,
                                           base::ThreadTeam& team) {
  const Codec codec = codes.codec;
  if (codec == Codec::F16) return std::make_shared<ScalarBook>(codec, metric, std::nullopt, 0.0f);
  const bool knows_lengths = plane_bits(codec) != 0 || product_bits(codec) != 0 || codec == Codec::LVQ8;
  const InverseNorms inverse(metric == Distance::Cosine || (metric == Distance::InnerProduct && !knows_lengths), rows,
                             team);
  if (on_nibble_grid(codec)) {
    auto grid = codec == Codec::Mix ? quantization::train_mixed(rows, inverse.data(), team)
                                    : quantization::train_nibbles(rows, inverse.data());
    return grid.step > 0 ? std::make_shared<NibbleBook>(metric, std::move(grid)) : nullptr;
  }
  if (const std::size_t bits = product_bits(codec)) {
    const quantization::ProductShape shape = quantization::product_shape(rows.dimension, bits, codes.chunks);
    return std::make_shared<ProductBook>(metric, quantization::train_product(shape, rows, inverse.data(), team));
  }
  if (const std::size_t bits = plane_bits(codec))
    return std::make_shared<PlaneBook>(metric, quantization::train_planes(rows, inverse.data(), bits));
  if (codec == Codec::LVQ8)
    return std::make_shared<LvqBook>(metric,
                                     quantization::means_of(quantization::RowReader(rows, inverse.data()), rows.rows));
  const quantization::Grid grid = quantization::choose_grid(rows, inverse.data(), code_type(codec, metric));
  if (!(grid.step > 0)) return nullptr;
  float longest = 0;
  for (std::size_t i = 0; metric == Distance::InnerProduct && i < rows.rows; ++i)
    if (inverse[i] > 0) longest = std::max(longest, 1 / inverse[i]);
  return std::make_shared<ScalarBook>(codec, metric, grid, longest);
}

std::shared_ptr<const CodeBook> read_book(Codec codec, Distance metric, std::size_t dimension,
                                          const CodeNumbers& numbers, const SectionSource& source) {
  if (codec == Codec::F16) return std::make_shared<ScalarBook>(codec, metric, std::nullopt, 0.0f);
  if (codec == Codec::SQ8) {
    const quantization::Grid grid{code_type(codec, metric), numbers.zero, numbers.step};
    return std::make_shared<ScalarBook>(codec, metric, grid, numbers.longest);
  }
  if (on_nibble_grid(codec)) return NibbleBook::read(codec, metric, dimension, numbers, source);
  if (product_bits(codec) != 0) return ProductBook::read(metric, dimension, numbers, source);
  std::vector<float> mean = read_means(source, dimension);
  if (mean.empty()) return nullptr;
  if (codec == Codec::LVQ8) return std::make_shared<LvqBook>(metric, std::move(mean));
  return std::make_shared<PlaneBook>(
      metric, quantization::PlaneGrid{std::move(mean), quantization::Rotation(dimension), plane_bits(codec)});
}

}  // namespace diskann::index
