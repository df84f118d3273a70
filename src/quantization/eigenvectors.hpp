#pragma once

#include <cstddef>
#include <vector>

namespace diskann::quantization {

/// Of a symmetric matrix of `size` rows: its eigenvalues, greatest first, and in the rows of `vectors` what belongs to
/// each, of length 1.
struct Eigenvectors {
  std::vector<double> values;
  std::vector<std::vector<double>> vectors;
};

/// By Householder's reflections to three diagonals and implicit QL steps (Golub and Van Loan, Matrix Computations,
/// chapter 8). Only the lower triangle is read. The same on every processor.
Eigenvectors find_eigenvectors(std::vector<std::vector<double>> matrix);

}  // namespace diskann::quantization
