// Products with codes of 4 bits, of every instruction set of this machine, against plain sums.
#include "distance/nibbles.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "base/huge_array.hpp"
#include "base/random.hpp"
#include "distance/dispatch.hpp"

namespace diskann::distance {
namespace {

struct Case {
  base::RowStore rows;
  base::HugeArray<std::int8_t> query;
  NibblePlaces places;
  std::vector<float> norms;
};

/// `most`: all at the ends of their ranges, so that sums of few products would overflow if they could.
Case make_case(std::size_t dimension, std::size_t rows, bool most, base::Random& random) {
  Case made{base::RowStore(VectorType::U8, rows, nibble_row_bytes(dimension)),
            base::HugeArray<std::int8_t>(base::round_up(dimension, kNibblesInLine)),
            {},
            {}};
  for (std::int8_t& place : made.places)
    place =
        static_cast<std::int8_t>(most ? (random.below(2) == 0 ? -64 : 63) : static_cast<int>(random.below(128)) - 64);
  for (std::size_t j = 0; j < dimension; ++j)
    made.query[j] = static_cast<std::int8_t>(most ? 127 : static_cast<int>(random.below(255)) - 127);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < nibble_row_bytes(dimension); ++j)  // what stands behind the components must not count
      made.rows.row(i)[j] = static_cast<std::byte>(random.below(256));
    made.norms.push_back(static_cast<float>(random.normal()));
  }
  return made;
}

TEST(Nibbles, AreMultipliedWithTheirPlaces) {
  for (const std::string& isa : available_isas()) {
    base::Random random(9);
    for (const std::size_t dimension : {1u, 17u, 63u, 64u, 65u, 127u, 128u, 129u, 200u, 384u, 784u, 65535u}) {
      for (const bool most : {false, true}) {
        const std::size_t rows = dimension > 1000 ? 5 : 40;
        const Case made = make_case(dimension, rows, most, random);
        const NibbleQuery query{made.query.data(), &made.places, 0.37f};
        for (const std::size_t count :
             {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{4}, rows}) {
          std::vector<base::Slot> slots(count);
          for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(rows));
          for (const NibbleEnding ending : {NibbleEnding::Add, NibbleEnding::Multiply}) {
            std::vector<float> out(count + 1, -7.0f);
            nibble_kernel_for(isa, ending)(query, made.rows, made.norms.data(), slots.data(), count, out.data());
            for (std::size_t i = 0; i < count; ++i) {
              std::int64_t sum = 0;
              for (std::size_t j = 0; j < dimension; ++j) {
                const auto byte = std::to_integer<unsigned>(made.rows.view().row(slots[i])[j / 128 * 64 + j % 64]);
                sum += made.places[j % 128 < 64 ? byte & 15u : byte >> 4] * std::int64_t{made.query[j]};
              }
              const float product = 0.37f * static_cast<float>(sum), norm = made.norms[slots[i]];
              ASSERT_EQ(out[i], ending == NibbleEnding::Add ? norm + product : norm * product)
                  << isa << ", dimension " << dimension << ", row " << i << " of " << count;
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
