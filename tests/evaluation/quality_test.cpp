#include <gtest/gtest.h>

#include <optional>

#include "diskann/evaluation.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann {
namespace {

TEST(Quality, SaysWhatARecallTakes) {
  SyntheticOptions synthetic;
  synthetic.rows = 3000;
  synthetic.dimension = 24;
  synthetic.clusters = 0;
  synthetic.spread = 1;
  const SyntheticSet set = generate_clustered(synthetic);
  const Index index = IndexBuilder().max_degree(16).build_from_vectors(set.vectors);
  const QualityReport report = measure_quality(index);
  EXPECT_EQ(report.queries, 1000u);
  EXPECT_EQ(report.duplicates, 0u);
  EXPECT_GE(report.recall, 0.95);
  EXPECT_GT(report.self_recall, 0.9);
  EXPECT_GT(report.search_list_size, 10u) << "this data is hard";
  EXPECT_GT(report.distance_computations, report.hops);
  EXPECT_LT(report.distance_computations, 3000.0);

  QualityOptions options;
  options.recall = 0.99;
  const QualityReport more = measure_quality(index, options);
  EXPECT_GE(more.recall, 0.99);
  EXPECT_GT(more.search_list_size, report.search_list_size);
  EXPECT_GT(more.distance_computations, report.distance_computations);
  EXPECT_EQ(more.self_recall, report.self_recall);

  // The list is the smallest: with one entry less the recall is missed.
  const SearchResults truth = compute_ground_truth(set.vectors, set.vectors, Distance::L2, 10);
  const auto recall = [&](std::uint32_t list) {
    return recall_at(index.search_batch(set.vectors, 10, {list}), truth, 10);
  };
  options.queries = 3000;
  options.recall = 0.95;
  const QualityReport all = measure_quality(index, options);
  EXPECT_EQ(all.queries, 3000u);
  EXPECT_GE(recall(all.search_list_size), 0.95);
  EXPECT_LT(recall(all.search_list_size - 1), 0.95);
}

TEST(Quality, CountsDuplicatesAndTakesEveryMetric) {
  SyntheticOptions synthetic;
  synthetic.rows = 1000;
  synthetic.dimension = 8;
  synthetic.shape = SyntheticShape::Duplicates;
  const SyntheticSet set = generate_clustered(synthetic);
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
    const QualityReport report = measure_quality(IndexBuilder().metric(metric).build_from_vectors(set.vectors));
    EXPECT_EQ(report.duplicates, 990u) << to_string(metric);
    EXPECT_EQ(report.queries, 10u) << to_string(metric);
    EXPECT_EQ(report.recall, 1.0) << to_string(metric);
    EXPECT_EQ(report.search_list_size, 10u) << to_string(metric);
  }
}

TEST(Quality, RefusesWhatItCannotAnswer) {
  const VectorSet set = doubles::clustered(VectorType::F32, 50, 4, 1);
  const Index index = IndexBuilder().build_from_vectors(set);
  const auto code = [&](const Index& of, QualityOptions options) -> std::optional<ErrorCode> {
    try {
      measure_quality(of, options);
    } catch (const Error& error) {
      return error.code();
    }
    return std::nullopt;
  };
  EXPECT_EQ(code(index, {0, 10, 0.95, 1}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(index, {10, 0, 0.95, 1}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(index, {10, 10, 0, 1}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(index, {10, 10, 1.5, 1}), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(index, {10, 100, 1, 1}), std::nullopt) << "k may be more than there are";
  const Index custom =
      IndexBuilder().distance_function(create_distance_function(Distance::L2, 4)).build_from_vectors(set);
  EXPECT_EQ(code(custom, {}), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace diskann
