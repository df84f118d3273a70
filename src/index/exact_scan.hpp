#pragma once

#include <cstddef>
#include <vector>

#include "base/huge_array.hpp"
#include "base/threads.hpp"
#include "diskann/types.hpp"

namespace diskann::index {

/// Compares queries with every one of a set of rows. Results are the same at every thread count and batch size. The
/// rows are borrowed; const calls are safe from any number of threads.
class ExactScan {
 public:
  /// How the rows stand in memory.
  enum class Layout {
    Padded,  ///< as base::RowsView says: read in place
    Any,     ///< copied a block at a time, so that a large set is never held twice
  };

  ExactScan() = default;
  /// Looks at every component once. InvalidArgument for no rows, no or too many components, Distance::Custom, and for
  /// NaN and infinity: names row and column of the first.
  ExactScan(VectorView rows, Distance metric, Layout layout, const Execution& execution);

  /// The k nearest rows of every query, padded where there are fewer.
  SearchResults nearest(VectorView queries, std::size_t k, const Execution& execution) const;
  /// All rows at distance <= radius, sorted by (distance, id).
  std::vector<Hit> within(VectorView query, float radius) const;

  const VectorView& rows() const noexcept { return rows_; }
  Distance metric() const noexcept { return metric_; }

 private:
  class Window;
  struct Batch;
  void check_queries(VectorView queries) const;
  void check_rows(base::ThreadTeam& team) const;
  void compute_norms(base::ThreadTeam& team);

  VectorView rows_;
  Distance metric_ = Distance::L2;
  Layout layout_ = Layout::Any;
  std::size_t block_rows_ = 1;  ///< rows compared with one query after the other while they stay in cache
  base::HugeArray<float> inverse_norms_;
};

}  // namespace diskann::index
