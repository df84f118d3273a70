#include "index/codes.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <vector>

#include "base/convert.hpp"
#include "distance/kernels.hpp"

namespace diskann::index {
namespace {

/// Halves of rows of f32; false where a value has none.
bool halve(const base::RowsView& rows, base::RowStore& codes, base::ThreadTeam& team) {
  std::atomic<bool> all = true;
  team.run(rows.rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      if (base::convert_row(rows.row(i), rows.type, codes.row(i), VectorType::F16, rows.dimension) != base::kAllColumns)
        all.store(false, std::memory_order_relaxed);
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

/// On a grid, or one of its own.
Codes make_codes(Codec codec, Distance metric, const base::RowsView& rows, std::optional<quantization::Grid> grid,
                 base::ThreadTeam& team) {
  Codes codes;
  if (!has_codes(codec, rows.type)) return codes;
  const VectorType type = code_type(codec, metric);
  const Distance by = code_metric(codec, metric);
  std::vector<float> norms;
  const auto fill_norms = [&](Distance of, const base::RowsView& from) {
    norms.resize(rows.rows);
    team.run(norms.size(), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
      distance::row_norms(of, from, begin, end - begin, norms.data() + begin);
    });
  };
  if (codec == Codec::F16) {
    codes.rows = base::RowStore(type, rows.rows, rows.dimension);
    if (!halve(rows, codes.rows, team)) {
      throw Error(ErrorCode::InvalidArgument, "a value lies outside the range of f16 (65,504): there is no such code",
                  "scale the vectors down, or use the codec sq8");
    }
  } else {
    if (metric != Distance::L2) fill_norms(Distance::Cosine, rows);
    const float* inverse_norms = norms.empty() ? nullptr : norms.data();
    codes.grid = grid ? grid : quantization::choose_grid(rows, inverse_norms, type);
    if (!(codes.grid->step > 0)) return {};
    codes.rows = quantization::encode(*codes.grid, rows, inverse_norms, team);
  }
  codes.codec = codec;
  if (codec == Codec::SQ8 && metric == Distance::InnerProduct) {
    make_lengths(norms);
  } else if (distance::has_norms(by, type, rows.dimension, rows.rows)) {
    fill_norms(by, codes.rows);
  } else {
    norms.clear();
  }
  codes.norms = std::move(norms);
  return codes;
}

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

Codes make_codes(Codec codec, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  return make_codes(codec, metric, rows, {}, team);
}

bool are_codes_of(const Codes& codes, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  const Codes right = make_codes(codes.codec, metric, rows, codes.grid, team);
  const auto same = [](const auto* a, const auto* b, std::size_t bytes) { return std::memcmp(a, b, bytes) == 0; };
  const base::RowsView& view = codes.rows.view();
  return right.codec == codes.codec && same(right.rows.view().data, view.data, view.rows * view.stride) &&
         (codes.norms.empty() || same(right.norms.data(), codes.norms.data(), codes.norms.size() * sizeof(float)));
}

graph::CodeSpace code_space(const Codes& codes, Distance metric, const base::RowsView& rows, const float* norms) {
  return {graph::KernelSpace(metric, rows, norms),
          graph::KernelSpace(code_metric(codes.codec, metric), codes.rows,
                             codes.norms.empty() ? nullptr : codes.norms.data()),
          codes.grid};
}

}  // namespace diskann::index
