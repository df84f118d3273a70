#include "graph/entry_points.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "graph/search.hpp"
#include "tests/graph/built_graph.hpp"

namespace diskann::graph {
namespace {

base::RowStore random_store(std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  base::RowStore store(VectorType::F32, rows, dimension);
  base::Random random(seed);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < dimension; ++j)
      reinterpret_cast<float*>(store.row(i))[j] = static_cast<float>(random.below(2000)) - 1000;
  return store;
}

double squared_distance(const base::RowsView& rows, Slot a, Slot b) {
  double sum = 0;
  for (std::size_t j = 0; j < rows.dimension; ++j) {
    const double difference =
        double{reinterpret_cast<const float*>(rows.row(a))[j]} - double{reinterpret_cast<const float*>(rows.row(b))[j]};
    sum += difference * difference;
  }
  return sum;
}

TEST(EntryPoints, FewAreAllLeaders) {
  const base::RowStore store = random_store(100, 8, 1);
  const KernelSpace space(Distance::L2, store, nullptr);
  for (const std::size_t count : {0u, 1u, 2u, 16u}) {
    std::vector<Slot> slots(count);
    std::iota(slots.begin(), slots.end(), Slot{3});
    const EntryPoints entry_points(space, slots);
    EXPECT_TRUE(std::equal(slots.begin(), slots.end(), entry_points.leaders().begin(), entry_points.leaders().end()));
    for (const Slot slot : slots) EXPECT_TRUE(entry_points.followers(slot).empty());
  }
}

TEST(EntryPoints, LeadersLieFarApartAndTheOthersFollowTheNearest) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    const base::RowStore store = random_store(200, 6, seed);
    const KernelSpace space(Distance::L2, store, nullptr);
    std::vector<Slot> slots(17 + seed * 4);
    std::iota(slots.begin(), slots.end(), static_cast<Slot>(seed));
    std::swap(slots.front(), slots.back());
    const EntryPoints entry_points(space, slots);
    const std::span<const Slot> leaders = entry_points.leaders();
    ASSERT_EQ(leaders.size(), 16u);
    EXPECT_EQ(leaders.front(), slots.front()) << "the medoid leads";

    const auto to_leaders = [&](Slot slot, std::size_t count) {
      double least = std::numeric_limits<double>::infinity();
      for (std::size_t i = 0; i < count; ++i) least = std::min(least, squared_distance(store, slot, leaders[i]));
      return least;
    };
    for (std::size_t i = 1; i < leaders.size(); ++i)
      for (const Slot slot : slots) EXPECT_LE(to_leaders(slot, i), to_leaders(leaders[i], i) * (1 + 1e-5));

    std::vector<Slot> all(leaders.begin(), leaders.end());
    for (const Slot leader : leaders) {
      for (const Slot follower : entry_points.followers(leader)) {
        EXPECT_LE(squared_distance(store, follower, leader), to_leaders(follower, 16) * (1 + 1e-5));
        all.push_back(follower);
      }
    }
    std::sort(all.begin(), all.end());
    std::sort(slots.begin(), slots.end());
    EXPECT_EQ(all, slots) << "each once";
    EXPECT_TRUE(entry_points.followers(199).empty()) << "no entry point";
  }
}

/// Every slot is a leader or follows one.
template <class Space>
void expect_all_once(const Space& space, std::vector<Slot> slots) {
  const EntryPoints entry_points(space, slots);
  std::vector<Slot> all(entry_points.leaders().begin(), entry_points.leaders().end());
  EXPECT_EQ(all.size(), 16u);
  EXPECT_EQ(all.front(), slots.front());
  for (const Slot leader : entry_points.leaders())
    all.insert(all.end(), entry_points.followers(leader).begin(), entry_points.followers(leader).end());
  EXPECT_TRUE(std::is_permutation(all.begin(), all.end(), entry_points.all().begin(), entry_points.all().end()));
  std::sort(all.begin(), all.end());
  std::sort(slots.begin(), slots.end());
  EXPECT_EQ(all, slots);
}

TEST(EntryPoints, AreGroupedByEveryMetric) {
  base::RowStore store = random_store(100, 8, 3);
  std::fill_n(store.row(5), 8 * sizeof(float), std::byte{0});
  std::vector<float> norms(100);
  distance::inverse_norms(store, 0, 100, norms.data());
  std::vector<Slot> slots(64);
  std::iota(slots.begin(), slots.end(), Slot{0});
  std::swap(slots[0], slots[9]);
  expect_all_once(KernelSpace(Distance::Cosine, store, norms.data()), slots);
  expect_all_once(KernelSpace(Distance::InnerProduct, store, nullptr), slots);

  class Chebyshev final : public DistanceFunction {
   public:
    float distance(std::span<const float> a, std::span<const float> b) const override {
      float most = 0;
      for (std::size_t i = 0; i < a.size(); ++i) most = std::max(most, std::abs(a[i] - b[i]));
      return most;
    }
    std::string name() const override { return "chebyshev"; }
  };
  const Chebyshev function;
  expect_all_once(CustomSpace(function, store), slots);
}

TEST(EntryPoints, EqualRowsAreGroupedToo) {
  const base::RowStore store(VectorType::U8, 40, 4);  // zeros
  const KernelSpace space(Distance::L2, store, nullptr);
  std::vector<Slot> slots(40);
  std::iota(slots.begin(), slots.end(), Slot{0});
  const EntryPoints entry_points(space, slots);
  EXPECT_EQ(entry_points.leaders().size(), 16u);
  EXPECT_EQ(entry_points.followers(0).size(), 24u);
}

TEST(EntryPoints, AWalkIsComparedWithLeadersAndTheFollowersOfTheNearest) {
  const base::RowStore store = random_store(500, 6, 7);
  const KernelSpace space(Distance::L2, store, nullptr);
  std::vector<Slot> slots(64);
  std::iota(slots.begin(), slots.end(), Slot{100});
  const EntryPoints entry_points(space, slots);
  base::Adjacency graph(500, 16);
  for (Slot node = 0; node < 500; ++node) graph.assign(node, {});
  SearchScratch scratch(500, 16);
  distance::QueryBuffer buffer(6);
  std::size_t fewer = 0;
  for (Slot row = 0; row < 100; ++row) {
    const Walk<KernelSpace> walk(space, graph, space.stored_query(row, buffer), entry_points, 64, scratch);
    const auto nearer = [&](Slot a, Slot b) {
      return squared_distance(store, row, a) < squared_distance(store, row, b);
    };
    const Slot nearest = *std::min_element(entry_points.leaders().begin(), entry_points.leaders().end(), nearer);
    std::vector<Slot> expected(entry_points.leaders().begin(), entry_points.leaders().end());
    const std::span<const Slot> followers = entry_points.followers(nearest);
    expected.insert(expected.end(), followers.begin(), followers.end());
    std::sort(expected.begin(), expected.end(), nearer);
    std::vector<Slot> met;
    for (const Candidate candidate : scratch.list.entries()) met.push_back(slot_of(candidate));
    EXPECT_EQ(met, expected);
    EXPECT_EQ(walk.statistics().distance_computations, expected.size());
    fewer += expected.size() < 64 ? 1 : 0;
  }
  EXPECT_GT(fewer, 90u);
}

}  // namespace
}  // namespace diskann::graph
