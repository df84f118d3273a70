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

/// Where a component is coded, and what its code stands for.
int place_of(const std::byte* row, const NibbleShape& shape, const NibblePlaces& places, std::size_t j) {
  if (j < shape.bytes) return std::to_integer<int>(row[j]) - 64;
  const std::size_t behind = j - shape.bytes;
  const auto byte = std::to_integer<unsigned>(row[shape.bytes + behind / 128 * 64 + behind % 64]);
  return places[behind % 128 < 64 ? byte & 15u : byte >> 4];
}

/// `most`: all at the ends of their ranges, so that sums of few products would overflow if they could.
Case make_case(const NibbleShape& shape, std::size_t rows, bool most, base::Random& random) {
  Case made{
      base::RowStore(VectorType::U8, rows, shape.row_bytes()), base::HugeArray<std::int8_t>(shape.padded()), {}, {}};
  for (std::int8_t& place : made.places)
    place =
        static_cast<std::int8_t>(most ? (random.below(2) == 0 ? -64 : 63) : static_cast<int>(random.below(128)) - 64);
  for (std::size_t j = 0; j < shape.components(); ++j)
    made.query[j] = static_cast<std::int8_t>(most ? 127 : static_cast<int>(random.below(255)) - 127);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < shape.row_bytes(); ++j) {  // what stands behind the components must not count
      const bool byte = j < shape.bytes;
      const std::uint64_t code = most && byte ? 127 * random.below(2) : random.below(byte ? 128 : 256);
      made.rows.row(i)[j] = static_cast<std::byte>(code);
    }
    for (int factor = 0; factor < 2; ++factor) made.norms.push_back(static_cast<float>(random.normal()));
  }
  return made;
}

TEST(Nibbles, AreMultipliedWithTheirPlaces) {
  for (const std::string& isa : available_isas()) {
    base::Random random(9);
    for (const NibbleShape shape : std::initializer_list<NibbleShape>{{0, 1},
                                                                      {0, 17},
                                                                      {0, 63},
                                                                      {0, 64},
                                                                      {0, 65},
                                                                      {0, 127},
                                                                      {0, 128},
                                                                      {0, 129},
                                                                      {0, 200},
                                                                      {0, 384},
                                                                      {0, 784},
                                                                      {0, 65535},
                                                                      {64, 0},
                                                                      {64, 1},
                                                                      {64, 128},
                                                                      {64, 300},
                                                                      {128, 64},
                                                                      {192, 129},
                                                                      {4096, 0}}) {
      for (const bool most : {false, true}) {
        const std::size_t rows = shape.components() > 1000 ? 5 : 40;
        const Case made = make_case(shape, rows, most, random);
        const NibbleQuery query{made.query.data(), shape.bytes, &made.places, 0.37f, 1.25f};
        for (const std::size_t count :
             {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{4}, rows}) {
          std::vector<base::Slot> slots(count);
          for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(rows));
          for (const NibbleEnding ending : {NibbleEnding::Add, NibbleEnding::Scale}) {
            std::vector<float> out(count + 1, -7.0f);
            nibble_kernel_for(isa, ending)(query, made.rows, made.norms.data(), slots.data(), count, out.data());
            for (std::size_t i = 0; i < count; ++i) {
              std::int64_t sum = 0;
              for (std::size_t j = 0; j < shape.components(); ++j)
                sum += place_of(made.rows.view().row(slots[i]), shape, made.places, j) * std::int64_t{made.query[j]};
              const float product = 0.37f * static_cast<float>(sum);
              const float* pair = made.norms.data() + 2 * slots[i];
              ASSERT_EQ(out[i], ending == NibbleEnding::Add ? made.norms[slots[i]] + product
                                                            : 1.25f * pair[0] + pair[1] * product)
                  << isa << ", shape " << shape.bytes << " and " << shape.nibbles << ", row " << i << " of " << count;
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
