#pragma once

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "distance/reference.hpp"
#include "distance/tiles.hpp"
#include "tests/distance/random_rows.hpp"

// Dense tiles beside the double-precision reference.
namespace diskann::distance::testing {

struct Sides {
  base::RowStore left, right;
  std::vector<float> left_inverses, right_inverses;
};

inline Sides sides_of(base::RowStore left, base::RowStore right) {
  const std::size_t left_rows = left.view().rows, right_rows = right.view().rows;
  Sides sides{std::move(left), std::move(right), std::vector<float>(left_rows), std::vector<float>(right_rows)};
  inverse_norms(sides.left, 0, left_rows, sides.left_inverses.data());
  inverse_norms(sides.right, 0, right_rows, sides.right_inverses.data());
  return sides;
}

inline Sides random_sides(std::uint64_t seed, VectorType type, std::size_t left, std::size_t right,
                          std::size_t dimension) {
  base::Random random(seed);
  base::RowStore left_rows = random_rows(random, type, left, dimension);
  return sides_of(std::move(left_rows), random_rows(random, type, right, dimension));
}

struct Products {
  std::vector<float> distances;  // padded left x padded right
  std::size_t stride = 0;
  double left_norm = 0, right_norm = 0;
};

inline Products multiply(const TileKernels& kernels, Distance metric, const Sides& sides) {
  const bool cosine = metric == Distance::Cosine;
  const std::size_t rows = sides.left.view().rows;
  TileBlock left, right;
  kernels.load({sides.left, cosine ? sides.left_inverses.data() : nullptr, nullptr, 0, rows}, false, left);
  kernels.load({sides.right, cosine ? sides.right_inverses.data() : nullptr, nullptr, 0, sides.right.view().rows}, true,
               right);
  Products products;
  products.stride = right.padded_rows();
  products.distances.assign(left.padded_rows() * products.stride, -1.0f);
  products.left_norm = left.largest_squared_norm();
  products.right_norm = right.largest_squared_norm();
  kernels.multiply(left, 0, rows, right, products.distances.data(), products.stride);
  return products;
}

/// What the first result is that is not as TileKernels promises; empty where there is none. Rows are taken as `form`.
inline std::string first_wrong(const TileKernels& kernels, Distance metric, VectorType form, const Sides& sides) {
  const base::RowsView &left = sides.left, &right = sides.right;
  const Products found = multiply(kernels, metric, sides);
  const float bound = tile_error_bound(metric, form, left.dimension, found.left_norm, found.right_norm);
  for (std::size_t i = 0; i < left.rows; ++i) {
    for (std::size_t j = 0; j < found.stride; ++j) {
      const float distance = found.distances[i * found.stride + j];
      double expected = std::numeric_limits<double>::infinity();  // in columns that only fill up
      if (j < right.rows)
        expected = reference_distance(metric, left.row(i), left.type, right.row(j), right.type, left.dimension);
      const bool exact = j >= right.rows || (form != VectorType::F32 && metric != Distance::Cosine);
      if (exact ? distance == static_cast<float>(expected)
                : std::abs(static_cast<double>(distance) - expected) <= static_cast<double>(bound)) {
        continue;
      }
      std::ostringstream text;
      text << "row " << i << " and column " << j << " of " << left.rows << " x " << right.rows << ", dimension "
           << left.dimension << ", " << to_string(metric) << ", " << to_string(left.type) << " as " << to_string(form)
           << ": " << distance << " and not " << expected;
      return text.str();
    }
  }
  return {};
}

}  // namespace diskann::distance::testing
