#include "graph/partition.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "distance/norms.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::graph {
namespace {

struct Carved {
  std::vector<Partitioner::Rows> leaves;
  Partitioner::Rows order;
};

Carved carve(const VectorSet& set, Distance metric, const PartitionShape& shape, unsigned threads = 2) {
  const base::RowStore store = doubles::store_of(set);
  std::vector<float> norms(set.rows());
  distance::inverse_norms(store, 0, set.rows(), norms.data());
  Execution execution;
  execution.threads = threads;
  base::ThreadTeam team(execution);
  const KernelSpace space(metric, store, metric == Distance::Cosine ? norms.data() : nullptr);
  Partitioner partitioner(space, shape, team);
  auto clusters = partitioner.carve_all(7, execution);
  Carved carved;
  for (std::size_t i = 0; i < clusters.size(); ++i)
    partitioner.carve(0, clusters[i], 100 + i, [&](const Partitioner::Rows& leaf) { carved.leaves.push_back(leaf); });
  carved.order = partitioner.order();
  return carved;
}

void check_leaves(const Carved& carved, std::size_t rows, const PartitionShape& shape, const std::string& what) {
  std::vector<std::size_t> memberships(rows);
  for (const auto& leaf : carved.leaves) {
    EXPECT_LE(leaf.size(), shape.leaf_rows) << what;
    EXPECT_EQ(std::set<Slot>(leaf.begin(), leaf.end()).size(), leaf.size()) << what << ": a row twice in a leaf";
    for (const Slot row : leaf) ++memberships[row];
  }
  EXPECT_GE(*std::min_element(memberships.begin(), memberships.end()), 1u) << what << ": a row in no leaf";
  EXPECT_LE(*std::max_element(memberships.begin(), memberships.end()), shape.fanouts[0] * shape.fanouts[1]) << what;
  Partitioner::Rows sorted = carved.order;
  std::sort(sorted.begin(), sorted.end());
  ASSERT_EQ(sorted.size(), rows) << what;
  for (std::size_t i = 0; i < rows; ++i) ASSERT_EQ(sorted[i], i) << what << ": not all rows, or one twice";
}

TEST(Partitioner, PutsEveryRowIntoLeavesOfBoundedSize) {
  const PartitionShape shape{{4, 2}, 64};
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      for (const std::size_t rows : {1u, 64u, 65u, 700u, 5000u}) {
        const Carved carved = carve(doubles::clustered(type, rows, 9, rows), metric, shape);
        check_leaves(carved, rows, shape,
                     std::string(to_string(type)) + ' ' + std::string(to_string(metric)) + ' ' + std::to_string(rows));
      }
    }
  }
}

TEST(Partitioner, ComparesAboutAsMuchAsExpected) {
  // From one leaf over clusters that are mostly leaves to clusters that are all carved again: there are 1,000 leaders
  // at most, so that clusters of 64 rows take 16,000 rows and fanout 4. Leaves are compared whole, carving is left out.
  const PartitionShape shape{{4, 2}, 64};
  for (const std::size_t rows : {64u, 1000u, 8000u, 16'000u, 40'000u}) {
    const Carved carved = carve(doubles::clustered(VectorType::U8, rows, 12, 5), Distance::L2, shape);
    double found =
        rows <= shape.leaf_rows
            ? 0.0
            : static_cast<double>(rows) * std::min(1000.0, std::ceil(static_cast<double>(rows) * 4 / (0.6 * 64)));
    for (const auto& leaf : carved.leaves) found += static_cast<double>(leaf.size()) * static_cast<double>(leaf.size());
    const double expected = expected_comparisons(rows, shape);
    EXPECT_GT(expected, 0.75 * found) << rows;
    EXPECT_LT(expected, 1.25 * found) << rows;
  }
  EXPECT_EQ(expected_comparisons(1, shape), 1.0);
  // Ten times the rows where every cluster is carved again, and so is not the growth between.
  EXPECT_NEAR(expected_comparisons(1'000'000, {}) / expected_comparisons(500'000, {}), 2.0, 0.1);
  EXPECT_GT(expected_comparisons(1'000'000, {}) / expected_comparisons(10'000, {}), 150.0);
}

TEST(Partitioner, EndsOnRowsThatItCannotTellApart) {
  const PartitionShape shape{{4, 2}, 64};
  VectorSet equal(VectorType::U8, 3000, 5);
  check_leaves(carve(equal, Distance::L2, shape), 3000, shape, "all equal");
  check_leaves(carve(equal, Distance::Cosine, shape), 3000, shape, "all zero, by cosine");
  equal.row(1717)[2] = std::byte{200};
  check_leaves(carve(equal, Distance::L2, shape), 3000, shape, "all but one equal");
  // Squared distances that overflow f32.
  VectorSet far(VectorType::F32, 3000, 2);
  for (std::size_t i = 0; i < 3000; ++i) {
    auto* row = reinterpret_cast<float*>(far.row(i));
    row[0] = i % 2 == 0 ? 1.8e19f : -1.8e19f;
    row[1] = static_cast<float>(i);
  }
  check_leaves(carve(far, Distance::L2, shape), 3000, shape, "far apart");
}

TEST(Partitioner, KeepsNeighborsTogether) {
  // Of uniform rows on a line, those next to each other should share a leaf far more often than chance would have it.
  VectorSet line(VectorType::F32, 4000, 1);
  for (std::size_t i = 0; i < 4000; ++i) reinterpret_cast<float*>(line.row(i))[0] = static_cast<float>(i);
  const Carved carved = carve(line, Distance::L2, {{4, 2}, 64});
  std::set<std::pair<Slot, Slot>> together;
  for (auto leaf : carved.leaves) {
    std::sort(leaf.begin(), leaf.end());
    for (std::size_t i = 1; i < leaf.size(); ++i)
      if (leaf[i] == leaf[i - 1] + 1) together.insert({leaf[i - 1], leaf[i]});
  }
  EXPECT_GE(together.size(), 3990u) << "of 3999 pairs";
}

TEST(Partitioner, CarvesTheSameAtEveryThreadCount) {
  const VectorSet set = doubles::clustered(VectorType::F32, 6000, 12, 3);
  const Carved one = carve(set, Distance::L2, {{4, 2}, 64}, 1), three = carve(set, Distance::L2, {{4, 2}, 64}, 3);
  EXPECT_EQ(one.leaves, three.leaves);
  EXPECT_EQ(one.order, three.order);
}

}  // namespace
}  // namespace diskann::graph
