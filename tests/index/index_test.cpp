#include "diskann/index.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <functional>
#include <limits>
#include <set>
#include <thread>

#include "tests/doubles/allocation_meter.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/index/oracle.hpp"

namespace diskann::index {
namespace {

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::Internal;
}

Index build(VectorView vectors, Distance metric, std::uint32_t max_degree = 32) {
  return IndexBuilder().metric(metric).max_degree(max_degree).search_list_size(60).build_from_vectors(vectors);
}

TEST(Index, AnswersTheExampleOfTheReadme) {
  const std::vector<std::vector<float>> vectors = {{1, 2, 3, 4}, {5, 6, 7, 8}, {9, 10, 11, 12}};
  const Index index = IndexBuilder()
                          .dimensions(4)
                          .metric(Distance::L2)
                          .max_degree(64)
                          .search_list_size(100)
                          .build_from_vectors(vectors);
  const std::vector<float> query = {1.1f, 2.1f, 3.1f, 4.1f};
  const std::vector<Hit> hits = index.search(query, 5);
  ASSERT_EQ(hits.size(), 3u);
  EXPECT_EQ(hits[0].id, 0u);
  EXPECT_NEAR(hits[0].distance, 0.04f, 1e-5f);
  EXPECT_EQ(hits[1].id, 1u);
  EXPECT_EQ(hits[2].id, 2u);
  EXPECT_EQ(index.type(), VectorType::U8) << "integral f32 is stored losslessly";
  EXPECT_EQ(index.source_type(), VectorType::F32);
}

TEST(Index, FindsExactlyWhatAListOfAllRowsAllows) {
  std::size_t cases = 0;
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      const VectorSet base = doubles::clustered(type, 300, 20, 1);
      const VectorSet queries = doubles::clustered(type, 20, 20, 1001);
      const Index index = build(base, metric);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const VectorView query = queries.view().slice(q, 1);
        const auto order = exact_order(base, query, metric);
        const std::vector<Hit> hits = index.search(query, 300, {300});
        ASSERT_EQ(hits.size(), 300u) << to_string(type) << ' ' << to_string(metric);
        ASSERT_TRUE(std::is_sorted(hits.begin(), hits.end()));
        std::set<std::uint64_t> ids;
        for (std::size_t i = 0; i < hits.size(); ++i) {
          const double exact = order[i].first;
          // Inner products cancel: their error is that of terms of up to 110 * 110.
          ASSERT_NEAR(hits[i].distance, exact, metric == Distance::InnerProduct ? 0.02 : 1e-4 * std::max(1.0, exact))
              << to_string(type) << ' ' << to_string(metric) << " place " << i;
          ids.insert(hits[i].id);
        }
        ASSERT_EQ(ids.size(), 300u);
        ++cases;
      }
    }
  }
  EXPECT_EQ(cases, 4u * 3u * 20u);
}

double recall_at_10(const Index& index, const VectorSet& base, const VectorSet& queries, std::uint32_t list) {
  std::size_t right = 0;
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const VectorView query = queries.view().slice(q, 1);
    const double tenth = exact_order(base, query, index.metric())[9].first;
    const double bound = tenth + std::abs(tenth) * 1e-5;
    for (const Hit& hit : index.search(query, 10, {list})) right += double{hit.distance} <= bound;
  }
  return static_cast<double>(right) / (10.0 * static_cast<double>(queries.rows()));
}

TEST(Index, RecallRisesWithTheListAndReachesOne) {
  const VectorSet base = doubles::clustered(VectorType::F32, 4000, 32, 5, 40);
  const VectorSet queries = doubles::clustered(VectorType::F32, 200, 32, 5, 40);  // the same centres
  const Index index = build(base, Distance::L2);
  double previous = 0;
  for (const std::uint32_t list : {10u, 20u, 40u, 80u, 160u}) {
    const double recall = recall_at_10(index, base, queries, list);
    EXPECT_GE(recall, previous - 0.003) << "L " << list;
    previous = recall;
  }
  EXPECT_GE(previous, 0.995);
}

