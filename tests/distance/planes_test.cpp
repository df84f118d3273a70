// Products with codes in planes, of every instruction set of this machine, against plain sums.
#include "distance/planes.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/huge_array.hpp"
#include "base/random.hpp"
#include "distance/dispatch.hpp"

namespace diskann::distance {
namespace {

/// What the code of a component stands for, doubled.
std::int64_t doubled_place(const std::byte* row, std::size_t components, std::size_t bits, std::size_t j) {
  unsigned code = 0;
  for (std::size_t bit = 0; bit < bits; ++bit)
    code = 2 * code + (std::to_integer<unsigned>(row[bit * components / 8 + j / 8]) >> (j % 8) & 1u);
  return 2 * std::int64_t{code} - ((1 << bits) - 1);
}

TEST(Planes, AreMultipliedWithWhatTheyStandFor) {
  for (const std::string& isa : available_isas()) {
    base::Random random(9);
    for (const std::size_t components : {64u, 128u, 192u, 832u, 32768u}) {
      for (std::size_t bits = 1; bits <= 8; ++bits) {
        for (const bool most : {false, true}) {
          const std::size_t rows = components > 1000 ? 3 : 21, bytes = plane_row_bytes(components, bits);
          base::RowStore codes = base::RowStore::packed(rows, bytes);
          base::HugeArray<std::int8_t> query(components);
          for (std::size_t j = 0; j < components; ++j)
            query.data()[j] = static_cast<std::int8_t>(most ? 127 : static_cast<int>(random.below(255)) - 127);
          for (std::size_t i = 0; i < rows * bytes; ++i)
            codes.row(0)[i] = most ? std::byte{0xFF} : static_cast<std::byte>(random.below(256));
          std::vector<float> factors(2 * rows);
          for (float& factor : factors) factor = static_cast<float>(random.normal());
          const PlaneQuery prepared = make_plane_query(query.data(), components, bits, 0.37f, 1.25f);
          for (const std::size_t count : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, rows}) {
            std::vector<base::Slot> slots(count);
            for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(rows));
            std::vector<float> out(count + 1, -7.0f);
            plane_kernel_for(isa)(prepared, codes, factors.data(), slots.data(), count, out.data());
            for (std::size_t i = 0; i < count; ++i) {
              std::int64_t sum = 0;
              for (std::size_t j = 0; j < components; ++j)
                sum += doubled_place(codes.view().row(slots[i]), components, bits, j) * query.data()[j];
              const float expected =
                  1.25f * factors[2 * slots[i]] + factors[2 * slots[i] + 1] * (0.37f / 2 * static_cast<float>(sum));
              ASSERT_EQ(out[i], expected) << isa << ", " << components << " components of " << bits << " bits";
            }
            EXPECT_EQ(out[count], -7.0f);
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace diskann::distance
