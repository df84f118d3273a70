#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "base/random.hpp"
#include "diskann/distance.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::index {
namespace {

struct Refusal {
  ErrorCode code = ErrorCode::Internal;
  std::string text;
};

Refusal refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TEST(Builder, NamesRowAndColumnOfWhatIsNoNumber) {
  for (const float bad : {std::nanf(""), INFINITY, -INFINITY}) {
    VectorSet set = doubles::clustered(VectorType::F32, 3000, 40, 1);
    reinterpret_cast<float*>(set.row(2345))[17] = bad;
    const Refusal found = refusal([&] { IndexBuilder().build_from_vectors(set); });
    EXPECT_EQ(found.code, ErrorCode::InvalidArgument);
    EXPECT_NE(found.text.find("2345"), std::string::npos) << found.text;
    EXPECT_NE(found.text.find("17"), std::string::npos) << found.text;
  }
}

TEST(Builder, RefusesEmptyInputAndWrongDimensions) {
  EXPECT_EQ(refusal([] { IndexBuilder().build_from_vectors(VectorSet(VectorType::F32, 0, 4)); }).code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal([] { IndexBuilder().build_from_vectors(VectorSet(VectorType::F32, 4, 0)); }).code,
            ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal([] { IndexBuilder().dimensions(5).build_from_vectors(VectorSet(VectorType::F32, 4, 4)); }).code,
            ErrorCode::DimensionMismatch);
  EXPECT_EQ(refusal([] {
              IndexBuilder().build_from_vectors(std::vector<std::vector<float>>{{1, 2}, {1, 2, 3}});
            }).code,
            ErrorCode::DimensionMismatch);
}

TEST(Builder, ChecksEveryParameter) {
  const VectorSet set = doubles::clustered(VectorType::F32, 10, 4, 1);
  const auto code = [&](const std::function<void(IndexBuilder&)>& set_up) {
    return refusal([&] {
             IndexBuilder builder;
             set_up(builder);
             builder.build_from_vectors(set);
           })
        .code;
  };
  EXPECT_EQ(code([](IndexBuilder& b) { b.max_degree(1); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.max_degree(1025); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.search_list_size(0); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.alpha(0.99f); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.alpha(std::nanf("")); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.metric(Distance::Custom); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.ids({}); }), ErrorCode::InvalidArgument) << "an empty list is not none";
  EXPECT_EQ(code([](IndexBuilder& b) { b.ids({1, 2, 3}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code([](IndexBuilder& b) { b.ids({1, 2, 3, 4, 5, 6, 7, 8, 9, 1}); }), ErrorCode::AlreadyExists);
  EXPECT_EQ(code([](IndexBuilder& b) { b.memory_limit(1000); }), ErrorCode::OutOfMemory);
}

TEST(Builder, StoresIntegralFloatsAsEightBitsOnlyWhereNothingIsLost) {
  const auto stored = [](float low, float high, float step) {
    VectorSet set(VectorType::F32, 50, 8);
    for (std::size_t i = 0; i < 400; ++i) {
      const float value = low + std::fmod(static_cast<float>(i) * step, high - low);
      reinterpret_cast<float*>(set.row(0))[i] = value;
    }
    reinterpret_cast<float*>(set.row(49))[7] = high;
    return IndexBuilder().build_from_vectors(set).type();
  };
  EXPECT_EQ(stored(0, 255, 1), VectorType::U8);
  EXPECT_EQ(stored(0, 256, 1), VectorType::F32);
  EXPECT_EQ(stored(-128, 127, 1), VectorType::I8);
  EXPECT_EQ(stored(-129, 127, 1), VectorType::F32);
  EXPECT_EQ(stored(-1, 128, 1), VectorType::F32);
  EXPECT_EQ(stored(0, 255, 0.5f), VectorType::F32);
}

TEST(Builder, KeepsFloatsWhereTheUserAsksForThem) {
  VectorSet set(VectorType::F32, 20, 4);
  for (std::size_t i = 0; i < 80; ++i) reinterpret_cast<float*>(set.row(0))[i] = static_cast<float>(i);
  EXPECT_EQ(IndexBuilder().store_as(VectorType::F32).build_from_vectors(set).type(), VectorType::F32);
  EXPECT_EQ(IndexBuilder().store_as(VectorType::F16).build_from_vectors(set).type(), VectorType::F16);
  reinterpret_cast<float*>(set.row(7))[2] = 0.5f;
  const Refusal found = refusal([&] { IndexBuilder().store_as(VectorType::U8).build_from_vectors(set); });
  EXPECT_EQ(found.code, ErrorCode::InvalidArgument);
  EXPECT_NE(found.text.find("row 7, column 2"), std::string::npos) << found.text;
  reinterpret_cast<float*>(set.row(7))[2] = 70000.0f;
  EXPECT_EQ(refusal([&] { IndexBuilder().store_as(VectorType::F16).build_from_vectors(set); }).code,
            ErrorCode::InvalidArgument);
}

TEST(Builder, StatesMemoryThatABuildStaysWithin) {
  const IndexBuilder builder = [] {
    IndexBuilder b;
    b.max_degree(64).search_list_size(100).builder(GraphBuilder::Incremental).quantize(Codec::None);
    return b;
  }();
  const BuildEstimate estimate = builder.estimate(1'000'000, 128, VectorType::U8);
  EXPECT_EQ(estimate.vectors, 128'000'000u);
  EXPECT_GE(estimate.graph, 256'000'000u);
  EXPECT_LE(estimate.total(), static_cast<std::uint64_t>((128'000'000u + 256'000'000u) * 1.35));
  const auto with_threads = [](unsigned threads) {
    Execution execution;
    execution.threads = threads;
    return IndexBuilder().execution(execution).estimate(1'000'000, 128, VectorType::U8).total();
  };
  EXPECT_EQ(with_threads(4'294'967'295), with_threads(1024)) << "a team has no more";
  EXPECT_EQ(refusal([&] { builder.estimate(std::uint64_t{1} << 62, 65'535, VectorType::F32); }).code,
            ErrorCode::InvalidArgument);
}

TEST(Builder, CountsIdsAndTheirCopyInTheIndex) {
  constexpr std::uint64_t kRows = 10'000;
  std::vector<std::uint64_t> ids(kRows);
  std::iota(ids.begin(), ids.end(), 5u);
  for (const GraphBuilder which : {GraphBuilder::Partitioned, GraphBuilder::Incremental}) {
    for (const VectorType type : {VectorType::F32, VectorType::U8}) {
      IndexBuilder builder;
      builder.builder(which);
      const std::uint64_t without = builder.estimate(kRows, 32, type).total();
      EXPECT_EQ(builder.ids(ids).estimate(kRows, 32, type).total(), without + 16 * kRows) << to_string(which);
    }
  }
  const VectorSet set = doubles::clustered(VectorType::U8, kRows, 32, 3);
  IndexBuilder builder;
  builder.builder(GraphBuilder::Incremental).quantize(Codec::None);
  builder.memory_limit(builder.estimate(kRows, 32, VectorType::U8).total()).ids(ids);
  EXPECT_EQ(refusal([&] { builder.build_from_vectors(set); }).code, ErrorCode::OutOfMemory);
}

TEST(Builder, HoldsRowsOrCodesButNotBothWhileTheGraphIsBuilt) {
  for (const GraphBuilder which : {GraphBuilder::Partitioned, GraphBuilder::Incremental}) {
    const auto estimate = [&](VectorType type) {
      return IndexBuilder().builder(which).quantize(Codec::None).estimate(1'000'000, 256, type);
    };
    const BuildEstimate floats = estimate(VectorType::F32);
    EXPECT_LT(floats.total(), floats.uncoded);
    EXPECT_LT(floats.total(), 1'000'000u * (256 * 4 + 256 + 100)) << to_string(which);
    const BuildEstimate bytes = estimate(VectorType::U8);
    EXPECT_EQ(bytes.total(), bytes.uncoded);
  }
}

TEST(Builder, KeepsToTheLimitWhereCodesTurnOutTooCoarse) {
  // Clusters so tight that one grid over all of them makes their rows the same.
  VectorSet set = doubles::clustered(VectorType::F32, 6000, 64, 8, 30);
  base::Random random(9);
  for (std::size_t i = 0; i < set.rows(); ++i) {
    std::copy_n(set.row(i % 30), set.row_bytes(), set.row(i));
    for (std::size_t j = 0; j < 64; ++j)
      reinterpret_cast<float*>(set.row(i))[j] += 1e-4f * static_cast<float>(random.uniform());
  }
  IndexBuilder builder;
  builder.builder(GraphBuilder::Partitioned);
  const BuildEstimate estimate = builder.estimate(set.rows(), set.dimension(), VectorType::F32);
  ASSERT_LT(estimate.total(), estimate.uncoded);
  builder.memory_limit(estimate.total());
  EXPECT_EQ(refusal([&] { builder.build_from_vectors(set); }).code, ErrorCode::OutOfMemory);
  builder.memory_limit(estimate.uncoded);
  EXPECT_EQ(builder.build_from_vectors(set).size(), set.rows());
}

TEST(Builder, TakesRowsThatMadeWayForTheirCodesBackAsTheyWere) {
  VectorSet set = doubles::clustered(VectorType::F32, 6000, 24, 3, 100);
  for (std::size_t i = 3; i < set.rows(); i += 7) std::copy_n(set.row(i / 2), set.row_bytes(), set.row(i));  // twins
  for (const Distance metric : {Distance::L2, Distance::Cosine}) {
    std::vector<std::string> stages;
    Execution execution;
    execution.progress = [&](const Progress& progress) {
      if (stages.empty() || stages.back() != progress.stage) stages.emplace_back(progress.stage);
    };
    const Index index = IndexBuilder().metric(metric).execution(execution).build_from_vectors(set);
    EXPECT_EQ(std::count(stages.begin(), stages.end(), "read vectors again"), 1);
    EXPECT_EQ(index.size(), set.rows());
    for (std::size_t i = 0; i < set.rows(); i += 5) {
      const std::vector<Hit> hits = index.search(set.view().slice(i, 1), 1, {50});
      ASSERT_EQ(hits.size(), 1u);
      EXPECT_NEAR(hits[0].distance, 0.0f, 1e-6f) << i;
    }
  }
}

TEST(Builder, SeesThatVectorsChangedBeforeTheyWereReadAgain) {
  VectorSet set = doubles::clustered(VectorType::F32, 6000, 24, 3, 100);
  Execution execution;
  execution.progress = [&](const Progress& progress) {
    if (progress.stage == "prune candidates") reinterpret_cast<float*>(set.row(4321))[7] += 1.0f;
  };
  const Refusal found = refusal([&] { IndexBuilder().execution(execution).build_from_vectors(set); });
  EXPECT_EQ(found.code, ErrorCode::Io);
  EXPECT_NE(found.text.find("changed"), std::string::npos) << found.text;
}

TEST(Builder, RefusesAShapeThatNoBuildTakes) {
  const IndexBuilder builder;
  builder.check_shape(1, 65'535);
  EXPECT_EQ(refusal([&] { builder.check_shape(0, 4); }).code, ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal([&] { builder.check_shape(4, 0); }).code, ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal([&] { builder.check_shape(4, 65'536); }).code, ErrorCode::InvalidArgument);
  EXPECT_EQ(refusal([&] { builder.check_shape(std::uint64_t{1} << 31, 4); }).code, ErrorCode::InvalidArgument);
  IndexBuilder other;
  EXPECT_EQ(refusal([&] { other.dimensions(5).check_shape(4, 4); }).code, ErrorCode::DimensionMismatch);
}

TEST(Builder, ChoosesByRowsMetricAndMemory) {
  Execution two;
  two.threads = 2;
  const auto make = [&](Distance metric) {
    IndexBuilder builder;
    builder.metric(metric).max_degree(32).quantize(Codec::None).execution(two);
    return builder;
  };
  const auto chosen = [](const IndexBuilder& builder, std::uint64_t rows) {
    return builder.estimate(rows, 64, VectorType::U8).builder;
  };
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
    EXPECT_EQ(chosen(make(metric), 4095), GraphBuilder::Incremental) << to_string(metric);
    EXPECT_EQ(chosen(make(metric), 4096), GraphBuilder::Partitioned) << to_string(metric);
    EXPECT_EQ(chosen(make(metric).builder(GraphBuilder::Incremental), 4096), GraphBuilder::Incremental);
    EXPECT_EQ(chosen(make(metric).builder(GraphBuilder::Partitioned), 10), GraphBuilder::Partitioned);
  }
  EXPECT_EQ(chosen(make(Distance::L2).distance_function(create_distance_function(Distance::L2, 64)), 100'000),
            GraphBuilder::Incremental);

  constexpr std::uint64_t kRows = 1'000'000;
  const auto need = [&](GraphBuilder which) {
    return make(Distance::L2).builder(which).estimate(kRows, 64, VectorType::U8).total();
  };
  const std::uint64_t more = need(GraphBuilder::Partitioned), less = need(GraphBuilder::Incremental);
  ASSERT_LT(less, more);
  EXPECT_EQ(chosen(make(Distance::L2).memory_limit(more), kRows), GraphBuilder::Partitioned);
  EXPECT_EQ(chosen(make(Distance::L2).memory_limit(more - 1), kRows), GraphBuilder::Incremental);
  EXPECT_EQ(chosen(make(Distance::L2).memory_limit(less), kRows), GraphBuilder::Incremental);
}

TEST(Builder, LeavesCodesOutWhereTheLimitHasNoRoomForThem) {
  SyntheticOptions options;
  options.rows = 5000;
  options.dimension = 512;
  const VectorSet set = generate_clustered(options).vectors;
  for (const GraphBuilder which : {GraphBuilder::Auto, GraphBuilder::Incremental}) {
    const auto built = [&](std::uint64_t limit) {
      return IndexBuilder().builder(which).max_degree(16).memory_limit(limit).build_from_vectors(set);
    };
    const auto need = [&](Codec codec) {
      return IndexBuilder().builder(which).max_degree(16).quantize(codec).estimate(5000, 512, VectorType::F32).total();
    };
    const std::uint64_t with = need(Codec::Auto), without = need(Codec::None);
    ASSERT_LT(without, with);
    EXPECT_NE(built(with).codec(), Codec::None);
    EXPECT_EQ(built(with - 1).codec(), Codec::None);
    EXPECT_EQ(built(without).codec(), Codec::None);
    EXPECT_EQ(refusal([&] { built(without - 1); }).code, ErrorCode::OutOfMemory);
  }
}

TEST(Builder, BuildsByPartitionsWhereAsked) {
  const VectorSet set = doubles::clustered(VectorType::F32, 4000, 6, 1);
  std::vector<std::string> stages;
  Execution execution;
  execution.progress = [&](const Progress& progress) {
    if (stages.empty() || stages.back() != progress.stage) stages.emplace_back(progress.stage);
  };
  IndexBuilder builder;
  builder.max_degree(24).execution(execution).builder(GraphBuilder::Partitioned);
  const Index index = builder.build_from_vectors(set);
  EXPECT_EQ(stages, (std::vector<std::string>{"read vectors", "partition", "find candidates", "prune candidates",
                                              "read vectors again", "exact search", "measure recall"}));
  EXPECT_EQ(index.graph_statistics().unreachable, 0u);
  std::size_t found = 0;
  for (std::size_t i = 0; i < set.rows(); ++i) found += index.search(set.view().slice(i, 1), 1)[0].id == i ? 1 : 0;
  EXPECT_GE(found, 3996u) << "rows that find themselves";

  builder.distance_function(create_distance_function(Distance::L2, 6));
  EXPECT_EQ(refusal([&] { builder.build_from_vectors(set); }).code, ErrorCode::InvalidArgument);
  EXPECT_EQ(parse_graph_builder("partitioned"), GraphBuilder::Partitioned);
  EXPECT_EQ(parse_graph_builder("incremental"), GraphBuilder::Incremental);
  EXPECT_EQ(parse_graph_builder("auto"), GraphBuilder::Auto);
  EXPECT_EQ(refusal([] { parse_graph_builder("quick"); }).code, ErrorCode::InvalidArgument);
}

TEST(Builder, ReportsProgressInOrderAndStopsWhenCancelled) {
  const VectorSet set = doubles::clustered(VectorType::F32, 5000, 16, 1);
  std::vector<std::string> stages;
  CancelToken token;
  Execution execution;
  execution.threads = 2;
  execution.cancel = &token;
  execution.progress = [&](const Progress& progress) {
    EXPECT_LE(progress.done, progress.total);
    if (stages.empty() || stages.back() != progress.stage) stages.emplace_back(progress.stage);
  };
  const auto build = [&] {
    return IndexBuilder()
        .max_degree(16)
        .search_list_size(30)
        .builder(GraphBuilder::Incremental)
        .execution(execution)
        .build_from_vectors(set);
  };
  build();
  EXPECT_EQ(stages, (std::vector<std::string>{"read vectors", "partition", "build graph", "prune", "read vectors again",
                                              "exact search", "measure recall"}));

  execution.progress = [&](const Progress& progress) {
    if (progress.stage == "build graph") token.cancel();
  };
  EXPECT_EQ(refusal([&] { build(); }).code, ErrorCode::Cancelled);
}

TEST(Builder, TakesOneAndFourThousandDimensions) {
  for (const std::size_t dimension : {1u, 2u, 4096u}) {
    const VectorSet set = doubles::clustered(VectorType::F32, 60, dimension, 1);
    const Index index = IndexBuilder().max_degree(8).build_from_vectors(set);
    for (std::size_t q = 0; q < 60; ++q)
      EXPECT_EQ(index.search(set.view().slice(q, 1), 1)[0].distance, 0.0f) << dimension;
  }
}

}  // namespace
}  // namespace diskann::index
