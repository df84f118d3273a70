#pragma once

#include <optional>
#include <vector>

#include "graph/space.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::graph {

/// Rows that are walked by codes: those put candidates in order, and the rows themselves say at the end how far each
/// is. For searches alone: no stored row can be the query.
class CodeSpace {
 public:
  struct Query {
    distance::Query code, row;
  };
  struct Buffer {
    explicit Buffer(std::size_t dimension) : code(dimension), row(dimension), values(dimension) {}
    distance::QueryBuffer code, row;
    std::vector<float> values;
    std::vector<std::byte> bytes;
  };
  static constexpr bool kExact = false;

  /// `grid` of codes in 8 bits; else they are of another float type than the rows, and compared as those.
  CodeSpace(const KernelSpace& rows, const KernelSpace& codes, const std::optional<quantization::Grid>& grid)
      : rows_(rows), codes_(codes), grid_(grid) {}

  const base::RowsView& rows() const noexcept { return rows_.rows(); }
  const float* norms() const noexcept { return rows_.norms(); }
  Query prepare(const VectorView& query, Buffer& buffer) const;
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    codes_.score(query.code, slots, count, out);
  }
  void exact(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    rows_.score(query.row, slots, count, out);
  }
  void score_block(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first,
                   std::size_t count, float* out) const {
    rows_.score_block(query.row, rows, norms, first, count, out);
  }
  KernelSpace neighborhood() const { return rows_.neighborhood(); }
  std::size_t row_bytes() const noexcept { return codes_.row_bytes(); }
  void prefetch(Slot slot) const noexcept { codes_.prefetch(slot); }

 private:
  KernelSpace rows_, codes_;
  std::optional<quantization::Grid> grid_;
};

}  // namespace diskann::graph
