// Searches that walk by codes: their hits are exact, and hardly one fewer is found than by the vectors themselves.
#include "index/codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "diskann/distance.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "index/code_layout.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "scratch.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::index {
namespace {

using diskann::testing::kMetrics;
using diskann::testing::set_component;

constexpr Codec kCodecs[] = {Codec::F16,     Codec::SQ8,     Codec::SQ4, Codec::LVQ8, Codec::Mix,
                             Codec::RaBitQ2, Codec::RaBitQ5, Codec::PQ4, Codec::PQ8};

double component(const VectorSet& set, std::size_t row, std::size_t column) {
  return distance::component(set.row(row), set.type(), column);
}

struct Data {
  std::string name;
  VectorSet base, queries;
};

VectorSet as_type(const VectorSet& set, VectorType type) {
  VectorSet other(type, set.rows(), set.dimension());
  for (std::size_t i = 0; i < set.rows(); ++i)
    for (std::size_t j = 0; j < set.dimension(); ++j) set_component(other, i, j, component(set, i, j));
  return other;
}

Data synthetic(const std::string& name, VectorType type, SyntheticShape shape, std::uint32_t clusters, float spread) {
  SyntheticOptions options;
  options.rows = 1000;
  options.queries = 1000;
  options.dimension = 32;
  options.type = type;
  options.clusters = clusters;
  options.spread = spread;
  options.shape = shape;
  SyntheticSet set = generate_clustered(options);
  return {name, std::move(set.vectors), std::move(set.queries)};
}

/// What codes are likely to be bad at.
std::vector<Data> hard_sets(VectorType type) {
  std::vector<Data> sets;
  sets.push_back(synthetic("clusters", type, SyntheticShape::Plain, 40, 0.1f));
  sets.push_back(synthetic("wide norms", type, SyntheticShape::LogNormal, 0, 1));
  sets.push_back(synthetic("a falling spectrum", type, SyntheticShape::Decay, 0, 1));
  Data constant = synthetic("constant components", type, SyntheticShape::Plain, 0, 1);
  Data hot = synthetic("nearly one-hot", type, SyntheticShape::Plain, 0, 1);
  for (VectorSet* set : {&constant.base, &constant.queries}) {
    for (std::size_t i = 0; i < set->rows(); ++i)
      for (std::size_t j = 0; j < set->dimension(); j += 2) set_component(*set, i, j, j < 16 ? 7.5 : 0.0);
  }
  for (VectorSet* set : {&hot.base, &hot.queries}) {
    for (std::size_t i = 0; i < set->rows(); ++i)
      for (std::size_t j = 0; j < set->dimension(); ++j)
        set_component(*set, i, j, component(*set, i, j) * (j == i * 7 % 32 ? 8 : 0.05));
  }
  sets.push_back(std::move(constant));
  sets.push_back(std::move(hot));
  return sets;
}

double recall_of(const Index& index, const Data& data, const SearchResults& truth) {
  return recall_at(index, data.queries, index.search_batch(data.queries, 10, {100}), truth, 10);
}

Index build(const VectorSet& base, Distance metric, Codec codec) {
  return IndexBuilder().metric(metric).max_degree(24).quantize(codec).build_from_vectors(base);
}

class CodesOfType : public ::testing::TestWithParam<VectorType> {};

TEST_P(CodesOfType, LoseHalfAPointOfRecallAtMost) {
  const VectorType type = GetParam();
  int tried = 0, refused = 0, turn = 0;
  for (const Data& data : hard_sets(type)) {
    for (const Distance metric : kMetrics) {
      const SearchResults truth = compute_ground_truth(data.base, data.queries, metric, 10);
      const double exact = recall_of(build(data.base, metric, Codec::None), data, truth);
      for (const Codec codec : kCodecs) {
        if (!has_codes(codec, type, 32)) continue;
        // Other types than f32 differ in how they are read alone: every second case of theirs will do.
        if (type != VectorType::F32 && ++turn % 2 == 0) continue;
        const Index index = build(data.base, metric, codec);
        ++tried;
        if (index.codec() != codec) ++refused;
        EXPECT_GE(recall_of(index, data, truth), exact - 0.005 - 1e-9)
            << data.name << ", " << to_string(type) << ", " << to_string(metric) << ", " << to_string(codec);
      }
    }
  }
  // Components that nearly all rows share leave 8 bits of unit rows little room, one-hot rows 4 bits.
  EXPECT_LE(refused, tried / 6);
}

INSTANTIATE_TEST_SUITE_P(All, CodesOfType,
                         ::testing::Values(VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8));

TEST(Codes, GiveExactDistancesInOrder) {
  const Data data = synthetic("clusters", VectorType::F32, SyntheticShape::Plain, 40, 0.1f);
  for (const Distance metric : kMetrics) {
    const Index exact = build(data.base, metric, Codec::None);
    for (const Codec codec : kCodecs) {
      const Index index = build(data.base, metric, codec);
      const SearchResults batch = index.search_batch(data.queries, 10, {40});
      for (std::size_t q = 0; q < data.queries.rows(); q += 7) {
        const VectorView query = data.queries.view().slice(q, 1);
        const std::vector<Hit> hits = index.search(query, 10, {40});
        ASSERT_EQ(hits.size(), 10u);
        ASSERT_TRUE(std::is_sorted(hits.begin(), hits.end()));
        for (std::size_t i = 0; i < hits.size(); ++i) {
          float distance = 0;
          exact.distances(query, std::span(&hits[i].id, 1), std::span(&distance, 1));
          ASSERT_EQ(hits[i].distance, distance) << to_string(metric) << " " << to_string(codec);
          ASSERT_EQ(hits[i].id, batch.ids_of(q)[i]);
          index.distances(query, std::span(&hits[i].id, 1), std::span(&distance, 1));
          ASSERT_EQ(hits[i].distance, distance);
        }
        // With room for all it is exact search.
        ASSERT_EQ(index.search(query, 10, {1000}), exact.search(query, 10, {1000}));
        ASSERT_EQ(index.range_search(query, hits[4].distance, {1000}),
                  exact.range_search(query, hits[4].distance, {1000}));
      }
    }
  }
}

TEST(Codes, FindNeighboursOfQueriesFarOutside) {
  Data data = synthetic("clusters", VectorType::F32, SyntheticShape::Plain, 40, 0.1f);
  for (const double far : {3.0, -20.0, 1e6, 1e18}) {
    VectorSet queries = as_type(data.queries, VectorType::F32);
    for (std::size_t i = 0; i < queries.rows(); ++i)
      for (std::size_t j = 0; j < 32; j += 5) set_component(queries, i, j, component(queries, i, j) + far);
    const Data moved{"moved", as_type(data.base, VectorType::F32), std::move(queries)};
    for (const Distance metric : kMetrics) {
      const SearchResults truth = compute_ground_truth(moved.base, moved.queries, metric, 10);
      const double exact = recall_of(build(moved.base, metric, Codec::None), moved, truth);
      for (const Codec codec : {Codec::SQ8, Codec::SQ4, Codec::LVQ8, Codec::Mix, Codec::RaBitQ5}) {
        const Index index = build(moved.base, metric, codec);
        EXPECT_EQ(index.codec(), codec);
        EXPECT_GE(recall_of(index, moved, truth), exact - 0.02)
            << far << " " << to_string(metric) << " " << to_string(codec);
      }
    }
  }
}

TEST(Codes, FindTheSameForQueriesOfAnyLength) {
  const Data data = synthetic("clusters", VectorType::F32, SyntheticShape::Plain, 40, 0.1f);
  for (const double length : {1e-35, 1e-15, 1e15}) {
    VectorSet queries = as_type(data.queries, VectorType::F32);
    for (std::size_t i = 0; i < queries.rows(); ++i)
      for (std::size_t j = 0; j < 32; ++j) set_component(queries, i, j, component(queries, i, j) * length);
    for (const Distance metric : {Distance::Cosine, Distance::InnerProduct}) {
      for (const Codec codec : {Codec::SQ8, Codec::SQ4, Codec::LVQ8, Codec::Mix, Codec::RaBitQ5}) {
        if (metric == Distance::Cosine && length == 1e-35) continue;  // f32 has no |q|^2 for them
        const Index index = build(data.base, metric, codec);
        EXPECT_EQ(index.codec(), codec);
        const SearchResults truth = compute_ground_truth(data.base, data.queries, metric, 10);
        const auto share = [&](const VectorSet& of) {
          const SearchResults found = index.search_batch(of, 10, {40});
          return recall_at({found.rows, 10, found.ids, {}}, {truth.rows, 10, truth.ids, {}}, 10);
        };
        EXPECT_GE(share(queries), share(data.queries) - 0.01)
            << length << " " << to_string(metric) << " " << to_string(codec);
      }
    }
  }
}

TEST(Codes, TakeEveryQueryThatVectorsTake) {
  const VectorSet base = doubles::clustered(VectorType::F32, 500, 8, 1);
  for (const Distance metric : kMetrics) {
    for (const Codec codec : kCodecs) {
      const Index index = build(base, metric, codec), exact = build(base, metric, Codec::None);
      for (const float value : {0.0f, 1e-45f, 1e-40f, 1e-20f, -1e18f, 6e18f}) {
        std::vector<float> query(8, 0.0f);
        query[3] = value;
        EXPECT_EQ(index.search(query, 20, {500}), exact.search(query, 20, {500})) << value << to_string(metric);
      }
      const std::vector<std::uint8_t> bytes(8, 3);
      EXPECT_EQ(index.search(bytes, 20, {500}), exact.search(bytes, 20, {500}));
    }
  }
}

TEST(Codes, AreLeftOutWhereTheyTellNothingApart) {
  VectorSet line(VectorType::F32, 30000, 1), far = doubles::clustered(VectorType::F32, 600, 8, 1);
  for (std::size_t i = 0; i < 30000; ++i) set_component(line, i, 0, static_cast<double>(i) / 30000);
  set_component(far, 7, 3, 1e6);
  VectorSet tiny = doubles::clustered(VectorType::F32, 600, 8, 1);
  for (std::size_t i = 0; i < 600; ++i)
    for (std::size_t j = 0; j < 8; ++j) set_component(tiny, i, j, 3e-10 * component(tiny, i, j));
  EXPECT_EQ(build(line, Distance::L2, Codec::SQ8).codec(), Codec::None);
  EXPECT_EQ(build(far, Distance::L2, Codec::SQ8).codec(), Codec::None);
  for (const Distance metric : kMetrics) {
    EXPECT_EQ(build(tiny, metric, Codec::F16).codec(), Codec::None);
    EXPECT_EQ(build(tiny, metric, Codec::SQ8).codec(), Codec::SQ8);
  }
  VectorSet subnormal(VectorType::F32, 600, 4), few = doubles::clustered(VectorType::F32, 40, 8, 1);
  for (std::size_t i = 0; i < 600; ++i)
    for (std::size_t j = 0; j < 4; ++j)
      set_component(subnormal, i, j, 1e-45 * static_cast<double>((7 * i + j * i) % 91));
  set_component(few, 39, 3, 1e6);
  for (const Codec codec : {Codec::SQ4, Codec::Mix})
    EXPECT_EQ(build(subnormal, Distance::L2, codec).codec(), Codec::None);
  for (const Codec codec : {Codec::SQ8, Codec::SQ4}) EXPECT_EQ(build(few, Distance::L2, codec).codec(), Codec::None);
  VectorSet one_long = doubles::clustered(VectorType::F32, 600, 8, 1);
  for (const double factor : {1e3, 1e5}) {  // 1e8 in all
    for (std::size_t j = 0; j < 8; ++j) set_component(one_long, 7, j, factor * component(one_long, 7, j));
    EXPECT_EQ(build(one_long, Distance::InnerProduct, Codec::SQ8).codec(), factor < 1e4 ? Codec::SQ8 : Codec::None);
  }
}

TEST(Codes, GrowTheListOfARangeUntilItsBorderIsOutside) {
  const Data data = synthetic("clusters", VectorType::F32, SyntheticShape::Plain, 5, 0.1f);
  for (const Codec codec : kCodecs) {
    const Index index = build(data.base, Distance::L2, codec), exact = build(data.base, Distance::L2, Codec::None);
    for (std::size_t q = 0; q < 40; ++q) {
      const VectorView query = data.queries.view().slice(q, 1);
      const float radius = exact.search(query, 300, {600}).back().distance;
      const std::size_t wanted = exact.range_search(query, radius, {50}).size();
      EXPECT_GE(index.range_search(query, radius, {50}).size() * 100, wanted * 98) << to_string(codec);
    }
  }
}

TEST(Codes, GiveTheSameWithIdsAndTwinsAtEveryThreadCount) {
  VectorSet base = doubles::clustered(VectorType::F32, 1200, 12, 5);
  for (std::size_t i = 1; i < base.rows(); i += 3) std::copy_n(base.row(i - 1), base.row_bytes(), base.row(i));
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < base.rows(); ++i) ids.push_back(900'000 - 7 * i);
  const std::string first = scratch_path("one.idx"), second = scratch_path("three.idx");
  for (const Distance metric : kMetrics) {
    const auto with = [&](unsigned threads, Codec codec) {
      Execution execution;
      execution.threads = threads;
      return IndexBuilder()
          .metric(metric)
          .max_degree(16)
          .ids(ids)
          .quantize(codec)
          .execution(execution)
          .build_from_vectors(base);
    };
    const Index exact = with(1, Codec::None);
    for (const Codec codec : kCodecs) {
      const Index one = with(1, codec), three = with(3, codec);
      one.save(first, true);
      three.save(second, true);
      EXPECT_EQ(bytes_of_file(first), bytes_of_file(second));
      const VectorSet queries = doubles::clustered(VectorType::F32, 30, 12, 6);
      const SearchResults batch = three.search_batch(queries, 10, {1200});
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const std::vector<Hit> hits = exact.search(queries.view().slice(q, 1), 10, {1200});
        EXPECT_EQ(one.search(queries.view().slice(q, 1), 10, {1200}), hits);
        for (std::size_t i = 0; i < hits.size(); ++i) EXPECT_EQ(batch.ids_of(q)[i], hits[i].id);
      }
    }
  }
}

