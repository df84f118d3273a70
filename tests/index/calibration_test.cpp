// What searches with a list size find: measured on stored rows that searches do not see, and asked for by recall.
#include "index/calibration.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <limits>

#include "base/random.hpp"
#include "diskann/distance.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "index/index_file.hpp"
#include "scratch.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::index {
namespace {

SyntheticSet drawn(VectorType type = VectorType::F32, std::uint64_t rows = 6000) {
  SyntheticOptions options;
  options.rows = rows;
  options.queries = 1000;
  options.dimension = 24;
  options.type = type;
  options.clusters = 60;
  options.spread = 0.4f;
  return generate_clustered(options);
}

Index built(const VectorSet& vectors, Distance metric, Codec codec) {
  return IndexBuilder().metric(metric).max_degree(16).quantize(codec).build_from_vectors(vectors);
}

ErrorCode code_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::Internal;
}

TEST(Calibration, ForetellsTheRecallOfQueriesThatAreNotStored) {
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
    const SyntheticSet set = drawn();
    const SearchResults truth = compute_ground_truth(set.vectors, set.queries, metric, 100);
    for (const Codec codec : {Codec::None, Codec::SQ4}) {
      Index index = built(set.vectors, metric, codec);
      index.calibrate();
      EXPECT_EQ(index.calibration().queries, 1024u);
      EXPECT_TRUE(index.calibration().stored_rows);
      for (const std::size_t k : {1u, 10u, 30u, 100u}) {
        for (const float target : {0.9f, 0.95f, 0.99f}) {
          const SearchResults found = index.search_batch(set.queries, k, {.target_recall = target});
          const double recall = recall_at(index, set.queries, found, truth, k);
          EXPECT_GE(recall, target - 0.02) << to_string(metric) << " " << to_string(codec) << " k " << k;
          // A list of two thirds is not enough: what is taken is not just long.
          const std::uint32_t size = index.list_size_for(target, k);
          if (size < 15 || size < 3 * k / 2) continue;
          const auto shorter = static_cast<std::uint32_t>(std::max<std::size_t>(k, 2 * size / 3));
          EXPECT_LT(recall_at(index, set.queries, index.search_batch(set.queries, k, {shorter}), truth, k),
                    target + 0.02)
              << to_string(metric) << " " << to_string(codec) << " k " << k << " target " << target << " list " << size;
        }
      }
    }
  }
}

TEST(Calibration, OnQueriesGivesWhatTheyWillFind) {
  const SyntheticSet set = drawn();
  Index index = built(set.vectors, Distance::L2, Codec::SQ8);
  // Of other queries than rows: far from all.
  VectorSet queries = set.queries;
  for (std::size_t i = 0; i < queries.rows(); ++i) reinterpret_cast<float*>(queries.row(i))[3] += 4;
  index.calibrate(queries);
  EXPECT_EQ(index.calibration().queries, queries.rows());
  EXPECT_FALSE(index.calibration().stored_rows);
  for (std::size_t rank = 0; rank < kRanks.size(); ++rank) {
    const SearchResults truth = compute_ground_truth(set.vectors, queries, Distance::L2, kRanks[rank]);
    for (const ListMeasurement& list : index.calibration().lists) {
      if (list.search_list_size < kRanks[rank]) {
        EXPECT_EQ(list.recall[rank], 0.0);
        continue;
      }
      SearchStatistics statistics;
      const SearchResults found = index.search_batch(queries, kRanks[rank], {list.search_list_size}, {}, &statistics);
      EXPECT_NEAR(list.recall[rank], recall_at(index, queries, found, truth, kRanks[rank]), 1e-3) << kRanks[rank];
      EXPECT_NEAR(list.hops, static_cast<double>(statistics.hops) / 1000, 1e-3);
      EXPECT_LT(list.distance_computations, static_cast<double>(statistics.distance_computations) / 1000);
    }
  }
}

/// Recall@10 0.9 with a list of 10, 0.99 with 100, 0.999 with 1,000; half of what is missing for k = 1.
Calibration made_up() {
  Calibration calibration;
  calibration.queries = 1'000'000;
  calibration.k = {1, 10};
  calibration.rerank = {4, 16};
  for (const std::uint32_t size : {10u, 100u, 1000u})
    calibration.lists.push_back({size, 1, 1, {1 - 0.5 / size, 1 - 1.0 / size}, {}});
  return calibration;
}

