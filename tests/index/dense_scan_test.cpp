// Exact search by tiles, for batches, against the direct kernels, which a single query takes: the same to the bit.
#include "index/dense_scan.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>

#include "index/exact_scan.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::index {
namespace {

using diskann::testing::kMetrics;
using diskann::testing::kTypes;
using diskann::testing::oracle;
using diskann::testing::random_integers;
using diskann::testing::random_vectors;
using diskann::testing::set_component;

Execution threads(unsigned count) {
  Execution execution;
  execution.threads = count;
  return execution;
}

VectorSet make(std::size_t rows, std::size_t dimension, const std::function<double(std::size_t, std::size_t)>& value) {
  VectorSet set(VectorType::F32, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < dimension; ++j) set_component(set, i, j, value(i, j));
  }
  return set;
}
VectorSet normal(std::size_t rows, std::size_t dimension, double scale, std::uint64_t seed) {
  base::Random random(seed);
  return make(rows, dimension, [&](std::size_t, std::size_t) { return scale * random.normal(); });
}

bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

/// Queries in one batch, then each alone.
void expect_as_direct(const VectorSet& base, const VectorSet& queries, Distance metric, std::size_t k,
                      unsigned workers = 1) {
  ASSERT_GE(queries.rows(), DenseScan::kLeastQueries);
  const ExactScan scan(base, metric, ExactScan::Layout::Any, threads(1));
  const SearchResults batch = scan.nearest(queries, k, threads(workers));
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const SearchResults alone = scan.nearest(queries.view().slice(q, 1), k, threads(1));
    for (std::size_t i = 0; i < k; ++i) {
      ASSERT_EQ(batch.ids_of(q)[i], alone.ids_of(0)[i])
          << to_string(base.type()) << " " << to_string(metric) << ", query " << q << ", hit " << i;
      ASSERT_TRUE(same_bits(batch.distances_of(q)[i], alone.distances_of(0)[i]))
          << to_string(base.type()) << " " << to_string(metric) << ", query " << q << ", hit " << i << ": "
          << batch.distances_of(q)[i] << " is not " << alone.distances_of(0)[i];
    }
  }
}

TEST(DenseScan, GivesWhatTheDirectKernelsGive) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : kMetrics) {
      for (const std::size_t dimension : {1u, 3u, 16u, 65u, 100u}) {
        const VectorSet base = random_vectors(type, 1100, dimension, dimension);
        const VectorSet queries = random_vectors(type, 37, dimension, dimension + 1);
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 10)) << "dimension " << dimension;
      }
      const VectorSet base = random_vectors(type, 300, 784, 7), queries = random_vectors(type, 9, 784, 8);
      ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 10));
    }
  }
}

TEST(DenseScan, GivesItForEveryNumberOfRowsQueriesAndHits) {
  for (const VectorType type : {VectorType::F32, VectorType::U8}) {
    for (const std::size_t rows : {1u, 2u, 15u, 16u, 17u, 47u, 49u, 479u, 481u, 970u}) {
      const VectorSet base = random_vectors(type, rows, 40, rows);
      for (const std::size_t count : {8u, 31u, 33u, 70u}) {
        const VectorSet queries = random_vectors(type, count, 40, count);
        for (const std::size_t k : {1u, 10u, 100u, 1000u})
          ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, Distance::L2, k)) << rows << " rows";
      }
    }
  }
}

TEST(DenseScan, GivesItAtLargeDimensions) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : kMetrics) {
      const VectorSet base = random_vectors(type, 120, 4096, 1), queries = random_vectors(type, 35, 4096, 2);
      ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 10));
    }
  }
}

TEST(DenseScan, GivesItForSeveralBatchesOfQueries) {
  for (const std::size_t dimension : {12u, 40u}) {
    const VectorSet base = random_vectors(VectorType::F32, 600, dimension, 3);
    const VectorSet queries = random_vectors(VectorType::F32, 1100, dimension, 4);
    ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, Distance::L2, 5));
    // All rows are near, so that codes are given up in the first batch.
    const VectorSet equal = make(9000, dimension, [](std::size_t, std::size_t j) { return static_cast<double>(j); });
    ASSERT_NO_FATAL_FAILURE(expect_as_direct(equal, queries, Distance::L2, 5));
  }
}

TEST(DenseScan, TakesQueriesOfAnotherTypeAndOfSeveralForms) {
  for (const VectorType rows : kTypes) {
    for (const VectorType type : kTypes) {
      for (const Distance metric : kMetrics) {
        const VectorSet base = random_vectors(rows, 700, 33, 5);
        VectorSet queries = random_integers(type, 40, 33, 6);
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 10)) << "queries " << to_string(type);
        if (type != VectorType::F32 && type != VectorType::F16) continue;
        // Some of the queries are no integers, so that rows of integers take them as f32.
        for (std::size_t i = 1; i < queries.rows(); i += 3) set_component(queries, i, i % 33, 0.25);
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 10)) << "queries " << to_string(type);
      }
    }
  }
}

TEST(DenseScan, IsExactForIntegers) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : {Distance::L2, Distance::InnerProduct}) {
      const VectorSet base = random_integers(type, 900, 6, 9), queries = random_integers(type, 20, 6, 10);
      const SearchResults found = ExactScan(base, metric, ExactScan::Layout::Any, {}).nearest(queries, 50, threads(1));
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const auto expected = oracle(base, queries.view().slice(q, 1), metric);  // many of them tied
        for (std::size_t i = 0; i < 50; ++i) {
          ASSERT_EQ(found.ids_of(q)[i], expected[i].id);
          ASSERT_EQ(found.distances_of(q)[i], static_cast<float>(expected[i].distance));
        }
      }
    }
  }
}

