#include "diskann/flat_index.hpp"

#include <algorithm>
#include <string>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "index/exact_scan.hpp"

namespace diskann {
namespace {

base::RowStore copy_rows(const VectorView& vectors, const Execution& execution) {
  base::RowStore store(vectors.type(), vectors.rows(), vectors.dimension());
  base::ThreadTeam team(execution);
  team.run(vectors.rows(), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) base::copy_row(vectors, i, store.row(i));
  });
  return store;
}

VectorView view_of(const base::RowsView& rows) {
  return {rows.data, rows.type, rows.rows, rows.dimension, rows.stride};
}

void check_one(const VectorView& query) {
  if (query.rows() != 1) {
    throw Error(ErrorCode::InvalidArgument, "expected one query, found " + std::to_string(query.rows()),
                "search_batch takes any number");
  }
}

}  // namespace

struct FlatIndex::State {
  State(const VectorView& vectors, Distance metric, const Execution& execution)
      : store(copy_rows(vectors, execution)),
        scan(view_of(store), metric, index::ExactScan::Layout::Padded, execution) {}

  base::RowStore store;
  index::ExactScan scan;
};

FlatIndex::FlatIndex(VectorView vectors, Distance metric, const Execution& execution)
    : state_(std::make_unique<State>(vectors, metric, execution)) {}
FlatIndex::FlatIndex(FlatIndex&&) noexcept = default;
FlatIndex& FlatIndex::operator=(FlatIndex&&) noexcept = default;
FlatIndex::~FlatIndex() = default;

std::vector<Hit> FlatIndex::search(VectorView query, std::size_t k) const {
  check_one(query);
  Execution one_thread;
  one_thread.threads = 1;
  const SearchResults results = state_->scan.nearest(query, std::min(k, size()), one_thread);
  std::vector<Hit> hits(results.ids.size());
  for (std::size_t i = 0; i < hits.size(); ++i) hits[i] = {results.ids[i], results.distances[i]};
  return hits;
}

SearchResults FlatIndex::search_batch(VectorView queries, std::size_t k, const Execution& execution) const {
  return state_->scan.nearest(queries, k, execution);
}

std::vector<Hit> FlatIndex::range_search(VectorView query, float radius) const {
  check_one(query);
  return state_->scan.within(query, radius);
}

std::size_t FlatIndex::size() const noexcept { return state_->store.view().rows; }
std::size_t FlatIndex::dimension() const noexcept { return state_->store.view().dimension; }
Distance FlatIndex::metric() const noexcept { return state_->scan.metric(); }
VectorType FlatIndex::type() const noexcept { return state_->store.view().type; }

}  // namespace diskann