TEST(Codes, AreLeftOutWhereRowsAreAsSmall) {
  const auto codec_of = [](const VectorSet& set, Codec codec) { return build(set, Distance::L2, codec).codec(); };
  for (const VectorType type : {VectorType::U8, VectorType::I8}) {
    const VectorSet bytes = doubles::clustered(type, 300, 8, 1);
    EXPECT_EQ(codec_of(bytes, Codec::SQ8), Codec::None);
    EXPECT_EQ(codec_of(bytes, Codec::F16), Codec::None);
  }
  const VectorSet halves = doubles::clustered(VectorType::F16, 300, 8, 1);
  EXPECT_EQ(codec_of(halves, Codec::F16), Codec::None);
  EXPECT_EQ(codec_of(halves, Codec::SQ8), Codec::SQ8);
  VectorSet equal(VectorType::F32, 300, 8);
  for (std::size_t i = 0; i < 300; ++i)
    for (std::size_t j = 0; j < 8; ++j) set_component(equal, i, j, 0.3);
  const Index index = build(equal, Distance::L2, Codec::SQ8);
  EXPECT_EQ(index.codec(), Codec::None);
  EXPECT_EQ(index.search(equal.view().slice(0, 1), 20).size(), 20u);
}

TEST(Codes, RefuseWhatHasNone) {
  VectorSet large = doubles::clustered(VectorType::F32, 300, 8, 1);
  set_component(large, 7, 3, 1e5);
  EXPECT_THROW(build(large, Distance::L2, Codec::F16), Error);
  std::shared_ptr<const DistanceFunction> function = create_distance_function(Distance::L2, 8);
  IndexBuilder builder;
  builder.distance_function(std::move(function)).quantize(Codec::SQ8);
  EXPECT_THROW(builder.check_parameters(), Error);
  EXPECT_THROW(parse_codec("sq9"), Error);
  for (const Codec codec : kCodecs) EXPECT_EQ(parse_codec(to_string(codec)), codec);
}