TEST(DenseScan, GivesItWhereEveryRowIsNearerThanThoseBefore) {
  const VectorSet queries = normal(40, 40, 1e-3, 11);
  const VectorSet base = make(3000, 40, [](std::size_t i, std::size_t j) {
    return (1.0 - static_cast<double>(i) / 3000) * (j % 2 == 0 ? 1 : -1);
  });
  for (const Distance metric : kMetrics) ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 100));
}

TEST(DenseScan, GivesItWhereAllRowsAreEqualOrNearlySo) {
  const VectorSet queries = normal(32, 32, 1, 12);
  const VectorSet equal = make(9000, 32, [](std::size_t, std::size_t j) { return 0.3 + static_cast<double>(j); });
  base::Random random(13);
  const VectorSet near =
      make(9000, 32, [&](std::size_t, std::size_t j) { return 0.3 + static_cast<double>(j) + 1e-6 * random.normal(); });
  const VectorSet pairs =
      make(9000, 32, [](std::size_t i, std::size_t j) { return 0.7 * static_cast<double>(i % 2 + j); });
  for (const VectorSet* base : {&equal, &near, &pairs}) {
    for (const Distance metric : kMetrics) {
      for (const std::size_t k : {1u, 100u, 3000u})
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(*base, queries, metric, k));
    }
  }
}

TEST(DenseScan, GivesItForTightClustersFarFromTheOrigin) {
  base::Random random(14);
  const auto value = [&](std::size_t i, std::size_t) {
    return 1000.0 * static_cast<double>(1 + i % 7) + 1e-3 * random.normal();
  };
  const VectorSet base = make(2000, 40, value), queries = make(35, 40, value);
  for (const Distance metric : kMetrics) ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 50));
}

TEST(DenseScan, GivesItForNumbersAtTheEndsOfTheRange) {
  // Products of the first underflow, sums of the last overflow, and in between inverse norms leave the range of f32.
  for (const double scale : {1e-38, 1e-25, 1e-22, 1e-20, 1e-15, 1e15, 1e18, 2e18}) {
    for (const double other : {1.0, scale}) {
      const VectorSet base = normal(900, 40, scale, 15), queries = normal(35, 40, other, 16);
      for (const Distance metric : kMetrics)
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 20)) << scale << " and " << other;
    }
  }
}

TEST(DenseScan, GivesItForTheSmallestNumbersBesideLargeOnes) {
  const double tiny = static_cast<double>(std::numeric_limits<float>::denorm_min()), large = 0x1p59;
  const auto rows = [](std::size_t count, double value, double last) {
    return make(count, 40, [&](std::size_t i, std::size_t) { return i + 1 == count ? last : value; });
  };
  for (const double scale : {0x1p-57, 1e-25, 1e-10}) {
    for (const auto& [base, query] :
         {std::pair(rows(961, 0.97 * large, large), tiny), std::pair(rows(961, tiny, 3 * tiny), large),
          std::pair(rows(961, 0.97 * scale, scale), scale)}) {
      const VectorSet queries = rows(35, query, query);
      ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, Distance::InnerProduct, 1)) << query;
      ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, Distance::L2, 1)) << query;
    }
  }
}

TEST(DenseScan, GivesItWhereSumsOfTilesAreNoNumbers) {
  // Parallel rows whose norms and products are infinite as soon as two of them are added.
  const VectorSet base = make(500, 32, [](std::size_t i, std::size_t) { return i % 2 == 0 ? 3.1e18 : -3.1e18; });
  for (const Distance metric : kMetrics) ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, base, metric, 300));
}

TEST(DenseScan, GivesItForNormsThatDifferByOrdersOfMagnitude) {
  for (const bool queries_too : {false, true}) {
    for (const double factor : {0.0, 1e-30, 1e9, 2e18}) {
      VectorSet base = normal(2000, 32, 1, 17), queries = normal(40, 32, 1, 18);
      base::Random random(19);
      for (VectorSet* set : {&base, &queries}) {
        if (set == &queries && !queries_too) continue;
        for (std::size_t i = 5; i < set->rows(); i += 37) {
          for (std::size_t j = 0; j < 32; ++j) set_component(*set, i, j, factor * random.normal());
        }
      }
      for (const Distance metric : kMetrics)
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 40)) << factor;
    }
  }
}

TEST(DenseScan, ReadsPaddedRowsInPlace) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : kMetrics) {
      const VectorSet base = random_vectors(type, 1500, 45, 20), queries = random_vectors(type, 50, 45, 21);
      base::RowStore store(type, base.rows(), base.dimension());
      for (std::size_t i = 0; i < base.rows(); ++i) base::copy_row(base, i, store.row(i));
      const base::RowsView& view = store.view();
      const VectorView padded(view.data, type, view.rows, view.dimension, view.stride);
      const ExactScan in_place(padded, metric, ExactScan::Layout::Padded, threads(1));
      const ExactScan copied(base, metric, ExactScan::Layout::Any, threads(1));
      const SearchResults a = in_place.nearest(queries, 100, threads(1));
      const SearchResults b = copied.nearest(queries, 100, threads(1));
      EXPECT_EQ(a.ids, b.ids);
      EXPECT_EQ(a.distances, b.distances);
      ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 100));
    }
  }
}

TEST(DenseScanThreads, GiveTheSameAtEveryCount) {
  for (const VectorType type : {VectorType::F32, VectorType::I8}) {
    const VectorSet base = random_vectors(type, 3000, 70, 22), queries = random_vectors(type, 45, 70, 23);
    for (const unsigned workers : {2u, 3u, 7u}) {
      for (const Distance metric : kMetrics)
        ASSERT_NO_FATAL_FAILURE(expect_as_direct(base, queries, metric, 30, workers));
    }
  }
}

}  // namespace
}  // namespace diskann::index
