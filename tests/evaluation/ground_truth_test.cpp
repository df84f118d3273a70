#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <string>

#include "diskann/evaluation.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann {
namespace {

using testing::kMetrics;
using testing::kTypes;
using testing::oracle;
using testing::random_integers;
using testing::random_vectors;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

Execution threads(unsigned count) {
  Execution execution;
  execution.threads = count;
  return execution;
}

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

/// Sorted by (distance, id), no id twice, every distance that of its id, and rank by rank as near as the oracle's.
void expect_matches_oracle(const SearchResults& truth, const VectorView& base, const VectorView& queries,
                           Distance metric, double tolerance) {
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const auto expected = oracle(base, queries.slice(q, 1), metric);
    std::vector<double> of_id(base.rows());
    for (const auto& hit : expected) of_id[hit.id] = hit.distance;
    std::set<std::uint64_t> seen;
    for (std::size_t i = 0; i < truth.k; ++i) {
      const Hit hit{truth.ids_of(q)[i], truth.distances_of(q)[i]};
      if (i >= base.rows()) {
        ASSERT_EQ(hit.id, kNoId);
        ASSERT_EQ(hit.distance, kInfinity);
        continue;
      }
      ASSERT_LT(hit.id, base.rows());
      ASSERT_TRUE(seen.insert(hit.id).second) << "id " << hit.id << " twice";
      if (i > 0) {
        ASSERT_LT((Hit{truth.ids_of(q)[i - 1], truth.distances_of(q)[i - 1]}), hit);
      }
      if (tolerance == 0) {
        ASSERT_EQ(hit.id, expected[i].id) << "query " << q << ", rank " << i;
        ASSERT_EQ(hit.distance, static_cast<float>(expected[i].distance));
      } else {
        ASSERT_NEAR(hit.distance, of_id[hit.id], tolerance);
        ASSERT_NEAR(hit.distance, expected[i].distance, tolerance);
      }
    }
  }
}

TEST(GroundTruth, OfWholeNumbersIsExactWithTiesById) {
  for (const VectorType type : kTypes) {
    for (const Distance metric : {Distance::L2, Distance::InnerProduct}) {
      for (const std::size_t dimension : {1u, 3u, 17u}) {
        SCOPED_TRACE(std::string(to_string(type)) + " " + std::string(to_string(metric)) + " x " +
                     std::to_string(dimension));
        const VectorSet base = random_integers(type, 300, dimension, 1);
        const VectorSet queries = random_integers(type, 9, dimension, 2);
        expect_matches_oracle(compute_ground_truth(base, queries, metric, 40), base, queries, metric, 0);
      }
    }
  }
}

TEST(GroundTruth, OfAnyQueryTypeAgainstAnyRowTypeIsTheOracles) {
  for (const Distance metric : kMetrics) {
    for (const VectorType base_type : kTypes) {
      for (const VectorType query_type : kTypes) {
        SCOPED_TRACE(std::string(to_string(metric)) + ", " + std::string(to_string(query_type)) + " against " +
                     std::string(to_string(base_type)));
        const std::size_t dimension = 37;
        const VectorSet base = random_vectors(base_type, 200, dimension, 3);
        const VectorSet queries = random_vectors(query_type, 5, dimension, 4);
        const double largest = (size_of(base_type) == 1 ? 256.0 : 1.0) * (size_of(query_type) == 1 ? 256.0 : 1.0);
        // L2 of small numbers and bytes: the squares of the bytes set the scale.
        const double scale = metric == Distance::Cosine ? 1 : metric == Distance::L2 ? largest * 256 : largest;
        expect_matches_oracle(compute_ground_truth(base, queries, metric, 20), base, queries, metric,
                              1e-6 * scale * static_cast<double>(dimension) + 1e-7);
      }
    }
  }
}

TEST(GroundTruth, IsTheSameAtEveryThreadCount) {
  // Several blocks of rows, so that parts of the rows go to different threads; one query and several batches.
  for (const VectorType type : kTypes) {
    const VectorSet base = random_vectors(type, 3000, 200, 5);
    for (const std::size_t count : {1u, 3u, 150u}) {
      const VectorSet queries = random_vectors(type, count, 200, 6);
      const SearchResults one = compute_ground_truth(base, queries, Distance::L2, 30, threads(1));
      for (const unsigned workers : {2u, 3u, 5u}) {
        const SearchResults many = compute_ground_truth(base, queries, Distance::L2, 30, threads(workers));
        EXPECT_EQ(one.ids, many.ids) << to_string(type) << ", " << count << " queries, " << workers << " threads";
        EXPECT_EQ(one.distances, many.distances);
      }
    }
  }
}

