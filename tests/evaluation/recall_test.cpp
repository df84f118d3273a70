#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "diskann/evaluation.hpp"
#include "diskann/flat_index.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

SearchResults results(std::size_t k, std::vector<std::uint64_t> ids, std::vector<float> distances = {}) {
  const std::size_t rows = ids.size() / k;
  return {rows, k, std::move(ids), std::move(distances)};
}

void expect_refused(const SearchResults& found, const SearchResults& truth, std::size_t k, const std::string& part) {
  try {
    recall_at(found, truth, k);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
  }
}

TEST(Recall, IsTheShareOfTrueNeighboursAveragedOverQueries) {
  const auto truth = results(4, {1, 2, 3, 4, /**/ 5, 6, 7, 8});
  EXPECT_EQ(recall_at(truth, truth, 4), 1.0);
  EXPECT_EQ(recall_at(results(4, {4, 3, 2, 1, /**/ 8, 7, 6, 5}), truth, 4), 1.0);  // order does not matter
  EXPECT_EQ(recall_at(results(4, {1, 2, 9, 10, /**/ 5, 11, 12, 13}), truth, 4), 0.375);
  EXPECT_EQ(recall_at(results(4, {9, 9, 9, 9, /**/ 9, 9, 9, 9}), truth, 4), 0.0);
}

TEST(Recall, LooksAtTheFirstKOfBothSides) {
  const auto truth = results(4, {1, 2, 3, 4});
  EXPECT_EQ(recall_at(results(4, {3, 1, 2, 4}), truth, 2), 0.5);  // 3 is no neighbour among 2, and 2 comes too late
  EXPECT_EQ(recall_at(results(6, {9, 1, 2, 3, 4, 5}), truth, 1), 0.0);
}

TEST(Recall, CountsAnIdOnce) {
  const auto truth = results(4, {1, 2, 3, 4}, {1, 2, 3, 4});
  EXPECT_EQ(recall_at(results(4, {1, 1, 1, 1}), truth, 4), 0.25);
  EXPECT_EQ(recall_at(results(4, {1, 1, 2, 2}, {1, 1, 2, 2}), truth, 4), 0.5);
}

TEST(Recall, CountsTiesThatTheTruthLists) {
  // 2, 3 and 4 are equally far: any of them is right at k = 2, without distances on the found side.
  const auto truth = results(5, {1, 2, 3, 4, 5}, {1, 2, 2, 2, 3});
  EXPECT_EQ(recall_at(results(2, {1, 4}), truth, 2), 1.0);
  EXPECT_EQ(recall_at(results(2, {1, 5}), truth, 2), 0.5);
  EXPECT_EQ(recall_at(results(2, {4, 3}), truth, 2), 1.0);  // neither is nearer than the second true neighbour
}

TEST(Recall, CountsTiesBeyondTheTruthByDistance) {
  const auto truth = results(2, {1, 2}, {1, 2});
  EXPECT_EQ(recall_at(results(2, {1, 77}, {1, 2}), truth, 2), 1.0);
  EXPECT_EQ(recall_at(results(2, {1, 77}, {1, 2.5f}), truth, 2), 0.5);
  EXPECT_EQ(recall_at(results(2, {1, 77}), truth, 2), 0.5);  // unknown distance: by id
}

TEST(Recall, ForgivesRoundingOfTheLastDistance) {
  const auto truth = results(2, {1, 2}, {1, 2});
  EXPECT_EQ(recall_at(results(2, {1, 2}, {1, std::nextafter(2.0f, 3.0f)}), truth, 2), 1.0);
}

TEST(Recall, GoesByIdWhereTheTruthFollowsAnotherConvention) {
  // Inner products as similarities: every found distance is "nearer", and none must count for that.
  EXPECT_EQ(recall_at(results(2, {1, 77}, {-9, -1}), results(2, {1, 2}, {9, 8}), 2), 0.5);
  // Plain where found distances are squared.
  EXPECT_EQ(recall_at(results(2, {1, 77}, {9, 3}), results(2, {1, 2}, {3, 4}), 2), 0.5);
  // No id in common: nothing tells what the distances mean.
  EXPECT_EQ(recall_at(results(2, {77, 78}, {-9, -1}), results(2, {1, 2}, {9, 8}), 2), 0.0);
}

TEST(Recall, LeavesPaddingOut) {
  // Three points in all: three true neighbours are all there is to find.
  const auto truth = results(5, {1, 2, 3, kNoId, kNoId}, {1, 2, 3, kInfinity, kInfinity});
  EXPECT_EQ(recall_at(results(5, {3, 2, 1, kNoId, kNoId}), truth, 5), 1.0);
  EXPECT_EQ(recall_at(results(5, {3, 2, kNoId, kNoId, kNoId}), truth, 5), 2.0 / 3.0);
  EXPECT_EQ(recall_at(results(5, {kNoId, kNoId, kNoId, kNoId, kNoId}), truth, 5), 0.0);
  const auto nothing = results(2, {kNoId, kNoId}, {kInfinity, kInfinity});
  EXPECT_EQ(recall_at(nothing, nothing, 2), 1.0);  // nothing to find, nothing missed
}

TEST(Recall, CountsTheLargestIdWhereItHasADistance) {
  const auto truth = results(3, {1, kNoId, kNoId}, {1, 2, kInfinity});
  EXPECT_EQ(recall_at(results(3, {1, kNoId, kNoId}, {1, 2, kInfinity}), truth, 3), 1.0);
  EXPECT_EQ(recall_at(results(3, {1, kNoId, kNoId}, {1, kInfinity, kInfinity}), truth, 3), 0.5);
}

TEST(Recall, RefusesWhatHasNoMeaning) {
  const auto three = results(3, {1, 2, 3, 4, 5, 6}), one_row = results(3, {1, 2, 3});
  expect_refused(three, three, 0, "recall@0");
  expect_refused(one_row, three, 3, "1 queries");
  expect_refused(results(5, {1, 2, 3, 4, 5}), one_row, 5, "the truth has 3");
  expect_refused(one_row, results(5, {1, 2, 3, 4, 5}), 5, "the results have 3");
  expect_refused({0, 3, {}, {}}, {0, 3, {}, {}}, 3, "empty input");
  try {
    recall_at(results(5, {1, 2, 3, 4, 5}), one_row, 5);
  } catch (const Error& error) {
    EXPECT_FALSE(error.hint().empty());
  }
}

TEST(Recall, OfExactSearchIsOneWhateverTheTies) {
  // Few different points, so that nearly everything ties; the rows in another order break ties differently.
  for (const VectorType type : testing::kTypes) {
    const VectorSet base = testing::random_integers(type, 400, 2, 1);
    VectorSet backwards(type, 400, 2);
    for (std::size_t i = 0; i < 400; ++i) std::copy_n(base.row(399 - i), base.row_bytes(), backwards.row(i));
    const VectorSet queries = testing::random_integers(type, 20, 2, 2);
    const SearchResults truth = compute_ground_truth(base, queries, Distance::L2, 10);
    SearchResults found = FlatIndex(backwards, Distance::L2).search_batch(queries, 10);
    for (auto& id : found.ids) id = 399 - id;
    EXPECT_NE(found.ids, truth.ids);
    EXPECT_EQ(recall_at(found, truth, 10), 1.0) << to_string(type);
  }
}

}  // namespace
}  // namespace diskann