TEST(Index, InnerProductFindsItsHitsAmongWideNorms) {
  // Most rows are nobody's neighbour by inner product and are hung in at the end: that must not cost the rows of great
  // norm, over which every walk goes, their edges.
  VectorSet base = doubles::clustered(VectorType::F32, 20000, 32, 5, 20000);
  const VectorSet queries = doubles::clustered(VectorType::F32, 200, 32, 6, 200);
  base::Random random(7);
  for (std::size_t i = 0; i < base.rows(); ++i) {
    const float scale = std::exp(3.0f * static_cast<float>(random.uniform()));
    for (std::size_t j = 0; j < 32; ++j) reinterpret_cast<float*>(base.row(i))[j] *= scale;
  }
  IndexBuilder builder;
  builder.metric(Distance::InnerProduct).max_degree(16).search_list_size(60).builder(GraphBuilder::Incremental);
  EXPECT_GE(recall_at_10(builder.build_from_vectors(base), base, queries, 20), 0.75);
}

TEST(Index, ReturnsAsManyAsThereAreWhateverKAndL) {
  for (const std::size_t rows : {1u, 2u, 3u, 33u, 100u}) {
    const VectorSet base = doubles::clustered(VectorType::F32, rows, 5, rows);
    const Index index = build(base, Distance::L2, 8);
    for (const std::size_t k : {0u, 1u, 7u, 100u, 1000u}) {
      for (const std::uint32_t list : {1u, 10u, 500u})
        EXPECT_EQ(index.search(base.view().slice(0, 1), k, {list}).size(), std::min(k, rows)) << rows << ' ' << k;
    }
    const SearchResults results = index.search_batch(base, rows + 2);
    EXPECT_EQ(results.ids_of(0)[rows], kNoId);
    EXPECT_TRUE(std::isinf(results.distances_of(rows - 1)[rows + 1]));
  }
}

TEST(Index, TellsTheLargestIdFromPadding) {
  const VectorSet base = doubles::clustered(VectorType::F32, 5, 5, 4);
  IndexBuilder builder;
  const Index index = builder.ids({4, 3, kNoId, 0, 7}).build_from_vectors(base);
  EXPECT_EQ(index.search(base.view().slice(2, 1), 1), (std::vector<Hit>{{kNoId, 0.0f}}));
  const SearchResults results = index.search_batch(base, 7);
  EXPECT_EQ(results.ids_of(2)[0], kNoId);
  for (std::size_t row = 0; row < 5; ++row)
    for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(results.has_hit(row, i), i < 5) << row << ' ' << i;
}

TEST(Index, GivesTheHitsOfAPrefixForASmallerK) {
  const VectorSet base = doubles::clustered(VectorType::U8, 2000, 32, 9);
  const Index index = build(base, Distance::L2);
  for (std::size_t q = 0; q < 50; ++q) {
    const auto ten = index.search(base.view().slice(q, 1), 10, {50});
    auto five = index.search(base.view().slice(q, 1), 5, {50});
    EXPECT_EQ(five, std::vector<Hit>(ten.begin(), ten.begin() + 5));
    EXPECT_EQ(ten[0].distance, 0.0f);
  }
}

TEST(Index, BatchesGiveTheHitsOfSingleQueriesAtEveryThreadCount) {
  const VectorSet base = doubles::clustered(VectorType::F32, 3000, 16, 2);
  const VectorSet queries = doubles::clustered(VectorType::F32, 101, 16, 77);
  const Index index = build(base, Distance::Cosine);
  for (const unsigned threads : {1u, 2u, 5u}) {
    SearchStatistics statistics;
    Execution execution;
    execution.threads = threads;
    const SearchResults results = index.search_batch(queries, 7, {30}, execution, &statistics);
    SearchStatistics alone;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      std::vector<Hit> hits(7);
      ASSERT_EQ(index.search_into(queries.view().slice(q, 1), hits, {30}, &alone), 7u);
      for (std::size_t i = 0; i < 7; ++i) {
        ASSERT_EQ(results.ids_of(q)[i], hits[i].id);
        ASSERT_EQ(results.distances_of(q)[i], hits[i].distance);
      }
    }
    EXPECT_EQ(statistics.hops, alone.hops);
    EXPECT_EQ(statistics.distance_computations, alone.distance_computations);
  }
}