TEST(Codes, SearchAnIndexOfOnePoint) {
  const VectorSet one = doubles::clustered(VectorType::F32, 1, 5, 3);
  for (const Distance metric : kMetrics) {
    for (const Codec codec : kCodecs) {
      const std::vector<Hit> hits = build(one, metric, codec).search(one, 3);
      ASSERT_EQ(hits.size(), 1u);
      EXPECT_EQ(hits[0].id, 0u);
    }
  }
}

TEST(Codes, FindNothingWhereNothingIsWanted) {
  const VectorSet base = doubles::clustered(VectorType::F32, 500, 8, 1);
  for (const Codec codec : kCodecs) {
    const Index index = build(base, Distance::L2, codec);
    EXPECT_EQ(index.search_batch(base, 0).ids.size(), 0u);
    EXPECT_TRUE(index.search(base.view().slice(0, 1), 0).empty());
  }
}

TEST(Codes, FindTheSameInBatchesHoweverFarComparingGoesOn) {
  Data data = synthetic("clusters", VectorType::F32, SyntheticShape::Plain, 40, 0.1f);
  for (std::size_t i = 0; i < data.queries.rows(); ++i)  // queries from elsewhere
    for (std::size_t j = 0; j < 32; j += 5) set_component(data.queries, i, j, component(data.queries, i, j) - 20.0);
  for (std::size_t i = 1; i < data.base.rows(); i += 5)
    std::copy_n(data.base.row(i - 1), data.base.row_bytes(), data.base.row(i));
  for (const Distance metric : kMetrics) {
    const Index index = build(data.base, metric, Codec::SQ4);
    for (const std::size_t k : {1u, 10u, 40u}) {
      const SearchResults batch = index.search_batch(data.queries, k, {60});
      for (std::size_t q = 0; q < data.queries.rows(); q += 11) {
        const std::vector<Hit> hits = index.search(data.queries.view().slice(q, 1), k, {60});
        ASSERT_EQ(hits.size(), k);
        for (std::size_t i = 0; i < k; ++i) ASSERT_EQ(hits[i], (Hit{batch.ids_of(q)[i], batch.distances_of(q)[i]}));
      }
    }
  }
}

