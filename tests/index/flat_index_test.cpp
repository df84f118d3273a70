#include "diskann/flat_index.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <thread>

#include "diskann/evaluation.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann {
namespace {

using testing::kMetrics;
using testing::kTypes;
using testing::oracle;
using testing::random_integers;
using testing::random_vectors;

template <class Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return {ErrorCode::Internal, ""};
}

TEST(FlatIndex, AgreesWithGroundTruthHitForHit) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : kMetrics) {
      const VectorSet base = random_vectors(type, 700, 45, 1);
      const VectorSet queries = random_vectors(type, 70, 45, 2);
      const FlatIndex index(base, metric);
      const SearchResults truth = compute_ground_truth(base, queries, metric, 25);
      const SearchResults batch = index.search_batch(queries, 25);
      EXPECT_EQ(batch.ids, truth.ids) << to_string(type) << " " << to_string(metric);
      EXPECT_EQ(batch.distances, truth.distances);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const std::vector<Hit> hits = index.search(queries.view().slice(q, 1), 25);
        ASSERT_EQ(hits.size(), 25u);
        for (std::size_t i = 0; i < hits.size(); ++i) {
          ASSERT_EQ(hits[i], (Hit{truth.ids_of(q)[i], truth.distances_of(q)[i]}));
        }
      }
    }
  }
}

TEST(FlatIndex, KeepsItsOwnCopyOfTheRows) {
  VectorSet base = random_integers(VectorType::U8, 40, 6, 3);
  const VectorSet query = random_integers(VectorType::U8, 1, 6, 4);
  const FlatIndex index(base, Distance::L2);
  const auto before = index.search(query, 40);
  for (std::size_t i = 0; i < base.rows(); ++i) std::fill_n(base.row(i), base.row_bytes(), std::byte{7});
  EXPECT_EQ(index.search(query, 40), before);
}

TEST(FlatIndex, ReturnsNoMoreHitsThanRows) {
  const VectorSet base = random_integers(VectorType::F32, 6, 5, 5);
  const FlatIndex index(base, Distance::L2);
  EXPECT_EQ(index.search(base.view().slice(0, 1), 100).size(), 6u);
  EXPECT_EQ(index.search(base.view().slice(0, 1), kNoId).size(), 6u);
  EXPECT_TRUE(index.search(base.view().slice(0, 1), 0).empty());
  const SearchResults batch = index.search_batch(base, 8);
  EXPECT_EQ(batch.k, 8u);
  EXPECT_EQ(batch.ids_of(0)[6], kNoId);
  EXPECT_EQ(index.search_batch(base.view().slice(0, 0), 8).rows, 0u);
}

TEST(FlatIndex, RangeSearchReturnsExactlyTheRowsWithin) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : {Distance::L2, Distance::InnerProduct}) {
      const VectorSet base = random_integers(type, 3000, 9, 6);
      const VectorSet query = random_integers(type, 1, 9, 7);
      const FlatIndex index(base, metric);
      const auto expected = oracle(base, query, metric);
      // On a distance that occurs (ties at the edge count), between two, before the first and behind the last.
      const double edge = expected[200].distance;
      for (const double radius : {edge, edge + 0.5, expected.front().distance - 1, expected.back().distance}) {
        const auto hits = index.range_search(query, static_cast<float>(radius));
        std::size_t within = 0;
        while (within < expected.size() && expected[within].distance <= radius) ++within;
        ASSERT_EQ(hits.size(), within) << to_string(type) << " " << to_string(metric) << " radius " << radius;
        for (std::size_t i = 0; i < within; ++i) {
          ASSERT_EQ(hits[i], (Hit{expected[i].id, static_cast<float>(expected[i].distance)}));
        }
      }
    }
  }
}

TEST(FlatIndex, RangeSearchTakesInfinityButNotNaN) {
  const VectorSet base = random_vectors(VectorType::F32, 100, 9, 8);
  const FlatIndex index(base, Distance::Cosine);
  EXPECT_EQ(index.range_search(base.view().slice(0, 1), std::numeric_limits<float>::infinity()).size(), 100u);
  EXPECT_TRUE(index.range_search(base.view().slice(0, 1), -std::numeric_limits<float>::infinity()).empty());
  EXPECT_EQ(error_of([&] { index.range_search(base.view().slice(0, 1), std::nanf("")); }).code(),
            ErrorCode::InvalidArgument);
}

TEST(FlatIndex, RefusesWhatCannotBeRight) {
  VectorSet base = random_vectors(VectorType::F32, 10, 9, 9);
  const FlatIndex index(base, Distance::L2);
  const VectorSet wide = random_vectors(VectorType::F32, 1, 10, 9);
  for (const auto& call : {std::function<void()>([&] { index.search(wide, 1); }),
                           std::function<void()>([&] { index.search_batch(wide, 1); }),
                           std::function<void()>([&] { index.range_search(wide, 1); })}) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), ErrorCode::DimensionMismatch);
    EXPECT_NE(std::string(error.what()).find("10"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("9"), std::string::npos) << error.what();
  }
  EXPECT_EQ(error_of([&] { index.search(base, 1); }).code(), ErrorCode::InvalidArgument);  // ten queries
  EXPECT_EQ(error_of([&] { FlatIndex(base.view().slice(0, 0), Distance::L2); }).code(), ErrorCode::InvalidArgument);
  EXPECT_EQ(error_of([&] { FlatIndex(base, Distance::Custom); }).code(), ErrorCode::InvalidArgument);

  testing::set_component(base, 7, 3, std::nan(""));
  const Error stored = error_of([&] { FlatIndex(base, Distance::L2); });
  EXPECT_EQ(stored.code(), ErrorCode::InvalidArgument);
  EXPECT_NE(std::string(stored.what()).find("7"), std::string::npos) << stored.what();
  EXPECT_NE(std::string(stored.what()).find("3"), std::string::npos) << stored.what();
  EXPECT_EQ(error_of([&] { index.search(base.view().slice(7, 1), 1); }).code(), ErrorCode::InvalidArgument);
}

TEST(FlatIndex, DescribesItself) {
  const FlatIndex index(random_integers(VectorType::I8, 11, 5, 10), Distance::Cosine);
  EXPECT_EQ(index.size(), 11u);
  EXPECT_EQ(index.dimension(), 5u);
  EXPECT_EQ(index.metric(), Distance::Cosine);
  EXPECT_EQ(index.type(), VectorType::I8);
}

TEST(FlatIndexThreads, SearchFromManyThreadsAtOnce) {
  const VectorSet base = random_vectors(VectorType::U8, 800, 40, 11);
  const FlatIndex index(base, Distance::L2);
  const SearchResults expected = index.search_batch(base.view().slice(0, 40), 10);
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t q = 0; q < 40; ++q) {
        const auto hits = index.search(base.view().slice(q, 1), 10);
        for (std::size_t i = 0; i < 10; ++i) {
          if (hits[i] != Hit{expected.ids_of(q)[i], expected.distances_of(q)[i]}) ++wrong;
        }
      }
      Execution two;
      two.threads = 2;
      if (index.search_batch(base.view().slice(0, 40), 10, two).ids != expected.ids) ++wrong;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace diskann