TEST(ListSizeFor, FollowsPowersBetweenWhatWasMeasured) {
  const Calibration calibration = made_up();
  EXPECT_EQ(list_size_for(calibration, 0.9, 10), 10u);
  EXPECT_EQ(list_size_for(calibration, 0.99, 10), 100u);
  EXPECT_EQ(list_size_for(calibration, 0.95, 10), 20u);
  EXPECT_EQ(list_size_for(calibration, 0.995, 10), 200u);
  EXPECT_EQ(list_size_for(calibration, 0.995, 1), 100u);
  EXPECT_EQ(list_size_for(calibration, 0.5, 10), 10u);
  EXPECT_EQ(list_size_for(calibration, 0.999, 10), 1000u);
  EXPECT_EQ(list_size_for(calibration, 0.9991, 10), std::nullopt);
  EXPECT_EQ(list_size_for(calibration, 0.9991, 1), 556u);
  // Of k between by powers, beyond in proportion, and never below k.
  EXPECT_EQ(list_size_for(calibration, 0.99, 3),
            static_cast<std::uint32_t>(std::ceil(50 * std::pow(3, std::log10(2)))));
  EXPECT_EQ(list_size_for(calibration, 0.99, 25), 250u);
  EXPECT_EQ(list_size_for(calibration, 0.5, 12), 12u);
  EXPECT_EQ(list_size_for(calibration, 0.5, std::numeric_limits<std::size_t>::max()), base::kMaxSlots);
}

TEST(KeptFor, IsWhatWasNeededAndKAtLeast) {
  const Calibration calibration = made_up();
  EXPECT_EQ(kept_for(calibration, 10), 16u);
  EXPECT_EQ(kept_for(calibration, 1), 4u);
  EXPECT_EQ(kept_for(calibration, 3), 8u);  // 4 * 3^log10(4), rounded up
  EXPECT_EQ(kept_for(calibration, 200), 320u);
  EXPECT_EQ(kept_for(Calibration(), 40), 40u);
}

TEST(Calibration, IsKeptInTheFile) {
  const SyntheticSet set = drawn();
  const std::string path = scratch_path("calibrated.idx");
  for (const Codec codec : {Codec::None, Codec::SQ4}) {
    const Index index = built(set.vectors, Distance::Cosine, codec);
    index.save(path, true);
    const Index opened = Index::open(path);
    const Calibration &before = index.calibration(), &after = opened.calibration(),
                      &read = inspect_index(path).calibration;
    for (const Calibration* one : {&after, &read}) {
      EXPECT_EQ(one->queries, before.queries);
      EXPECT_EQ(one->k, before.k);
      EXPECT_EQ(one->rerank, before.rerank);
      EXPECT_EQ(one->rerank.empty(), codec == Codec::None);
      ASSERT_EQ(one->lists.size(), before.lists.size());
      for (std::size_t i = 0; i < before.lists.size(); ++i) {
        EXPECT_EQ(one->lists[i].search_list_size, before.lists[i].search_list_size);
        EXPECT_EQ(one->lists[i].hops, before.lists[i].hops);
        EXPECT_EQ(one->lists[i].distance_computations, before.lists[i].distance_computations);
        EXPECT_EQ(one->lists[i].recall, before.lists[i].recall);
        EXPECT_EQ(one->lists[i].compared, before.lists[i].compared);
        EXPECT_EQ(one->lists[i].compared.size(), codec == Codec::None ? 0u : one->k.size());
      }
    }
    EXPECT_EQ(opened.search(set.queries.view().slice(0, 1), 10, {.target_recall = 0.95f}),
              index.search(set.queries.view().slice(0, 1), 10, {.target_recall = 0.95f}));
  }
  std::filesystem::remove(path);
}

TEST(Calibration, IsTheSameAtEveryThreadCount) {
  const SyntheticSet set = drawn(VectorType::U8);
  Index index = built(set.vectors, Distance::L2, Codec::SQ4);
  std::string texts[2];
  for (const unsigned threads : {1u, 3u}) {
    Execution execution;
    execution.threads = threads;
    index.calibrate({}, execution);
    texts[threads / 2] = meta_to_json(index.state());
  }
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_NE(texts[0].find("calibration"), std::string::npos);
}

