// Kernels for FMA4, whose processors nobody here has: all but that one instruction, which a multiplication and an
// addition stand in for, on any processor with AVX. tools/check_fma4 looks at the instruction itself.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "distance/targets.hpp"

#if (HWY_TARGETS & HWY_SSE4) && !defined(_WIN32)  // where GCC does not align stacks for AVX

#define DISKANN_FMA4_STAND_IN 1
#include "distance/kernels_fma4.cpp"
#include "distance/reference.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann::distance {
namespace {

using namespace testing;

constexpr Form kFloats{VectorType::F32, VectorType::F32};

class Fma4 : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!__builtin_cpu_supports("avx")) GTEST_SKIP() << "this processor has no AVX";
  }
};

TEST_F(Fma4, AgreesWithTheReference) {
  constexpr std::size_t kRows = 7;
  std::vector<std::size_t> dimensions{255, 784, 4096};
  for (std::size_t dimension = 1; dimension <= 66; ++dimension) dimensions.push_back(dimension);
  for (const std::size_t dimension : dimensions) {
    base::Random random(dimension);
    const base::RowStore store = random_rows(random, VectorType::F32, kRows, dimension);
    const PaddedQuery padded_query(random, kFloats, dimension);
    const Query& query = padded_query.query();
    std::vector<float> inverses(kRows), found(kRows);
    inverse_norms(store, 0, kRows, inverses.data());
    for (const Distance metric : kMetrics) {
      SCOPED_TRACE(describe("FMA4", kFloats, metric, dimension));
      N_FMA4_STAND_IN::find_float(metric, VectorType::F32)
          ->block(query, store, inverses.data(), 0, kRows, found.data());
      for (std::size_t i = 0; i < kRows; ++i) {
        const std::byte* row = store.view().row(i);
        double magnitudes = 1e-30;
        for (std::size_t j = 0; j < dimension; ++j) {
          const double x = component(query.data, VectorType::F32, j), y = component(row, VectorType::F32, j);
          magnitudes += metric == Distance::L2 ? (x - y) * (x - y) : std::abs(x * y);
        }
        if (metric == Distance::Cosine)
          magnitudes = magnitudes * static_cast<double>(query.inverse_norm) * static_cast<double>(inverses[i]) + 1;
        ASSERT_NEAR(static_cast<double>(found[i]),
                    reference_distance(metric, query.data, VectorType::F32, row, VectorType::F32, dimension),
                    static_cast<double>(dimension + 16) * 0x1p-24 * magnitudes)
            << "row " << i;
      }
    }
  }
}

TEST_F(Fma4, GivesAPairTheSameBitsInEveryCallAndAtEveryPlace) {
  constexpr std::size_t kRows = 11, kDimension = 100;
  base::Random random(3);
  const base::RowStore store = random_rows(random, VectorType::F32, kRows, kDimension);
  const PaddedQuery query(random, kFloats, kDimension);
  std::vector<float> inverses(kRows), alone(kRows), found(kRows);
  inverse_norms(store, 0, kRows, inverses.data());
  for (const Distance metric : kMetrics) {
    const KernelTable& table = *N_FMA4_STAND_IN::find_float(metric, VectorType::F32);
    std::vector<base::Slot> slots(kRows);
    for (base::Slot i = 0; i < kRows; ++i) {
      slots[i] = static_cast<base::Slot>(kRows - 1 - i);
      table.many(query.query(), store, inverses.data(), &i, 1, &alone[i]);
    }
    for (std::size_t count = 1; count <= kRows; ++count) {
      table.many(query.query(), store, inverses.data(), slots.data(), count, found.data());
      for (std::size_t i = 0; i < count; ++i)
        ASSERT_EQ(std::bit_cast<std::uint32_t>(found[i]), std::bit_cast<std::uint32_t>(alone[slots[i]])) << count;
    }
  }
}

TEST_F(Fma4, LeavesOtherRowsToSse4) {
  for (const VectorType rows : {VectorType::F16, VectorType::U8, VectorType::I8})
    EXPECT_EQ(N_FMA4_STAND_IN::find_float(Distance::L2, rows), N_SSE4::find_float(Distance::L2, rows));
  EXPECT_NE(N_FMA4_STAND_IN::find_float(Distance::L2, VectorType::F32),
            N_SSE4::find_float(Distance::L2, VectorType::F32));
}

}  // namespace
}  // namespace diskann::distance

#endif
