#pragma once

#include <memory>
#include <vector>

#include "diskann/types.hpp"

namespace diskann {

/// Exact search: compares the query with every row. The oracle of all else, and the right index for small sets.
/// Immutable; const calls are safe from any number of threads.
class DISKANN_EXPORT FlatIndex {
 public:
  /// Copies the rows. InvalidArgument names row and column of a NaN or infinity.
  FlatIndex(VectorView vectors, Distance metric, const Execution& execution = {});
  FlatIndex(FlatIndex&&) noexcept;
  FlatIndex& operator=(FlatIndex&&) noexcept;
  ~FlatIndex();

  /// The min(k, size()) nearest rows, sorted by (distance, id); ids are row numbers.
  std::vector<Hit> search(VectorView query, std::size_t k) const;
  SearchResults search_batch(VectorView queries, std::size_t k, const Execution& execution = {}) const;
  /// All rows at distance <= radius, sorted by (distance, id).
  std::vector<Hit> range_search(VectorView query, float radius) const;

  std::size_t size() const noexcept;
  std::size_t dimension() const noexcept;
  Distance metric() const noexcept;
  VectorType type() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace diskann
