#include "index/codes.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "base/convert.hpp"
#include "distance/kernels.hpp"
#include "quantization/build_codes.hpp"

namespace diskann::index {
namespace {

/// Fills halves(thread, row) with the halves of each row of f32; false where a value has none.
template <class Halves>
bool halve(const base::RowsView& rows, base::ThreadTeam& team, const Halves& halves) {
  std::atomic<bool> all = true;
  team.run(rows.rows, 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::size_t column =
          base::convert_row(rows.row(i), rows.type, halves(thread, i), VectorType::F16, rows.dimension);
      if (column != base::kAllColumns) all.store(false, std::memory_order_relaxed);
    }
  });
  return all;
}

/// The same into rows of their own.
bool halve(const base::RowsView& rows, base::RowStore& codes, base::ThreadTeam& team) {
  return halve(rows, team, [&](unsigned, std::uint64_t i) { return codes.row(i); });
}

/// Of inverse norms, lengths in parts of the greatest.
void make_lengths(std::vector<float>& norms) {
  float least = std::numeric_limits<float>::infinity();  // inverse norm: of the longest row
  for (const float norm : norms)
    if (norm > 0) least = std::min(least, norm);
  for (float& norm : norms) norm = norm > 0 ? least / norm : 0;
}

std::vector<float> norms_of(Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  std::vector<float> norms(rows.rows);
  team.run(norms.size(), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    distance::row_norms(metric, rows, begin, end - begin, norms.data() + begin);
  });
  return norms;
}

/// What rows are multiplied with before they are codes: by L2 nothing.
std::vector<float> inverse_lengths(Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  return metric == Distance::L2 ? std::vector<float>() : norms_of(Distance::Cosine, rows, team);
}

/// What kernels want to know of each code, if anything.
std::vector<float> code_norms(Codec codec, Distance metric, const base::RowsView& rows, const base::RowsView& codes,
                              base::ThreadTeam& team) {
  if (codec != Codec::SQ8 || metric != Distance::InnerProduct) return norms_of(code_metric(codec, metric), codes, team);
  std::vector<float> lengths = norms_of(Distance::Cosine, rows, team);
  make_lengths(lengths);
  return lengths;
}

/// Whether one row is so long that most lengths vanish beside it: kernels take products from 1, in f32.
bool most_are_lost(std::span<const float> lengths) {
  const auto lost = std::count_if(lengths.begin(), lengths.end(), [](float x) { return x > 0 && x < 0x1p-18f; });
  return static_cast<std::size_t>(lost) > lengths.size() / 2;
}

/// Rows that differ and have the same code, at most: beyond that walks are blind.
constexpr double kMostCollisions = 0.001;

}  // namespace

VectorType code_type(Codec codec, Distance metric) noexcept {
  if (codec == Codec::F16) return VectorType::F16;
  return metric == Distance::L2 ? VectorType::U8 : VectorType::I8;
}

Distance code_metric(Codec codec, Distance metric) noexcept {
  if (codec != Codec::SQ8 || metric == Distance::L2) return metric;
  // Codes are those of rows of length 1. Products order them as cosines do, without norms; and lengths in the place of
  // inverse norms turn their cosines into products.
  return metric == Distance::Cosine ? Distance::InnerProduct : Distance::Cosine;
}

bool has_codes(Codec codec, VectorType rows) noexcept {
  if (codec == Codec::F16) return rows == VectorType::F32;
  return codec == Codec::SQ8 && (rows == VectorType::F32 || rows == VectorType::F16);
}

void check_codec(Codec codec, const base::RowsView& rows, base::ThreadTeam& team) {
  if (codec != Codec::F16 || !has_codes(codec, rows.type)) return;
  std::vector<std::vector<std::byte>> halves(team.threads(), std::vector<std::byte>(rows.dimension * sizeof(float16)));
  if (halve(rows, team, [&](unsigned thread, std::uint64_t) { return halves[thread].data(); })) return;
  throw Error(ErrorCode::InvalidArgument, "a value lies outside the range of f16 (65,504): there is no such code",
              "scale the vectors down, or use the codec sq8");
}

Codes make_codes(Codec codec, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  if (!has_codes(codec, rows.type)) return {};
  Codes codes;
  codes.codec = codec;
  const VectorType type = code_type(codec, metric);
  if (codec == Codec::F16) {
    codes.rows = base::RowStore(type, rows.rows, rows.dimension);
    if (!halve(rows, codes.rows, team)) return {};
  } else {
    const std::vector<float> inverse = inverse_lengths(metric, rows, team);
    const float* inverse_norms = inverse.empty() ? nullptr : inverse.data();
    codes.grid = quantization::choose_grid(rows, inverse_norms, type);
    if (!(codes.grid->step > 0)) return {};
    codes.rows = quantization::encode(*codes.grid, rows, inverse_norms, team);
  }
  // Codes of rows of length 1 may be those of all rows of one direction.
  const double most = kMostCollisions * static_cast<double>(rows.rows);
  if ((codec == Codec::F16 || metric == Distance::L2) &&
      static_cast<double>(quantization::count_collisions(codes.rows, team)) > most)
    return {};
  const Distance by = code_metric(codec, metric);
  if (by == Distance::Cosine || distance::has_norms(by, type, rows.dimension, rows.rows))
    codes.norms = code_norms(codec, metric, rows, codes.rows, team);
  if (codec == Codec::SQ8 && metric == Distance::InnerProduct && most_are_lost(codes.norms.span())) return {};
  return codes;
}

bool are_codes_of(const Codes& codes, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  base::RowStore right;
  if (codes.codec == Codec::F16) {
    right = base::RowStore(VectorType::F16, rows.rows, rows.dimension);
    if (!halve(rows, right, team)) return false;
  } else {
    const std::vector<float> inverse = inverse_lengths(metric, rows, team);
    right = quantization::encode(*codes.grid, rows, inverse.empty() ? nullptr : inverse.data(), team);
  }
  const base::RowsView& view = codes.rows.view();
  if (std::memcmp(right.view().data, view.data, view.rows * view.stride) != 0) return false;
  if (codes.norms.empty()) return true;
  const std::vector<float> norms = code_norms(codes.codec, metric, rows, view, team);
  return std::memcmp(norms.data(), codes.norms.data(), norms.size() * sizeof(float)) == 0;
}

graph::CodeSpace code_space(const Codes& codes, Distance metric, const base::RowsView& rows, const float* norms) {
  return {graph::KernelSpace(metric, rows, norms),
          graph::KernelSpace(code_metric(codes.codec, metric), codes.rows,
                             codes.norms.empty() ? nullptr : codes.norms.data()),
          codes.grid};
}

}  // namespace diskann::index
