#include "index/codes.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "base/convert.hpp"
#include "distance/kernels.hpp"

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

/// What the kernels are told of each row: by L2 and cosine |y|^2 - 2 y'(y - y'), y' the code of the row y; then
/// |q - y|^2 - |q|^2 is that less 2 q y', but for the part of q - y that lies along y - y'. By inner product what the
/// product of a code is multiplied with to be right along the row.
std::vector<float> nibble_norms(Distance metric, const quantization::NibbleCodes& codes,
                                const std::vector<float>& inverse) {
  std::vector<float> norms(codes.squares.size());
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (metric != Distance::InnerProduct)
      norms[i] = 2 * codes.products[i] - codes.squares[i];
    else if (codes.products[i] > 0)
      norms[i] = -codes.squares[i] / codes.products[i] / inverse[i];
  }
  return norms;
}

struct Encoded {
  base::RowStore rows;
  std::vector<float> norms;
};

/// Codes of all rows on the grids of `codes`, and what kernels want to know of each.
std::optional<Encoded> encode(const Codes& codes, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  Encoded made;
  const VectorType type = code_type(codes.codec, metric);
  if (codes.codec == Codec::F16) {
    made.rows = base::RowStore(type, rows.rows, rows.dimension);
    if (!halve(rows, team, [&](unsigned, std::uint64_t i) { return made.rows.row(i); })) return std::nullopt;
  } else {
    const std::vector<float> inverse = inverse_lengths(metric, rows, team);
    const float* inverse_norms = inverse.empty() ? nullptr : inverse.data();
    if (codes.codec == Codec::SQ4) {
      auto nibbles = quantization::encode_nibbles(*codes.nibbles, rows, inverse_norms, team);
      made.norms = nibble_norms(metric, nibbles, inverse);
      made.rows = std::move(nibbles.rows);
      return made;
    }
    made.rows = quantization::encode(*codes.grid, rows, inverse_norms, team);
  }
  const Distance by = code_metric(codes.codec, metric);
  // A file may have norms that this writer would have left out.
  if (by == Distance::Cosine || !codes.norms.empty() || distance::has_norms(by, type, rows.dimension, rows.rows))
    made.norms = code_norms(codes.codec, metric, rows, made.rows, team);
  return made;
}

}  // namespace

VectorType code_type(Codec codec, Distance metric) noexcept {
  if (codec == Codec::F16) return VectorType::F16;
  if (codec == Codec::SQ4) return VectorType::U8;
  return metric == Distance::L2 ? VectorType::U8 : VectorType::I8;
}

Distance code_metric(Codec codec, Distance metric) noexcept {
  if (codec != Codec::SQ8 || metric == Distance::L2) return metric;
  // Codes are those of rows of length 1. Products order them as cosines do, without norms; and lengths in the place of
  // inverse norms turn their cosines into products.
  return metric == Distance::Cosine ? Distance::InnerProduct : Distance::Cosine;
}

std::size_t code_bytes(Codec codec, Distance metric, std::size_t dimension) noexcept {
  if (codec == Codec::SQ4) return distance::nibble_row_bytes(dimension);
  return base::row_stride(code_type(codec, metric), dimension);
}

bool has_codes(Codec codec, VectorType rows) noexcept {
  if (codec == Codec::SQ4) return true;
  if (codec == Codec::F16) return rows == VectorType::F32;
  return codec == Codec::SQ8 && (rows == VectorType::F32 || rows == VectorType::F16);
}

std::vector<Codec> codes_to_try(Codec codec, Distance metric, VectorType rows) {
  if (metric == Distance::Custom) return {};
  std::vector<Codec> codecs = codec == Codec::Auto ? std::vector{Codec::SQ4, Codec::SQ8} : std::vector{codec};
  std::erase_if(codecs, [&](Codec which) { return !has_codes(which, rows); });
  return codecs;
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
  if (codec != Codec::F16) {
    const std::vector<float> inverse = inverse_lengths(metric, rows, team);
    const float* inverse_norms = inverse.empty() ? nullptr : inverse.data();
    if (codec == Codec::SQ4) {
      // By inner product means would be multiplied with the lengths of rows.
      codes.nibbles = std::make_shared<quantization::NibbleGrid>(
          quantization::train_nibbles(rows, inverse_norms, metric != Distance::InnerProduct));
      if (!(codes.nibbles->step > 0)) return {};
    } else {
      codes.grid = quantization::choose_grid(rows, inverse_norms, code_type(codec, metric));
      if (!(codes.grid->step > 0)) return {};
    }
  }
  std::optional<Encoded> made = encode(codes, metric, rows, team);
  if (!made) return {};
  codes.rows = std::move(made->rows);
  codes.norms = std::move(made->norms);
  return codes;
}

bool are_codes_of(const Codes& codes, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  const std::optional<Encoded> right = encode(codes, metric, rows, team);
  if (!right) return false;
  const base::RowsView& view = codes.rows.view();
  return std::memcmp(right->rows.view().data, view.data, view.rows * view.stride) == 0 &&
         (codes.norms.empty() ||
          std::memcmp(right->norms.data(), codes.norms.data(), codes.norms.size() * sizeof(float)) == 0);
}

graph::CodeSpace code_space(const Codes& codes, Distance metric, const base::RowsView& rows, const float* norms) {
  if (codes.codec == Codec::SQ4)
    return {graph::KernelSpace(metric, rows, norms), {metric, codes.rows, *codes.nibbles, codes.norms.data()}};
  return {graph::KernelSpace(metric, rows, norms),
          graph::KernelSpace(code_metric(codes.codec, metric), codes.rows,
                             codes.norms.empty() ? nullptr : codes.norms.data()),
          codes.grid};
}

}  // namespace diskann::index
