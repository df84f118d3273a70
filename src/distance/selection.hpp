#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace diskann::distance {

/// Memory for choices.
struct SelectionWork {
  void resize(std::size_t most_columns) {
    columns.resize(most_columns + 16);
    left.resize(most_columns);
  }
  std::vector<std::uint32_t> columns;
  std::vector<float> left;
};

/// Choices among distances as TileKernels::multiply writes them: rows of `columns` floats, a multiple of 16, with
/// +infinity where there is nothing to choose. Chosen columns come in rising order of distance, equal ones in rising
/// order of column, and how many they are is returned.
struct SelectionKernels {
  /// The `count` smallest of a row.
  std::size_t (*smallest)(const float* distances, std::size_t columns, std::size_t count, SelectionWork& work,
                          std::uint32_t* chosen);
  /// RobustPrune of one row of a square matrix of distances: takes the nearest column left and drops every column that
  /// lies nearer to it, by a factor of alpha, than to the row; `count` times. matrix[j][j] is -infinity, so that a
  /// column drops itself, but for the row's own, which is +infinity.
  std::size_t (*pick)(const float* matrix, std::size_t stride, std::size_t row, std::size_t columns, float alpha,
                      std::size_t count, SelectionWork& work, std::uint32_t* chosen);
  /// Where distances are at most `limit`, in rising order of place instead; any number of columns. `chosen`: room for
  /// 16 more than `columns`.
  std::size_t (*within)(const float* distances, std::size_t columns, float limit, std::uint32_t* chosen);
  /// Makes squared distances of a row of negated products, where every row has a component more that brings all to one
  /// length: 2 (squared_length + products[j] - component * components[j]), at least 0. `columns`: a multiple of 16.
  void (*augment)(float* products, std::size_t columns, float component, const float* components, float squared_length);
};

/// Of the instruction set in use.
const SelectionKernels& selection();

}  // namespace diskann::distance