TEST(GroundTruth, FollowsAPermutationOfTheRows) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    base::Random random(base::mix(seed));
    const VectorType type = kTypes[random.below(4)];
    const Distance metric = kMetrics[random.below(3)];
    const std::size_t rows = 1 + random.below(400), dimension = 1 + random.below(70), k = 1 + random.below(rows);
    const VectorSet base = random_vectors(type, rows, dimension, seed + 100);
    const VectorSet queries = random_vectors(type, 4, dimension, seed + 200);
    std::vector<std::size_t> source(rows);
    std::iota(source.begin(), source.end(), 0u);
    for (std::size_t i = rows; i > 1; --i) std::swap(source[i - 1], source[random.below(i)]);
    VectorSet shuffled(type, rows, dimension);
    for (std::size_t i = 0; i < rows; ++i) std::copy_n(base.row(source[i]), base.row_bytes(), shuffled.row(i));

    const SearchResults truth = compute_ground_truth(base, queries, metric, k);
    const SearchResults moved = compute_ground_truth(shuffled, queries, metric, k);
    ASSERT_EQ(truth.distances, moved.distances);
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      // Ids of one distance may change places, and those tied with the last may be others.
      const float last = truth.distances_of(q)[k - 1];
      std::set<std::uint64_t> expected, found;
      for (std::size_t i = 0; i < k && truth.distances_of(q)[i] < last; ++i) {
        expected.insert(truth.ids_of(q)[i]);
        found.insert(source[moved.ids_of(q)[i]]);
      }
      EXPECT_EQ(expected, found);
    }
  }
}

TEST(GroundTruth, OfFewerRowsThanKIsPadded) {
  const VectorSet base = random_integers(VectorType::F32, 5, 8, 7);
  const VectorSet queries = random_integers(VectorType::F32, 3, 8, 8);
  const SearchResults truth = compute_ground_truth(base, queries, Distance::L2, 9);
  EXPECT_EQ(truth.k, 9u);
  expect_matches_oracle(truth, base, queries, Distance::L2, 0);
}

TEST(GroundTruth, KeepsTheNearestForEveryK) {
  // From less than one cut of the candidates to all rows.
  const VectorSet base = random_integers(VectorType::U8, 1500, 4, 9);
  const VectorSet queries = random_integers(VectorType::U8, 2, 4, 10);
  for (const std::size_t k : {1u, 2u, 63u, 64u, 65u, 500u, 1499u, 1500u}) {
    SCOPED_TRACE(k);
    expect_matches_oracle(compute_ground_truth(base, queries, Distance::L2, k), base, queries, Distance::L2, 0);
  }
}

TEST(GroundTruth, OfNothingAskedForIsEmpty) {
  const VectorSet base = random_integers(VectorType::F32, 5, 8, 7);
  const SearchResults truth = compute_ground_truth(base, base, Distance::L2, 0);
  EXPECT_EQ(truth.rows, 5u);
  EXPECT_EQ(truth.k, 0u);
  EXPECT_TRUE(truth.ids.empty());
}

TEST(GroundTruth, RefusesEmptyInput) {
  const VectorSet some = random_integers(VectorType::F32, 5, 8, 7);
  const VectorSet none(VectorType::F32, 0, 8);
  for (const auto& [base, queries] : {std::pair<VectorView, VectorView>{none, some}, {some, none}}) {
    const Error error = error_of([&, b = base, q = queries] { compute_ground_truth(b, q, Distance::L2, 3); });
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("empty input"), std::string::npos) << error.what();
  }
}

TEST(GroundTruth, ReadsStridedAndUnalignedRows) {
  for (const VectorType type : kTypes) {
    const VectorSet base = random_integers(type, 120, 19, 11);
    const VectorSet queries = random_integers(type, 4, 19, 12);
    const std::size_t stride = base.row_bytes() + 5;
    std::vector<std::byte> loose(3 + stride * base.rows(), std::byte{0xFF});
    for (std::size_t i = 0; i < base.rows(); ++i) std::copy_n(base.row(i), base.row_bytes(), &loose[3 + i * stride]);
    const VectorView view(loose.data() + 3, type, base.rows(), base.dimension(), stride);
    for (const Distance metric : kMetrics) {
      const SearchResults packed = compute_ground_truth(base, queries, metric, 10);
      const SearchResults strided = compute_ground_truth(view, queries, metric, 10);
      EXPECT_EQ(packed.ids, strided.ids) << to_string(type) << " " << to_string(metric);
      EXPECT_EQ(packed.distances, strided.distances);
    }
  }
}

