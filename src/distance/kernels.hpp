#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/huge_array.hpp"
#include "base/row_store.hpp"
#include "diskann/types.hpp"

namespace diskann::distance {

/// A query as kernels take it: 64-byte aligned, padded with zeros to whole cache lines.
struct Query {
  const std::byte* data = nullptr;
  VectorType form = VectorType::F32;  ///< F32, U8 or I8; integer forms only against rows of the same type
  float inverse_norm = 0;             ///< 1 / |q| (cosine); 0 for a zero vector
  std::uint32_t squared_norm = 0;     ///< of integer forms, for L2 where the norms of rows are given
};

/// Distances of one query to rows, in the convention of Distance (smaller is nearer). All lengths are in padded rows.
struct KernelTable {
  /// out[i] = distance to rows.row(slots[i]); norms is indexed by slot and as row_norms() gives them, null by other
  /// metrics; by L2 over integers it may be null, which takes twice as long for near rows. Rows further on
  /// in `slots` are prefetched while the first are compared. The primary form: one indirect call a hop.
  void (*many)(const Query& query, const base::RowsView& rows, const float* norms, const base::Slot* slots,
               std::size_t count, float* out);
  /// out[i] = distance to the row at first + i * rows.stride bytes, for rows that stand one after the other;
  /// norms is indexed by i.
  void (*block)(const Query& query, const base::RowsView& rows, const float* norms, std::size_t first,
                std::size_t count, float* out);
};

/// The kernels for a metric (not Custom), rows of a type, and a query in a form. The same pointer every time.
const KernelTable& kernels(Distance metric, VectorType rows, VectorType query_form);

/// Room for one prepared query of any form; reused from query to query.
class QueryBuffer {
 public:
  /// Room for `dimension` components in any form.
  explicit QueryBuffer(std::size_t dimension);
  /// Prepares `row` (one row of a view, any type) against rows of `row_type`: in the row's integer type where every
  /// component fits, else in f32. Throws InvalidArgument with `what` and the column for NaN or infinity, and for a
  /// norm that overflows f32.
  Query prepare(const VectorView& row, VectorType row_type, const char* what = "query");
  /// A stored (padded, finite) row as the query, without a copy where the type allows; `norm` as row_norms() gives it.
  Query prepare_stored(const base::RowsView& rows, base::Slot slot, float norm);

 private:
  std::size_t dimension_;
  base::HugeArray<std::byte> memory_;
};

/// 1 / |row| of rows [first, first + count) in double precision, rounded once; 0 for zero rows.
void inverse_norms(const base::RowsView& rows, std::size_t first, std::size_t count, float* out);

/// Whether kernels of a metric want to know something of each of so many rows: by cosine, and by L2 over integers but
/// for short rows whose norms no cache holds, where one more line to fetch costs more than it saves.
constexpr bool has_norms(Distance metric, VectorType type, std::size_t dimension, std::uint64_t rows) noexcept {
  if (metric != Distance::L2) return metric == Distance::Cosine;
  const bool integers = type == VectorType::U8 || type == VectorType::I8;
  return integers && (dimension > 192 || rows <= std::uint64_t{1} << 21);
}

/// What that is: by cosine the inverse norms; by L2 over integers the squared norms, 32 bits that stand for an unsigned
/// integer, so that nothing but the kernels may read them; else zeros.
void row_norms(Distance metric, const base::RowsView& rows, std::size_t first, std::size_t count, float* out);

/// Squared norms, same precision.
void squared_norms(const base::RowsView& rows, std::size_t first, std::size_t count, double* out);

/// Throws InvalidArgument with row and column (counted from `first_row`) of the first NaN or infinity, and for a row
/// whose squared norm overflows f32.
void check_finite(const VectorView& rows, std::uint64_t first_row);

/// Name of the instruction set in use, e.g. "AVX3_DL"; DISKANN_ISA in the environment forces a lower one, and an
/// unknown or unavailable name there throws Unsupported with the list.
std::string isa();
std::vector<std::string> compiled_isas();

}  // namespace diskann::distance
