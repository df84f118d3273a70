#include "diskann/evaluation.hpp"
#include "index/exact_scan.hpp"

namespace diskann {

SearchResults compute_ground_truth(VectorView base, VectorView queries, Distance metric, std::size_t k,
                                   const Execution& execution) {
  if (queries.rows() == 0) throw Error(ErrorCode::InvalidArgument, "empty input: no queries");
  const index::ExactScan scan(base, metric, index::ExactScan::Layout::Any, execution);
  return scan.nearest(queries, k, execution);
}

}  // namespace diskann
