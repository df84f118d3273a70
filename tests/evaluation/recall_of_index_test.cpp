#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "diskann/evaluation.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann {
namespace {

class RecallOfIndex : public ::testing::Test {
 protected:
  static constexpr std::size_t kK = 10;
  VectorSet base_ = testing::random_vectors(VectorType::F32, 300, 12, 1);
  VectorSet queries_ = testing::random_vectors(VectorType::F32, 8, 12, 2);
  Index index_ = IndexBuilder().max_degree(16).search_list_size(40).build_from_vectors(base_);
  SearchResults truth_ = compute_ground_truth(base_, queries_, Distance::L2, kK);
};

TEST_F(RecallOfIndex, DoesNotLookAtTheDistancesOfTheTruth) {
  SearchResults found = truth_;
  for (std::size_t row = 0; row < found.rows; ++row) found.ids[row * kK] = found.ids[row * kK + 1];  // one repeated
  for (const float factor : {1.0f, -1.0f, 0.0f, 1e9f}) {
    SearchResults other = truth_;
    for (float& distance : other.distances) distance *= factor;
    EXPECT_EQ(recall_at(index_, queries_, truth_, other, kK), 1.0);
    EXPECT_NEAR(recall_at(index_, queries_, found, other, kK), 0.9, 1e-12);
  }
  SearchResults ids_only = truth_;
  ids_only.distances.clear();
  EXPECT_EQ(recall_at(index_, queries_, ids_only, ids_only, kK), 1.0);
}

TEST_F(RecallOfIndex, CountsTiesByExactDistance) {
  // Row 300 + i equals row i: a twin found in place of the true neighbour is as right.
  VectorSet twice(VectorType::F32, 600, 12);
  for (std::size_t i = 0; i < 600; ++i) std::copy_n(base_.row(i % 300), base_.row_bytes(), twice.row(i));
  const Index index = IndexBuilder().max_degree(16).search_list_size(40).build_from_vectors(twice);
  SearchResults found = truth_;
  for (auto& id : found.ids) id += 300;
  EXPECT_EQ(recall_at(index, queries_, found, truth_, kK), 1.0);
}

TEST_F(RecallOfIndex, CountsFartherPointsAsWrong) {
  const SearchResults all = compute_ground_truth(base_, queries_, Distance::L2, 2 * kK);
  SearchResults found = truth_;
  for (std::size_t row = 0; row < found.rows; ++row) {
    for (std::size_t i = 0; i < kK / 2; ++i) found.ids[row * kK + i] = all.ids_of(row)[kK + i];
  }
  EXPECT_NEAR(recall_at(index_, queries_, found, truth_, kK), 0.5, 1e-12);
}

TEST_F(RecallOfIndex, NamesATrueIdThatTheIndexDoesNotHave) {
  truth_.ids[3 * kK + 4] = 4711;
  try {
    recall_at(index_, queries_, truth_, truth_, kK);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_NE(std::string(error.what()).find("4711"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("query 3"), std::string::npos) << error.what();
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST_F(RecallOfIndex, RefusesQueriesThatDoNotFit) {
  EXPECT_THROW(recall_at(index_, queries_.view().slice(0, 3), truth_, truth_, kK), Error);
}

}  // namespace
}  // namespace diskann