TEST(Index, ConcurrentSearchesAgree) {
  const VectorSet base = doubles::clustered(VectorType::U8, 2000, 24, 3);
  const Index index = build(base, Distance::L2);
  std::vector<std::vector<Hit>> expected;
  for (std::size_t q = 0; q < 100; ++q) expected.push_back(index.search(base.view().slice(q, 1), 5, {20}));
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::size_t q = 0; q < 100; ++q) wrong += index.search(base.view().slice(q, 1), 5, {20}) != expected[q];
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Index, WarmSearchesAllocateNothing) {
  // Warm after the first search: none of those that follow was asked before, and they are harder.
  const auto allocations = [](const VectorSet& base, std::size_t copies, Distance metric, std::uint32_t list_size,
                              Codec codec = Codec::None) {
    std::vector<std::uint64_t> ids;
    for (std::uint64_t i = 0; i < base.rows(); ++i) ids.push_back(1'000'000 - i);
    const Index index = IndexBuilder().metric(metric).max_degree(16).ids(ids).quantize(codec).build_from_vectors(base);
    EXPECT_EQ(index.graph_statistics().nodes, base.rows() / copies);
    EXPECT_EQ(index.codec(), codec);
    std::vector<Hit> hits(10);
    index.search_into(base.view().slice(0, 1), hits, {list_size});
    const VectorSet others = doubles::clustered(base.type(), list_size < 1000 ? 500 : 40, base.dimension(), 77);
    const doubles::AllocationMeter meter;
    for (std::size_t q = 0; q < others.rows(); ++q) index.search_into(others.view().slice(q, 1), hits, {list_size});
    return meter.calls();
  };
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
    for (const VectorType type : {VectorType::F32, VectorType::U8}) {
      SCOPED_TRACE(std::string(to_string(metric)) + " " + std::string(to_string(type)));
      VectorSet base = doubles::clustered(type, 6000, 24, 3);
      EXPECT_EQ(allocations(base, 1, metric, 50), 0u);
      EXPECT_EQ(allocations(base, 1, metric, 5999), 0u) << "more visited than a scratch remembers";
      for (const Codec codec : {Codec::F16, Codec::SQ8}) {
        if (type != VectorType::F32) continue;  // bytes have no codes
        EXPECT_EQ(allocations(base, 1, metric, 50, codec), 0u) << to_string(codec);
      }
      for (const Codec codec : {Codec::SQ4, Codec::RaBitQ4})  // short lists hold more than they expand
        EXPECT_EQ(allocations(base, 1, metric, 12, codec), 0u) << to_string(codec);
      for (std::size_t i = 1; i < base.rows(); ++i)
        if (i % 100 != 0) std::copy_n(base.row(i - i % 100), base.row_bytes(), base.row(i));
      EXPECT_EQ(allocations(base, 100, metric, 50), 0u) << "each row a hundred times";
    }
  }
}

TEST(Index, AsksForNoMoreMemoryThanItsPointsTake) {
  VectorSet base = doubles::clustered(VectorType::U8, 3000, 8, 3);
  for (std::size_t i = 1; i < base.rows(); i += 2) std::copy_n(base.row(i - 1), base.row_bytes(), base.row(i));
  const Index index = build(base, Distance::L2);
  std::vector<Hit> hits(1'000'000);
  const doubles::AllocationMeter meter;
  EXPECT_EQ(index.search_into(base.view().slice(0, 1), hits), 3000u);
  EXPECT_LT(meter.bytes(), std::size_t{1} << 20);
}

TEST(Index, TakesQueriesOfOtherTypesAndComparesThemExactly) {
  const VectorSet base = doubles::clustered(VectorType::U8, 500, 12, 3);
  const Index index = build(base, Distance::L2);
  const std::vector<float> between(12, 100.25f);
  const auto order = exact_order(base, VectorView(between), Distance::L2);
  const auto hits = index.search(between, 10, {500});
  for (std::size_t i = 0; i < 10; ++i) EXPECT_NEAR(hits[i].distance, order[i].first, 1e-3 * order[i].first);
  std::vector<std::int8_t> small(12, 100);
  std::vector<float> same(12, 100.0f);
  EXPECT_EQ(index.search(small, 10), index.search(same, 10));
  std::vector<float16> half(12, float16(100.25f));
  EXPECT_EQ(index.search(half, 10), index.search(between, 10));
}

