#include "base/huge_array.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

#include "base/row_store.hpp"

namespace diskann::base {
namespace {

TEST(HugeArray, IsZeroedAndAlignedAtEverySize) {
  for (const std::size_t count :
       {1u, 63u, 4096u, 65535u, 65536u, 65537u, (2u << 20) - 1, 2u << 20, (2u << 20) + 1, 5u << 20}) {
    HugeArray<std::uint8_t> array(count);
    ASSERT_EQ(array.size(), count);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % 64, 0u);
    if (count >= 2u << 20) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(array.data()) % (2u << 20), 0u);
    }
    std::uint64_t sum = 0;
    for (std::uint8_t& byte : array) {
      sum += byte;
      byte = 0xAB;  // every byte is ours to write
    }
    EXPECT_EQ(sum, 0u) << count;
    EXPECT_EQ(array[count - 1], 0xAB);
  }
}

TEST(HugeArray, OfNothingIsEmpty) {
  HugeArray<std::uint64_t> none(0);
  EXPECT_EQ(none.size(), 0u);
  EXPECT_EQ(none.begin(), none.end());
  none.truncate(0);
}

TEST(HugeArray, MovesItsMemory) {
  HugeArray<int> first(1000);
  first[999] = 7;
  const int* const data = first.data();
  HugeArray<int> second(std::move(first));
  EXPECT_EQ(second.data(), data);
  HugeArray<int> third(5);
  third = std::move(second);
  EXPECT_EQ(third.data(), data);
  EXPECT_EQ(third.size(), 1000u);
  EXPECT_EQ(third[999], 7);
}

TEST(HugeArray, KeepsTheFirstElementsWhenTruncated) {
  for (const std::size_t count : {3000u, 3u << 20}) {
    HugeArray<std::uint32_t> array(count);
    for (std::size_t i = 0; i < count; ++i) array[i] = static_cast<std::uint32_t>(i);
    array.truncate(count + 1);
    EXPECT_EQ(array.size(), count);
    array.truncate(count / 3);
    ASSERT_EQ(array.size(), count / 3);
    for (std::size_t i = 0; i < array.size(); ++i) ASSERT_EQ(array[i], i);
    array.truncate(0);
    EXPECT_EQ(array.size(), 0u);
  }
}

TEST(HugeArray, NamesTheBytesItCannotHave) {
  const auto expect_out_of_memory = [](std::size_t count, const std::string& part) {
    try {
      HugeArray<std::uint64_t> array(count);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::OutOfMemory);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  expect_out_of_memory(std::size_t{1} << 58, std::to_string(std::size_t{1} << 61));
  expect_out_of_memory(std::size_t{1} << 61, "overflows");
  expect_out_of_memory((std::size_t{1} << 61) - 1, "");  // rounding up to pages wraps
}

TEST(RowStore, RowsAreAlignedAndPaddedWithZeros) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    for (const std::size_t dimension : {1u, 16u, 63u, 64u, 65u}) {
      RowStore store(type, 9, dimension);
      ASSERT_EQ(store.view().stride % 64, 0u);
      ASSERT_GE(store.view().stride, dimension * size_of(type));
      ASSERT_LT(store.view().stride, dimension * size_of(type) + 64);
      const VectorSet full(type, 9, dimension);
      for (std::size_t i = 0; i < 9; ++i) {
        EXPECT_EQ(reinterpret_cast<std::uintptr_t>(store.view().row(i)) % 64, 0u);
        std::fill_n(store.row(i), dimension * size_of(type), std::byte{0x55});
      }
      for (std::size_t i = 0; i < 9; ++i) {
        for (std::size_t b = dimension * size_of(type); b < store.view().stride; ++b) {
          ASSERT_EQ(store.view().row(i)[b], std::byte{0});
        }
      }
    }
  }
}

TEST(RowStore, CopiesRowsOfAStridedView) {
  std::vector<std::uint8_t> loose(1 + 5 * 11);
  for (std::size_t i = 0; i < loose.size(); ++i) loose[i] = static_cast<std::uint8_t>(i);
  const VectorView view(loose.data() + 1, VectorType::U8, 5, 8, 11);
  RowStore store(VectorType::U8, 5, 8);
  for (std::size_t i = 0; i < 5; ++i) copy_row(view, i, store.row(i));
  for (std::size_t i = 0; i < 5; ++i) {
    for (std::size_t d = 0; d < 64; ++d) {
      ASSERT_EQ(static_cast<std::size_t>(store.view().row(i)[d]), d < 8 ? 1 + i * 11 + d : 0);
    }
  }
  store.truncate(2);
  EXPECT_EQ(store.view().rows, 2u);
  EXPECT_EQ(store.view().row(1)[0], std::byte{12});
}

TEST(RowStore, RefusesSizesThatOverflow) {
  EXPECT_THROW(RowStore(VectorType::F32, std::size_t{1} << 60, 65'535), Error);
}

}  // namespace
}  // namespace diskann::base
