#pragma once

#include <optional>
#include <vector>

#include "distance/nibbles.hpp"
#include "graph/space.hpp"
#include "quantization/nibble_codes.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::graph {

/// Codes of 4 bits with what they add to products or multiply them with; `grid` and `norms` must outlive it.
struct NibbleSpace {
  NibbleSpace(Distance of, const base::RowsView& codes, const quantization::NibbleGrid& on, const float* with)
      : metric(of),
        rows(codes),
        norms(with),
        grid(&on),
        kernel(distance::nibble_kernel(of == Distance::InnerProduct ? distance::NibbleEnding::Multiply
                                                                    : distance::NibbleEnding::Add)) {}

  Distance metric;
  base::RowsView rows;
  const float* norms;
  const quantization::NibbleGrid* grid;
  distance::NibbleKernel kernel;
};

/// Rows that are walked by codes: those put candidates in order, and the rows themselves say at the end how far each
/// is. For searches alone: no stored row can be the query.
class CodeSpace {
 public:
  struct Query {
    distance::Query code, row;
    distance::NibbleQuery nibbles;
  };
  struct Buffer {
    explicit Buffer(std::size_t dimension)
        : code(dimension),
          row(dimension),
          values(dimension),
          nibbles(base::round_up(dimension, distance::kNibblesInLine)) {}
    distance::QueryBuffer code, row;
    std::vector<float> values;
    std::vector<std::byte> bytes;
    base::HugeArray<std::int8_t> nibbles;
  };
  static constexpr bool kExact = false;

  /// `grid` of codes in 8 bits; else they are of another float type than the rows, and compared as those.
  CodeSpace(const KernelSpace& rows, const KernelSpace& codes, const std::optional<quantization::Grid>& grid)
      : rows_(rows), codes_(codes), grid_(grid) {}
  CodeSpace(const KernelSpace& rows, const NibbleSpace& codes) : rows_(rows), codes_(rows), nibbles_(codes) {}

  const base::RowsView& rows() const noexcept { return rows_.rows(); }
  const float* norms() const noexcept { return rows_.norms(); }
  Query prepare(const VectorView& query, Buffer& buffer) const;
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    if (nibbles_) {
      nibbles_->kernel(query.nibbles, nibbles_->rows, nibbles_->norms, slots, count, out);
    } else {
      codes_.score(query.code, slots, count, out);
    }
  }
  void exact(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    rows_.score(query.row, slots, count, out);
  }
  void score_block(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first,
                   std::size_t count, float* out) const {
    rows_.score_block(query.row, rows, norms, first, count, out);
  }
  KernelSpace neighborhood() const { return rows_.neighborhood(); }
  std::size_t row_bytes() const noexcept { return nibbles_ ? nibbles_->rows.stride : codes_.row_bytes(); }
  void prefetch(Slot slot) const noexcept {
    if (nibbles_) {
      base::prefetch(nibbles_->rows.row(slot), nibbles_->rows.stride);
    } else {
      codes_.prefetch(slot);
    }
  }

 private:
  distance::NibbleQuery prepare_nibbles(float inverse_norm, Buffer& buffer) const;

  KernelSpace rows_, codes_;
  std::optional<quantization::Grid> grid_;
  std::optional<NibbleSpace> nibbles_;
};

}  // namespace diskann::graph
