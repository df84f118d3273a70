#include "quantization/plane_codes.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "quantization/dot.hpp"
#include "quantization/row_reader.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::quantization {
namespace {

/// Steps of the even grids of 1 to 8 bits that lose least of normal numbers (Max 1960), and what is tried beside them
/// for rows whose components are not quite those.
constexpr std::array<float, 9> kSteps{0, 1.596f, 0.9957f, 0.586f, 0.3352f, 0.1881f, 0.1041f, 0.0569f, 0.0308f};
constexpr std::array<float, 5> kFactors{1.0f, 0.7f, 0.85f, 1.2f, 1.45f};

class RowEncoder {
 public:
  explicit RowEncoder(const PlaneGrid& grid)
      : grid_(grid),
        values_(grid.rotation.padded()),
        steps_(values_.size()),
        places_(values_.size()),
        best_(values_.size()),
        along_means_(direction_of(grid.mean, values_.size())) {}

  float* values() noexcept { return values_.data(); }
  float square() const noexcept { return square_; }
  float product() const noexcept { return product_; }
  float of_means() const noexcept { return of_means_; }

  /// Of the row whose components are in values().
  void encode() {
    const std::size_t dimension = grid_.mean.size();
    std::fill(values_.begin() + static_cast<std::ptrdiff_t>(dimension), values_.end(), 0.0f);
    centre(grid_.mean.data(), dimension, values_.data());
    of_means_ = dot(values_.data(), along_means_.data(), values_.size());
    grid_.rotation.apply(values_.data());
    square_ = dot(values_.data(), values_.data(), values_.size());
    const float usual = kSteps[grid_.bits] * std::sqrt(square_ / static_cast<float>(values_.size()));
    float best = -1;
    for (const float factor : kFactors) {
      round_to_places(factor * usual);
      const float product = dot(places_.data(), values_.data(), values_.size());
      const float length = std::sqrt(dot(places_.data(), places_.data(), places_.size()));
      if (product / length > best) {  // the cosine, times the length of the row
        best = product / length;
        product_ = product;
        best_.swap(places_);
      }
      if (grid_.bits == 1) break;  // signs
    }
    if (best < 0) product_ = 0, std::fill(best_.begin(), best_.end(), 0.5f);
  }
  void write(std::byte* row) const {
    const std::size_t bytes = best_.size() / 8;
    const float least = static_cast<float>(1 << grid_.bits) / 2 - 0.5f;
    std::fill_n(row, bytes * grid_.bits, std::byte{0});
    for (std::size_t j = 0; j < best_.size(); ++j) {
      const auto code = static_cast<unsigned>(best_[j] + least);
      for (std::size_t bit = 0; bit < grid_.bits; ++bit)
        row[(grid_.bits - 1 - bit) * bytes + j / 8] |= static_cast<std::byte>((code >> bit & 1u) << (j % 8));
    }
  }

 private:
  void round_to_places(float step) {
    const float most = static_cast<float>(1 << grid_.bits) / 2 - 0.5f;
    clamp_steps(values_.data(), 0, step, -most, most, values_.size(), steps_.data());
    for (std::size_t j = 0; j < places_.size(); ++j)
      places_[j] = std::min(std::max(-most, round_to_whole(steps_[j] - 0.5f) + 0.5f), most);
  }

  const PlaneGrid& grid_;
  std::vector<float> values_, steps_, places_, best_, along_means_;
  float square_ = 0, product_ = 0, of_means_ = 0;
};

}  // namespace

PlaneGrid train_planes(const base::RowsView& rows, const float* inverse_norms, std::size_t bits) {
  return {means_of(RowReader(rows, inverse_norms), rows.rows), Rotation(rows.dimension), bits};
}

PlaneCodes encode_planes(const PlaneGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                         base::ThreadTeam& team) {
  const RowReader reader(rows, inverse_norms);
  PlaneCodes codes{base::RowStore::packed(rows.rows, distance::plane_row_bytes(grid.rotation.padded(), grid.bits)),
                   std::vector<float>(rows.rows), std::vector<float>(rows.rows), std::vector<float>(rows.rows)};
  std::vector<RowEncoder> encoders(team.threads(), RowEncoder(grid));
  team.run(rows.rows, 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    RowEncoder& encoder = encoders[thread];
    for (std::uint64_t i = begin; i < end; ++i) {
      reader.read(i, encoder.values());
      encoder.encode();
      encoder.write(codes.rows.row(i));
      codes.products[i] = encoder.product();
      codes.squares[i] = encoder.square();
      codes.of_means[i] = encoder.of_means();
    }
  });
  return codes;
}

void decode_planes(const PlaneGrid& grid, const std::byte* code, float scale, float* values) {
  const std::size_t padded = grid.rotation.padded();
  std::vector<float> places(padded);
  for (std::size_t j = 0; j < padded; ++j) {
    unsigned bits = 0;
    for (std::size_t bit = 0; bit < grid.bits; ++bit)
      bits = 2 * bits + (std::to_integer<unsigned>(code[bit * padded / 8 + j / 8]) >> (j % 8) & 1u);
    places[j] = scale * (static_cast<float>(bits) - (static_cast<float>(1 << grid.bits) - 1) / 2);
  }
  grid.rotation.revert(places.data());
  for (std::size_t j = 0; j < grid.mean.size(); ++j) values[j] = grid.mean[j] + places[j];
}

}  // namespace diskann::quantization
