#include "quantization/eigenvectors.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace diskann::quantization {
namespace {

using Rows = std::vector<std::vector<double>>;

/// y += factor * x. Becomes vectors.
void add(const double* __restrict x, double factor, std::size_t count, double* __restrict y) noexcept {
  for (std::size_t i = 0; i < count; ++i) y[i] += factor * x[i];
}
double product(const double* a, const double* b, std::size_t count) noexcept {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (std::size_t j = 0; j < 4; ++j) sums[j] += a[i + j] * b[i + j];
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Turns two rows by an angle.
void rotate(double cosine, double sine, std::size_t count, double* __restrict a, double* __restrict b) noexcept {
  for (std::size_t i = 0; i < count; ++i) {
    const double left = a[i], right = b[i];
    a[i] = cosine * left - sine * right;
    b[i] = sine * left + cosine * right;
  }
}

/// Makes zeros of all but three diagonals, by reflections that are done to the rows of `turned` too.
void make_tridiagonal(Rows& matrix, std::vector<double>& diagonal, std::vector<double>& beside, Rows& turned) {
  const std::size_t size = matrix.size();
  Rows mirrors;  // each of length sqrt(2), for the components before one less than the one before
  for (std::size_t last = size; last-- > 1;) {
    std::vector<double> mirror(matrix[last].begin(), matrix[last].begin() + static_cast<std::ptrdiff_t>(last));
    const double length = std::sqrt(product(mirror.data(), mirror.data(), last));
    beside[last - 1] = mirror[last - 1] >= 0 ? -length : length;
    mirror[last - 1] -= beside[last - 1];
    const double square = product(mirror.data(), mirror.data(), last);
    if (square > std::numeric_limits<double>::min()) {
      for (double& value : mirror) value *= std::sqrt(2 / square);
      // A - m w' - w m' with w = A m - m (m' A m) / 2
      std::vector<double> moved(last);
      for (std::size_t i = 0; i < last; ++i) {
        moved[i] += product(matrix[i].data(), mirror.data(), i + 1);
        add(matrix[i].data(), mirror[i], i, moved.data());
      }
      add(mirror.data(), -product(moved.data(), mirror.data(), last) / 2, last, moved.data());
      for (std::size_t i = 0; i < last; ++i) {
        add(moved.data(), -mirror[i], i + 1, matrix[i].data());
        add(mirror.data(), -moved[i], i + 1, matrix[i].data());
      }
    } else {
      std::fill(mirror.begin(), mirror.end(), 0.0);
    }
    mirrors.push_back(std::move(mirror));
  }
  for (std::size_t i = 0; i < size; ++i) diagonal[i] = matrix[i][i];
  turned.assign(size, std::vector<double>(size));
  for (std::size_t i = 0; i < size; ++i) turned[i][i] = 1;
  for (std::size_t step = mirrors.size(); step-- > 0;) {
    const std::vector<double>& mirror = mirrors[step];
    for (std::size_t i = 0; i < mirror.size(); ++i) {
      const double along = product(turned[i].data(), mirror.data(), mirror.size());
      if (along != 0) add(mirror.data(), -along, mirror.size(), turned[i].data());
    }
  }
}

/// A QL step between two rows with Wilkinson's shift: a bulge is chased from the end to the first row.
void chase_bulge(std::size_t first, std::size_t end, std::vector<double>& diagonal, std::vector<double>& beside,
                 Rows& vectors) {
  const double gap = (diagonal[first + 1] - diagonal[first]) / (2 * beside[first]);
  double above = diagonal[end] - diagonal[first] + beside[first] / (gap + std::copysign(std::hypot(gap, 1.0), gap));
  double sine = 1, cosine = 1, shift = 0;
  for (std::size_t i = end; i-- > first;) {
    const double bulge = sine * beside[i], rest = cosine * beside[i];
    const double length = std::hypot(bulge, above);
    beside[i + 1] = length;
    if (length == 0) {  // the matrix falls into two
      diagonal[i + 1] -= shift;
      beside[end] = 0;
      return;
    }
    sine = bulge / length;
    cosine = above / length;
    const double place = diagonal[i + 1] - shift;
    const double turned = (diagonal[i] - place) * sine + 2 * cosine * rest;
    shift = sine * turned;
    diagonal[i + 1] = place + shift;
    above = cosine * turned - rest;
    rotate(cosine, sine, vectors.size(), vectors[i].data(), vectors[i + 1].data());
  }
  diagonal[first] -= shift;
  beside[first] = above;
  beside[end] = 0;
}

}  // namespace

Eigenvectors find_eigenvectors(std::vector<std::vector<double>> matrix) {
  const std::size_t size = matrix.size();
  std::vector<double> diagonal(size), beside(size);
  Rows vectors;
  make_tridiagonal(matrix, diagonal, beside, vectors);
  constexpr double kSmall = std::numeric_limits<double>::epsilon();
  constexpr int kMostSteps = 60;  // for one value; 2 are usual
  for (std::size_t first = 0; first < size; ++first) {
    for (int step = 0; step < kMostSteps; ++step) {
      std::size_t end = first;
      while (end + 1 < size && std::abs(beside[end]) > kSmall * (std::abs(diagonal[end]) + std::abs(diagonal[end + 1])))
        ++end;
      if (end == first) break;
      chase_bulge(first, end, diagonal, beside, vectors);
    }
  }
  std::vector<std::size_t> order(size);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return diagonal[a] > diagonal[b]; });
  Eigenvectors found;
  for (const std::size_t i : order) {
    found.values.push_back(diagonal[i]);
    found.vectors.push_back(std::move(vectors[i]));
  }
  return found;
}

}  // namespace diskann::quantization