TEST(Codes, ByTrialAreTakenWhereWalksByRowsAreLong) {
  SyntheticOptions options;
  options.rows = 20'000;
  options.dimension = 128;
  options.clusters = 0;  // so many directions that no list of 100 finds nine in ten
  const VectorSet base = generate_clustered(options).vectors;
  EXPECT_NE(IndexBuilder().max_degree(16).build_from_vectors(base).codec(), Codec::None);
}

TEST(Codes, StandForTheRows) {
  for (const std::size_t dimension : {32u, 150u}) {
    const VectorSet base = doubles::clustered(VectorType::F32, 400, dimension, 3);
    const base::RowStore rows = doubles::store_of(base);
    base::ThreadTeam team({});
    for (const Distance metric : kMetrics) {
      for (const Codec codec : kCodecs) {
        const Codes codes = make_codes(codec, metric, rows, team);
        const auto walk = codes.walk();
        const bool unit =
            metric == Distance::Cosine ||
            (metric == Distance::InnerProduct && (codec == Codec::SQ8 || codec == Codec::SQ4 || codec == Codec::Mix));
        double lost = 0, all = 0;
        std::vector<float> values(dimension);
        for (base::Slot i = 0; i < 400; i += 9) {
          double square = 0;
          for (std::size_t j = 0; j < dimension; ++j) square += std::pow(component(base, i, j), 2);
          walk->decode(i, values.data());
          for (std::size_t j = 0; j < dimension; ++j) {
            const double value = component(base, i, j) / (unit && codec != Codec::F16 ? std::sqrt(square) : 1.0);
            lost += std::pow(value - static_cast<double>(values[j]), 2);
            all += value * value;
          }
        }
        const double most = codec == Codec::RaBitQ2 || codec == Codec::PQ4 || codec == Codec::PQ8 ? 0.2
                            : codec == Codec::SQ4 || codec == Codec::Mix                          ? 0.05
                                                                                                  : 0.005;
        EXPECT_LT(lost, most * all) << dimension << to_string(metric) << to_string(codec);
      }
    }
  }
}

}  // namespace
}  // namespace diskann::index