TEST(GroundTruth, NamesRowAndColumnOfTheFirstBadComponent) {
  for (const VectorType type : {VectorType::F32, VectorType::F16}) {
    for (const double bad : {std::nan(""), double{kInfinity}, -double{kInfinity}}) {
      VectorSet base = random_integers(type, 9000, 33, 13);
      const VectorSet queries = random_integers(type, 2, 33, 14);
      testing::set_component(base, 4321, 32, bad);
      testing::set_component(base, 8765, 0, bad);
      for (const unsigned workers : {1u, 4u}) {
        const Error error = error_of([&] { compute_ground_truth(base, queries, Distance::L2, 3, threads(workers)); });
        EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
        EXPECT_NE(std::string(error.what()).find("4321"), std::string::npos) << error.what();
        EXPECT_NE(std::string(error.what()).find("32"), std::string::npos) << error.what();
      }
      VectorSet bad_queries = random_integers(type, 7, 33, 14);
      testing::set_component(bad_queries, 5, 17, bad);
      const Error error = error_of([&] { compute_ground_truth(queries, bad_queries, Distance::L2, 3); });
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      EXPECT_NE(std::string(error.what()).find("5"), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("17"), std::string::npos) << error.what();
    }
  }
}

TEST(GroundTruth, OfZeroVectorsUnderCosineIsOneEverywhere) {
  VectorSet base = random_vectors(VectorType::F32, 50, 12, 15);
  for (std::size_t d = 0; d < 12; ++d) testing::set_component(base, 20, d, 0);
  VectorSet queries = random_vectors(VectorType::F32, 2, 12, 16);
  for (std::size_t d = 0; d < 12; ++d) testing::set_component(queries, 1, d, 0);
  const SearchResults truth = compute_ground_truth(base, queries, Distance::Cosine, 50);
  const auto first = truth.ids_of(0);
  const auto place = std::find(first.begin(), first.end(), 20u) - first.begin();
  ASSERT_LT(place, 50);
  EXPECT_EQ(truth.distances_of(0)[static_cast<std::size_t>(place)], 1.0f);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(truth.ids_of(1)[i], i);  // all tied: by id
    EXPECT_EQ(truth.distances_of(1)[i], 1.0f);
  }
}

TEST(GroundTruth, ReportsZeroOfEitherSignAsOneDistance) {
  // Inner products of zero negated are -0, which must neither show nor order before +0.
  const VectorSet base(VectorType::F32, 10, 4);
  const SearchResults truth = compute_ground_truth(base, base, Distance::InnerProduct, 10);
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(truth.ids_of(3)[i], i);
    EXPECT_FALSE(std::signbit(truth.distances_of(3)[i]));
  }
}

TEST(GroundTruth, RefusesWhatCannotBeCompared) {
  const VectorSet base = random_integers(VectorType::F32, 5, 8, 7);
  const VectorSet other = random_integers(VectorType::F32, 5, 9, 7);
  const Error dimension = error_of([&] { compute_ground_truth(base, other, Distance::L2, 3); });
  EXPECT_EQ(dimension.code(), ErrorCode::DimensionMismatch);
  EXPECT_NE(std::string(dimension.what()).find("8"), std::string::npos);
  EXPECT_NE(std::string(dimension.what()).find("9"), std::string::npos);
  EXPECT_EQ(error_of([&] { compute_ground_truth(base, base, Distance::Custom, 3); }).code(),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(error_of([&] { compute_ground_truth(base, base, Distance::L2, kNoId); }).code(), ErrorCode::OutOfMemory);
  EXPECT_EQ(error_of([&] { compute_ground_truth(base, base, Distance::L2, kNoId / 64); }).code(),
            ErrorCode::OutOfMemory);
}

TEST(GroundTruth, StopsWhenCancelledOnTheWay) {
  const VectorSet base = random_vectors(VectorType::F32, 20'000, 64, 17);
  for (const unsigned workers : {1u, 3u}) {
    CancelToken token;
    std::uint64_t last = 0;
    Execution execution = threads(workers);
    execution.cancel = &token;
    execution.progress = [&](const Progress& progress) {
      last = progress.done;
      token.cancel();
    };
    const Error error = error_of([&] { compute_ground_truth(base, base, Distance::L2, 3, execution); });
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    EXPECT_LT(last, std::uint64_t{20'000} * 20'000);
  }
}

TEST(GroundTruth, ReportsTheEndOfItsWork) {
  const VectorSet base = random_vectors(VectorType::F32, 100, 8, 18);
  Progress last;
  Execution execution;
  execution.progress = [&](const Progress& progress) { last = {"", progress.done, progress.total}; };
  compute_ground_truth(base, base, Distance::L2, 3, execution);
  EXPECT_EQ(last.done, 10'000u);
  EXPECT_EQ(last.total, 10'000u);
}

}  // namespace
}  // namespace diskann