TEST(Index, ReadsUnalignedAndStridedRows) {
  const VectorSet base = doubles::clustered(VectorType::F32, 400, 7, 8);
  std::vector<std::byte> memory(400 * 40 + 1);
  for (std::size_t i = 0; i < 400; ++i) std::copy(base.row(i), base.row(i) + 28, memory.data() + 1 + i * 40);
  const VectorView strided(memory.data() + 1, VectorType::F32, 400, 7, 40);
  const Index plain = build(base, Distance::L2);
  const Index index = build(strided, Distance::L2);
  for (std::size_t q = 0; q < 50; ++q)
    EXPECT_EQ(index.search(strided.slice(q, 1), 5), plain.search(base.view().slice(q, 1), 5));
}

TEST(Index, RangeSearchFindsAllWithinTheRadius) {
  const VectorSet base = doubles::clustered(VectorType::U8, 3000, 16, 4, 20);
  const Index index = build(base, Distance::L2);
  std::size_t found_in_all = 0, true_in_all = 0;
  for (std::size_t q = 0; q < 60; ++q) {
    const VectorView query = base.view().slice(q * 7, 1);
    const auto order = exact_order(base, query, Distance::L2);
    for (const std::size_t place : {0u, 5u, 60u, 180u}) {
      const auto radius = static_cast<float>(order[place].first);
      const auto hits = index.range_search(query, radius, {40});
      std::size_t within = 0;
      while (within < order.size() && order[within].first <= static_cast<double>(radius)) ++within;
      for (const Hit& hit : hits) EXPECT_LE(hit.distance, radius);
      EXPECT_TRUE(std::is_sorted(hits.begin(), hits.end()));
      EXPECT_LE(hits.size(), within);
      found_in_all += hits.size();
      true_in_all += within;
    }
    EXPECT_TRUE(index.range_search(query, -1.0f).empty());
    EXPECT_EQ(index.range_search(query, std::numeric_limits<float>::infinity()).size(), base.rows());
  }
  EXPECT_GE(static_cast<double>(found_in_all), 0.99 * static_cast<double>(true_in_all));
}

TEST(Index, KeepsIdsOfTheUserWhateverTheyAre) {
  const VectorSet base = doubles::clustered(VectorType::F32, 100, 8, 8);
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 100; ++i) ids.push_back((std::uint64_t{1} << 60) + 977 * i);
  ids[3] = 0;
  const Index index = IndexBuilder().ids(ids).build_from_vectors(base);
  for (std::size_t q = 0; q < 100; ++q) {
    EXPECT_EQ(index.search(base.view().slice(q, 1), 1)[0].id, ids[q]);
    float distance = -1;
    index.distances(base.view().slice(q, 1), std::vector<std::uint64_t>{ids[q]}, {&distance, 1});
    EXPECT_EQ(distance, 0.0f);
  }
  float distance;
  EXPECT_EQ(code_of([&] {
              index.distances(base.view().slice(0, 1), std::vector<std::uint64_t>{5}, {&distance, 1});
            }),
            ErrorCode::NotFound);
}

TEST(Index, ReturnsEveryCopyOfARow) {
  // 100 copies of each of 20 rows: copies would fill every list of eight, if they did not share a node.
  const VectorSet distinct = doubles::clustered(VectorType::F32, 20, 6, 12);
  VectorSet base(VectorType::F32, 2000, 6);
  for (std::size_t i = 0; i < 2000; ++i) std::copy_n(distinct.row(i % 20), base.row_bytes(), base.row(i));
  const Index index = build(base, Distance::L2, 8);
  EXPECT_EQ(index.size(), 2000u);
  EXPECT_EQ(index.graph_statistics().nodes, 20u);
  for (std::size_t q = 0; q < 20; ++q) {
    const auto hits = index.search(distinct.view().slice(q, 1), 100, {10});
    ASSERT_EQ(hits.size(), 100u);
    for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(hits[i], (Hit{q + 20 * i, 0.0f}));
    EXPECT_EQ(index.search(distinct.view().slice(q, 1), 2000).size(), 2000u);
    const auto three = index.search(distinct.view().slice(q, 1), 3);
    EXPECT_EQ(three[2].id, q + 40) << "the lowest ids among equals";
  }
}

