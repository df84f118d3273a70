// What callers may rely on beyond the value: the same pair gives the same bits in every call, and nothing is read but
// the rows asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "distance/dispatch.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann::distance {
namespace {

using namespace testing;

constexpr std::size_t kDimensions[] = {1, 15, 16, 17, 48, 65, 100, 128, 200, 784};

bool same_bits(float a, float b) { return std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b); }

template <class F>
void for_each_kernel(F f) {
  for (const std::string& isa : available_isas()) {
    for (const Form form : kForms) {
      for (const Distance metric : kMetrics) {
        for (const std::size_t dimension : kDimensions) {
          SCOPED_TRACE(describe(isa, form, metric, dimension));
          f(kernels_for(isa, metric, form.rows, form.query), metric, form, dimension);
          if (::testing::Test::HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Kernels, GiveAPairTheSameBitsInEveryCallAndAtEveryPlace) {
  for_each_kernel([](const KernelTable& table, Distance metric, Form form, std::size_t dimension) {
    constexpr std::size_t kRows = 23;
    base::Random random(dimension);
    const base::RowStore store = random_rows(random, form.rows, kRows, dimension);
    const PaddedQuery query(random, form, dimension);
    std::vector<float> norms(kRows), alone(kRows);
    row_norms(metric, store, 0, kRows, norms.data());
    for (base::Slot i = 0; i < kRows; ++i) {
      table.many(query.query(), store, norms.data(), &i, 1, &alone[i]);
    }
    for (std::size_t count = 0; count <= kRows; ++count) {
      const std::size_t first = random.below(kRows - count + 1);
      std::vector<float> found(count + 1, -7.0f);
      table.block(query.query(), store, norms.data() + first, first, count, found.data());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_TRUE(same_bits(found[i], alone[first + i])) << "block of " << count << ", row " << first + i;
      }
      ASSERT_EQ(found[count], -7.0f) << "block of " << count << " wrote beyond its end";

      std::vector<base::Slot> slots(count);
      for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(kRows));
      found.assign(count + 1, -7.0f);
      table.many(query.query(), store, norms.data(), slots.data(), count, found.data());
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_TRUE(same_bits(found[i], alone[slots[i]])) << "many of " << count << ", place " << i;
      }
      ASSERT_EQ(found[count], -7.0f) << "many of " << count << " wrote beyond its end";
    }
  });
}

TEST(Kernels, GiveTheSameBitsInLongBatches) {
  // Longer than any look-ahead of the prefetch.
  for_each_kernel([](const KernelTable& table, Distance metric, Form form, std::size_t dimension) {
    constexpr std::size_t kRows = 10, kSlots = 203;
    base::Random random(dimension + 1);
    const base::RowStore store = random_rows(random, form.rows, kRows, dimension);
    const PaddedQuery query(random, form, dimension);
    std::vector<float> norms(kRows), alone(kRows), found(kSlots);
    row_norms(metric, store, 0, kRows, norms.data());
    table.block(query.query(), store, norms.data(), 0, kRows, alone.data());
    std::vector<base::Slot> slots(kSlots);
    for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(kRows));
    table.many(query.query(), store, norms.data(), slots.data(), kSlots, found.data());
    for (std::size_t i = 0; i < kSlots; ++i) ASSERT_TRUE(same_bits(found[i], alone[slots[i]])) << "place " << i;
  });
}

TEST(Kernels, ReadNothingBehindRowsQueryNormsAndSlots) {
  for_each_kernel([](const KernelTable& table, Distance metric, Form form, std::size_t dimension) {
    base::Random random(dimension + 2);
    const std::size_t stride = base::row_stride(form.rows, dimension);
    const std::size_t query_bytes = padded(form.rows, dimension) * size_of(form.query);
    for (const std::size_t rows : {1u, 2u, 3u, 4u, 5u, 9u}) {
      GuardedMemory row_memory(rows * stride), query_memory(query_bytes), norm_memory(rows * sizeof(float)),
          slot_memory(rows * sizeof(base::Slot)), out_memory(rows * sizeof(float));
      for (std::size_t i = 0; i < rows; ++i) {
        fill_row(random, row_memory.data() + i * stride, form.rows, dimension);
      }
      fill_row(random, query_memory.data(), form.query, dimension);
      auto* const slots = reinterpret_cast<base::Slot*>(slot_memory.data());
      for (std::size_t i = 0; i < rows; ++i) slots[i] = static_cast<base::Slot>(rows - 1 - i);
      const base::RowsView view{row_memory.data(), stride, rows, dimension, form.rows};
      auto* const norms = reinterpret_cast<float*>(norm_memory.data());
      row_norms(metric, view, 0, rows, norms);
      auto* const out = reinterpret_cast<float*>(out_memory.data());
      const Query query{query_memory.data(), form.query, 0.25f};
      std::vector<float> forward(rows);
      table.block(query, view, norms, 0, rows, out);
      std::copy_n(out, rows, forward.begin());
      table.many(query, view, norms, slots, rows, out);
      for (std::size_t i = 0; i < rows; ++i) ASSERT_TRUE(same_bits(out[i], forward[rows - 1 - i]));
    }
  });
}

TEST(Kernels, KeepToTheStrideOfTheRows) {
  // Rows of a file may stand further apart than their own length; what is between them does not count.
  for (const std::string& isa : available_isas()) {
    for (const Form form : kForms) {
      SCOPED_TRACE(describe(isa, form, Distance::L2, 70));
      base::Random random(5);
      const base::RowStore tight = random_rows(random, form.rows, 6, 70);
      const std::size_t stride = tight.view().stride + 128;
      base::HugeArray<std::byte> wide(6 * stride);
      std::fill(wide.begin(), wide.end(), std::byte{0x3C});
      for (std::size_t i = 0; i < 6; ++i) {
        std::copy_n(tight.view().row(i), tight.view().stride, wide.data() + i * stride);
      }
      const PaddedQuery query(random, form, 70);
      const KernelTable& table = kernels_for(isa, Distance::L2, form.rows, form.query);
      float expected[6], found[6];
      table.block(query.query(), tight, nullptr, 0, 6, expected);
      table.block(query.query(), {wide.data(), stride, 6, 70, form.rows}, nullptr, 0, 6, found);
      for (int i = 0; i < 6; ++i) EXPECT_TRUE(same_bits(found[i], expected[i])) << "row " << i;
    }
  }
}

}  // namespace
}  // namespace diskann::distance
