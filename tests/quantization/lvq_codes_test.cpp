// Codes of 8 bits, each row on a grid of its own, against double precision.
#include "quantization/lvq_codes.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "distance/kernels.hpp"
#include "distance/reference.hpp"
#include "quantization/row_reader.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::quantization {
namespace {

TEST(LvqCodes, AreWithinHalfAStepOfTheirRowsAndKnowTheirProducts) {
  base::ThreadTeam team(Execution{2, {}, nullptr}), alone(Execution{1, {}, nullptr});
  for (const VectorType type : {VectorType::F32, VectorType::F16}) {
    for (const std::size_t dimension : {1u, 3u, 64u, 130u}) {
      VectorSet set = doubles::clustered(type, 300, dimension, 5);
      for (std::size_t j = 0; j < dimension; ++j)
        diskann::testing::set_component(
            set, 7, j, (type == VectorType::F32 ? 1000 : 20) * distance::component(set.row(7), type, j));
      base::RowStore rows(type, set.rows(), dimension);
      for (std::size_t i = 0; i < set.rows(); ++i) base::copy_row(set.view(), i, rows.row(i));
      std::vector<float> inverse(set.rows());
      distance::inverse_norms(rows, 0, inverse.size(), inverse.data());
      for (const float* inverse_norms :
           {static_cast<const float*>(nullptr), static_cast<const float*>(inverse.data())}) {
        const std::vector<float> mean = means_of(RowReader(rows, inverse_norms), set.rows());
        const LvqCodes codes = encode_lvq(mean, rows, inverse_norms, team);
        for (std::size_t i = 0; i < set.rows(); ++i) {
          double square = 0, product = 0, along = 0, of_mean = 0;
          const auto step = static_cast<double>(codes.steps[i]), zero = static_cast<double>(codes.zeros[i]);
          for (std::size_t j = 0; j < dimension; ++j) {
            const double scale = inverse_norms != nullptr ? static_cast<double>(inverse[i]) : 1.0;
            const double y = distance::component(rows.row(i), type, j) * scale - static_cast<double>(mean[j]);
            const double mine = step * distance::component(codes.rows.view().row(i), VectorType::I8, j) + zero;
            ASSERT_NEAR(mine, y, 0.502 * step + 1e-6 * std::abs(y)) << i << ", " << j;
            square += y * y;
            product += y * mine;
            along += y * static_cast<double>(mean[j]);
            of_mean += std::pow(static_cast<double>(mean[j]), 2);
          }
          ASSERT_NEAR(codes.squares[i], square, 1e-4 * square + 1e-9);
          ASSERT_NEAR(codes.products[i], product, 1e-4 * square + 1e-9);
          ASSERT_NEAR(codes.of_means[i], along / std::sqrt(of_mean), 1e-4 * std::sqrt(square) + 1e-6);
        }
        EXPECT_EQ(encode_lvq(mean, rows, inverse_norms, alone).products, codes.products);
      }
    }
  }
}

}  // namespace
}  // namespace diskann::quantization
