#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "graph/space.hpp"

namespace diskann::graph {

/// Rows with a component more, that brings all to the length of the longest: among them the nearest by L2 to a query
/// are those of greatest inner product with it (Bachrach et al., RecSys 2014). The component is kept apart from the
/// rows, which stay as they are; distances are squared, like those of L2. A space for stored rows as queries.
class AugmentedSpace {
 public:
  struct Query {
    distance::Query row;
    float component;
  };
  using Buffer = distance::QueryBuffer;

  explicit AugmentedSpace(const base::RowsView& rows) : rows_(Distance::L2, rows, nullptr), components_(rows.rows) {
    std::vector<double> norms(rows.rows);
    distance::squared_norms(rows, 0, rows.rows, norms.data());
    const double greatest = *std::max_element(norms.begin(), norms.end());
    for (std::size_t i = 0; i < norms.size(); ++i) components_[i] = static_cast<float>(std::sqrt(greatest - norms[i]));
    squared_length_ = static_cast<float>(greatest);
  }

  float component(Slot slot) const noexcept { return components_[slot]; }
  /// Of every row with its component.
  float squared_length() const noexcept { return squared_length_; }

  const base::RowsView& rows() const noexcept { return rows_.rows(); }
  /// What score_block() needs beside the rows.
  const float* norms() const noexcept { return components_.data(); }
  Query stored_query(Slot slot, Buffer& buffer) const { return {rows_.stored_query(slot, buffer), components_[slot]}; }
  void score(const Query& query, const Slot* slots, std::size_t count, float* out) const {
    rows_.score(query.row, slots, count, out);
    for (std::size_t i = 0; i < count; ++i) out[i] += squared(query.component - components_[slots[i]]);
  }
  void score_block(const Query& query, const base::RowsView& rows, const float* components, std::size_t first,
                   std::size_t count, float* out) const {
    rows_.score_block(query.row, rows, nullptr, first, count, out);
    for (std::size_t i = 0; i < count; ++i) out[i] += squared(query.component - components[i]);
  }
  std::size_t row_bytes() const noexcept { return rows_.row_bytes(); }
  void prefetch(Slot slot) const noexcept { rows_.prefetch(slot); }

 private:
  static float squared(float x) noexcept { return x * x; }

  KernelSpace rows_;
  std::vector<float> components_;
  float squared_length_ = 0;
};

}  // namespace diskann::graph
