// Rows of floats in 8 bits: what is said of their errors, against double precision, on every instruction set here.
#include "distance/row_codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "distance/dispatch.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann::distance {
namespace {

using testing::kMetrics;

constexpr VectorType kFloats[] = {VectorType::F32, VectorType::F16};

double component(const base::RowsView& rows, std::size_t row, std::size_t i) {
  if (rows.type == VectorType::F32) return static_cast<double>(reinterpret_cast<const float*>(rows.row(row))[i]);
  return static_cast<double>(static_cast<float>(reinterpret_cast<const float16*>(rows.row(row))[i]));
}

/// Normal numbers times a scale that is another in each row.
base::RowStore scaled_rows(VectorType type, std::size_t rows, std::size_t dimension, double least, double most,
                           std::uint64_t seed) {
  base::Random random(seed);
  base::RowStore store(type, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) {
    const double scale = least * std::pow(most / least, static_cast<double>(i) / static_cast<double>(rows));
    for (std::size_t j = 0; j < dimension; ++j) {
      const auto value = static_cast<float>(scale * random.normal());
      if (type == VectorType::F32) {
        reinterpret_cast<float*>(store.row(i))[j] = value;
      } else {
        reinterpret_cast<float16*>(store.row(i))[j] = float16(value);
      }
    }
  }
  return store;
}

TEST(RowCodes, SayHowFarARowIsFromItsCode) {
  for (const VectorType type : kFloats) {
    for (const std::size_t dimension : {1u, 15u, 16u, 33u, 100u, 784u}) {
      const bool halves = type == VectorType::F16;
      const base::RowStore rows =
          scaled_rows(type, 60, dimension, halves ? 1e-7 : 1e-38, halves ? 1e4 : 1e17, dimension);
      base::Random random(3);
      std::vector<float> center(base::round_up(dimension, 16)), values(center.size());
      for (std::size_t j = 0; j < dimension; ++j) center[j] = static_cast<float>(random.normal());
      std::vector<std::int8_t> code(center.size());
      for (const std::string& isa : available_isas()) {
        for (const bool centered : {false, true}) {
          for (const float scale : {1.0f, 0.37f}) {
            for (std::size_t i = 0; i < rows.view().rows; ++i) {
              const CodedRow coded = code_kernels_for(isa, type).encode(
                  rows.view().row(i), dimension, centered ? center.data() : nullptr, scale, values.data(), code.data());
              double norm = 0, error = 0, largest = 0;
              for (std::size_t j = 0; j < dimension; ++j) {
                const double from = centered ? static_cast<double>(center[j]) : 0;
                const double value = (component(rows, i, j) - from) * static_cast<double>(scale);
                const double away = value - static_cast<double>(code[j]) * static_cast<double>(coded.step);
                norm += value * value;
                error += away * away;
                largest = std::max(largest, std::abs(value));
              }
              const std::string what = isa + ", row " + std::to_string(i) + " of " + std::to_string(dimension);
              ASSERT_LE(std::sqrt(error), static_cast<double>(coded.error)) << what;
              ASSERT_LE(std::sqrt(norm), static_cast<double>(coded.length)) << what;
              // And not much more than it must: half a step in each component.
              const double root = std::sqrt(static_cast<double>(dimension));
              const double most = largest > 1e-28 ? 0.52 / 127 * largest * root : largest * root * 1.01 + 1e-29 * root;
              ASSERT_LE(static_cast<double>(coded.error), most) << what;
            }
          }
        }
      }
    }
  }
}

TEST(RowCodes, BoundDistancesFromBelowAndNotFar) {
  for (const VectorType type : kFloats) {
    for (const Distance metric : kMetrics) {
      const std::size_t dimension = 70, count = 50;
      const base::RowStore rows = scaled_rows(type, count, dimension, 0.1, 10, 4);
      const base::RowStore queries = scaled_rows(VectorType::F32, 32, dimension, 0.1, 10, 5);
      std::vector<float> inverses(count), query_inverses(32);
      inverse_norms(rows, 0, count, inverses.data());
      inverse_norms(queries, 0, 32, query_inverses.data());
      const bool cosine = metric == Distance::Cosine;
      std::vector<float> center(base::round_up(dimension, 16));
      std::fill_n(center.begin(), dimension, 0.5f);
      const auto source_of = [&](const base::RowStore& store, const std::vector<float>& norms) {
        return TileSource{store,
                          cosine ? norms.data() : nullptr,
                          nullptr,
                          0,
                          store.view().rows,
                          metric == Distance::L2 ? center.data() : nullptr};
      };
      QueryBuffer buffer(dimension);
      RowCodes left(metric), right(metric);
      left.encode(source_of(queries, query_inverses));
      right.encode(source_of(rows, inverses));
      TileBlock left_block, right_block;
      RowCodes::tiles().load(left.codes(), false, left_block);
      RowCodes::tiles().load(right.codes(), true, right_block);
      const std::size_t stride = right_block.padded_rows();
      std::vector<float> products(32 * stride), direct(count);
      RowCodes::tiles().multiply(left_block, 0, 32, right_block, products.data(), stride);
      for (std::size_t i = 0; i < 32; ++i) {
        right.finish(left[i], right.rounding(left[i]), products.data() + i * stride);
        const Query query =
            buffer.prepare({queries.view().row(i), VectorType::F32, 1, dimension, queries.view().stride}, type);
        kernels(metric, type, VectorType::F32).block(query, rows, inverses.data(), 0, count, direct.data());
        for (std::size_t j = 0; j < count; ++j) {
          const double below = static_cast<double>(direct[j]) - static_cast<double>(products[i * stride + j]);
          ASSERT_GE(below, 0) << to_string(metric) << " " << i << ", " << j;
          // Twice what codes may lose: a step is a 127th of the largest component, some three times a mean one.
          const double most = static_cast<double>(left[i].length) * static_cast<double>(right[j].length);
          ASSERT_LE(below, (metric == Distance::L2 ? 2 : 1) * 0.06 * most)
              << to_string(metric) << " " << i << ", " << j;
        }
      }
    }
  }
}

TEST(RowCodes, FinishAlikeOnEveryInstructionSet) {
  const std::size_t columns = 48;
  base::Random random(7);
  const auto some = [&] {
    std::vector<float> values(columns);
    for (float& value : values) value = static_cast<float>(random.normal());
    return values;
  };
  const std::vector<float> terms = some(), steps = some(), lengths = some(), errors = some(), products = some();
  const CodedQuery query{1.5f, -0.25f, 3, 0.125f, 2};
  for (const std::string& isa : available_isas()) {
    std::vector<float> found = products;
    code_kernels_for(isa, VectorType::F32)
        .finish({terms.data(), steps.data(), lengths.data(), errors.data()}, columns, query, found.data());
    for (std::size_t j = 0; j < columns; ++j) {
      const double lost = 3 * static_cast<double>(errors[j]) + 0.125 * static_cast<double>(lengths[j]);
      const double product = static_cast<double>(steps[j]) * static_cast<double>(products[j]);
      ASSERT_NEAR(static_cast<double>(found[j]), 1.5 + static_cast<double>(terms[j]) - 0.25 * product - lost - 2, 1e-5)
          << isa << " " << j;
    }
  }
}

TEST(RowCodes, HaveNoBoundWhereFloatsHaveNone) {
  RowCodes codes(Distance::L2);
  const base::RowStore rows = scaled_rows(VectorType::F32, 20, 40, 1e18, 2e18, 6);
  codes.encode({rows, nullptr, nullptr, 0, 20});
  EXPECT_EQ(codes.rounding(codes[19]), std::numeric_limits<float>::infinity());
}

}  // namespace
}  // namespace diskann::distance
