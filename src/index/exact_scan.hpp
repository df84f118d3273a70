#pragma once

#include <cstddef>
#include <vector>

#include "base/huge_array.hpp"
#include "base/threads.hpp"
#include "diskann/types.hpp"
#include "index/row_window.hpp"

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

  const VectorView& rows() const noexcept { return scanned_.rows; }
  Distance metric() const noexcept { return scanned_.metric; }

 private:
  /// Most queries of a batch and rows of a block.
  struct Shape {
    std::size_t queries, rows;
  };
  template <class Scan, class... Arguments>
  void search(const Shape& shape, VectorView queries, SearchResults& results, const Execution& execution,
              const Arguments&... arguments) const;
  void check_queries(VectorView queries) const;
  void check_rows(base::ThreadTeam& team) const;
  void compute_norms(base::ThreadTeam& team);

  ScannedRows scanned_;
  std::size_t block_rows_ = 1;  ///< rows compared with one query after the other while they stay in cache
  base::HugeArray<float> inverse_norms_;
  std::vector<float> center_;  ///< of DenseScan
};

}  // namespace diskann::index
