#include "graph/augmented_space.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/doubles/test_data.hpp"

namespace diskann::graph {
namespace {

double component(const VectorSet& set, std::size_t row, std::size_t column) {
  const std::byte* at = set.row(row) + column * size_of(set.type());
  switch (set.type()) {
    case VectorType::F32: return *reinterpret_cast<const float*>(at);
    case VectorType::F16: return static_cast<float>(*reinterpret_cast<const float16*>(at));
    case VectorType::I8: return *reinterpret_cast<const std::int8_t*>(at);
    default: return *reinterpret_cast<const std::uint8_t*>(at);
  }
}

double product(const VectorSet& set, std::size_t a, std::size_t b) {
  double sum = 0;
  for (std::size_t j = 0; j < set.dimension(); ++j) sum += component(set, a, j) * component(set, b, j);
  return sum;
}

TEST(AugmentedSpace, MeasuresRowsOfOneLength) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    const VectorSet set = doubles::clustered(type, 60, 21, 5);
    const base::RowStore store = doubles::store_of(set);
    const AugmentedSpace space(store);
    std::vector<Slot> slots(set.rows());
    std::iota(slots.begin(), slots.end(), Slot{0});
    double greatest = 0;
    for (const Slot slot : slots) greatest = std::max(greatest, product(set, slot, slot));
    EXPECT_FLOAT_EQ(space.squared_length(), static_cast<float>(greatest));

    AugmentedSpace::Buffer buffer(set.dimension());
    std::vector<float> scores(slots.size()), block(slots.size());
    for (const Slot from : slots) {
      const AugmentedSpace::Query query = space.stored_query(from, buffer);
      space.score(query, slots.data(), slots.size(), scores.data());
      space.score_block(query, store, space.norms(), 0, slots.size(), block.data());
      for (const Slot to : slots) {
        const double own = std::sqrt(greatest - product(set, from, from));
        const double its = std::sqrt(greatest - product(set, to, to));
        const double expected = 2 * (greatest - product(set, from, to) - own * its);
        EXPECT_NEAR(scores[to], expected, 1e-5 * greatest) << to_string(type) << ' ' << from << " to " << to;
        EXPECT_FLOAT_EQ(block[to], scores[to]) << to_string(type) << ' ' << from << " to " << to;
      }
      EXPECT_EQ(scores[from], 0.0f);
    }
  }
}

}  // namespace
}  // namespace diskann::graph