TEST(Calibration, DamagedIsRefused) {
  const std::string good = meta_to_json(built(drawn().vectors, Distance::L2, Codec::SQ4).state());
  EXPECT_NO_THROW(meta_from_json(good, "x"));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const std::size_t at = text.find(from, text.find("\"calibration\""));
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"\"queries\": 256", "\"queries\": 0"},
           {"\"queries\": 256", "\"queries\": \"many\""},
           {"\"stored_rows\": true", "\"stored_rows\": 1"},
           {"\"k\": [", "\"k\": [0,"},
           {"\"k\": [", "\"k\": [7,"},
           {"\"k\": [", "\"k\": [\"one\","},
           {"\"k\": [", "\"kk\": ["},
           {"\"rerank\": [", "\"rerank\": [1,"},
           {"\"lists\": [", "\"lists\": [7,"},
           {"\"lists\": [", "\"lists\": 7, \"other\": ["},
           {"\"search_list_size\": 10", "\"search_list_size\": 0"},
           {"\"search_list_size\": 10", "\"search_list_size\": 99999"},
           {"\"hops\": ", "\"hops\": \"a\", \"was\": "},
           {"\"recall\": [", "\"recall\": [1.5,"},
           {"\"recall\": [", "\"recall\": [], \"other\": ["},
           {"\"compared\": [", "\"compared\": [1,"},
           {"\"compared\": [", "\"compared\": 1, \"other\": ["},
       }) {
    EXPECT_EQ(code_of([&] { meta_from_json(with(from, to), "x"); }), ErrorCode::Corrupt) << from << " → " << to;
  }
  // What is measured falls where one neighbour stands far behind in its list.
  const std::size_t at = good.find("\"rerank\""), end = good.find(']', at);
  const std::string falling = std::string(good).replace(at, end + 1 - at, "\"rerank\": [30, 10, 100]");
  EXPECT_EQ(meta_from_json(falling, "x").calibration.rerank, (std::vector<std::uint32_t>{30, 10, 100}));
}

TEST(Calibration, RefusesWhatCannotBe) {
  const SyntheticSet set = drawn(VectorType::F32, 500);
  Index index = built(set.vectors, Distance::L2, Codec::None);
  const VectorView query = set.queries.view().slice(0, 1);
  for (const float target : {0.0f, -1.0f, 1.01f, std::nanf("")})
    EXPECT_EQ(code_of([&] { index.search(query, 10, {.target_recall = target}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.range_search(query, 1, {.target_recall = 0.9f}); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { index.calibrate(std::vector<float>(7)); }), ErrorCode::DimensionMismatch);
  EXPECT_EQ(code_of([&] { index.calibrate(std::vector<float>(24, NAN)); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { IndexBuilder().tuning_queries(std::vector<float>(7)).check_shape(5, 24); }),
            ErrorCode::DimensionMismatch);
  std::vector<float> tuning(48, 1.0f);
  tuning[30] = NAN;
  IndexBuilder tuned;
  tuned.tuning_queries({tuning.data(), 2, 24});
  EXPECT_EQ(code_of([&] { tuned.check_shape(500, 24); }), ErrorCode::InvalidArgument);
  const std::shared_ptr<const DistanceFunction> function = create_distance_function(Distance::L2, 24);
  Index custom = IndexBuilder().distance_function(function).build_from_vectors(set.vectors);
  EXPECT_EQ(code_of([&] { custom.calibrate(); }), ErrorCode::Unsupported);
  EXPECT_EQ(code_of([&] { custom.search(query, 10, {.target_recall = 0.9f}); }), ErrorCode::Unsupported);
}

TEST(Calibration, OfFewPoints) {
  const VectorSet few = doubles::clustered(VectorType::F32, 135, 8, 1);
  for (const std::size_t rows : {1u, 2u, 5u, 30u, 120u, 135u}) {
    for (const Codec codec : {Codec::None, Codec::F16, Codec::SQ4, Codec::Auto}) {
      const Index index = IndexBuilder().quantize(codec).build_from_vectors(few.view().slice(0, rows));
      for (const std::size_t k : {1u, 10u, 50u, 100u}) {
        const SearchResults found = index.search_batch(few.view().slice(0, 1), k, {.target_recall = 1.0f});
        EXPECT_EQ(found.ids[0], 0u);
        EXPECT_TRUE(found.has_hit(0, std::min<std::size_t>(k, rows) - 1));
      }
    }
  }
  EXPECT_EQ(list_size_for(Calibration(), 0.9, 10), std::nullopt);
}

}  // namespace
}  // namespace diskann::index