TEST(Index, ScalingAndFlippingChangesNothingButDistances) {
  const VectorSet base = doubles::clustered(VectorType::F32, 1000, 12, 6);
  VectorSet scaled(VectorType::F32, 1000, 12), flipped(VectorType::F32, 1000, 12);
  for (std::size_t i = 0; i < 1000; ++i) {
    for (std::size_t j = 0; j < 12; ++j) {
      const float value = reinterpret_cast<const float*>(base.row(i))[j];
      reinterpret_cast<float*>(scaled.row(i))[j] = value * 8.0f;
      reinterpret_cast<float*>(flipped.row(i))[j] = j % 2 == 0 ? -value : value;
    }
  }
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
    const Index plain = build(base, metric), large = build(scaled, metric), mirrored = build(flipped, metric);
    const float factor = metric == Distance::Cosine ? 1.0f : 64.0f;
    for (std::size_t q = 0; q < 40; ++q) {
      const auto hits = plain.search(base.view().slice(q, 1), 10, {20});
      EXPECT_EQ(mirrored.search(flipped.view().slice(q, 1), 10, {20}), hits);
      auto expected = hits;
      for (Hit& hit : expected) hit.distance *= factor;
      EXPECT_EQ(large.search(scaled.view().slice(q, 1), 10, {20}), expected) << to_string(metric);
    }
  }
}

TEST(Index, RefusesQueriesThatCannotBeRight) {
  const VectorSet base = doubles::clustered(VectorType::F32, 50, 4, 8);
  const Index index = build(base, Distance::L2);
  const std::vector<float> nan = {0, 0, std::nanf(""), 0}, infinite = {0, 0, 0, INFINITY}, shorter = {0, 0, 0};
  EXPECT_EQ(code_of([&] { index.search(nan, 1); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.search(infinite, 0); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.search(shorter, 1); }), ErrorCode::DimensionMismatch);
  EXPECT_EQ(code_of([&] { index.range_search(nan, 1); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.range_search(base.view().slice(0, 1), std::nanf("")); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.search(base.view(), 1); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.search(base.view().slice(0, 1), 1, {0}); }), ErrorCode::InvalidArgument);
  VectorSet batch = doubles::clustered(VectorType::F32, 40, 4, 8);
  reinterpret_cast<float*>(batch.row(33))[2] = std::nanf("");
  try {
    index.search_batch(batch, 3);
    FAIL() << "a query that is no number was answered";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("row 33, column 2"), std::string::npos) << error.what();
  }
  EXPECT_EQ(code_of([&] { index.search_batch(base, std::size_t{1} << 50); }), ErrorCode::OutOfMemory);
  try {
    index.search(shorter, 1);
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find('3'), std::string::npos);
    EXPECT_NE(std::string(error.what()).find('4'), std::string::npos);
  }
}

class Manhattan : public DistanceFunction {
 public:
  float distance(std::span<const float> a, std::span<const float> b) const override {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
    return sum;
  }
  std::string name() const override { return "manhattan"; }
};

TEST(Index, BuildsAndSearchesByAUsersDistance) {
  const VectorSet base = doubles::clustered(VectorType::F32, 800, 10, 21);
  const auto manhattan = std::make_shared<Manhattan>();
  const Index index = IndexBuilder().distance_function(manhattan).max_degree(24).build_from_vectors(base);
  EXPECT_EQ(index.metric(), Distance::Custom);
  std::size_t right = 0;
  for (std::size_t q = 0; q < 50; ++q) {
    const std::span<const float> query(reinterpret_cast<const float*>(base.row(q)), 10);
    std::vector<float> all;
    for (std::size_t i = 0; i < 800; ++i)
      all.push_back(manhattan->distance(query, {reinterpret_cast<const float*>(base.row(i)), 10}));
    std::sort(all.begin(), all.end());
    const auto hits = index.search(query, 10, {50});
    ASSERT_EQ(hits.size(), 10u);
    EXPECT_EQ(hits[0], (Hit{q, 0.0f}));
    for (const Hit& hit : hits) right += hit.distance <= all[9];
  }
  EXPECT_GE(right, 495u);
}

}  // namespace
}  // namespace diskann::index
