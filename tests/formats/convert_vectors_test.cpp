#include <cmath>
#include <limits>

#include "tests/formats/fixture.hpp"

namespace diskann::formats_test {
namespace {

template <VectorElement T>
T at(const VectorSet& set, std::size_t row, std::size_t column) {
  T value;
  std::memcpy(&value, set.row(row) + column * sizeof value, sizeof value);
  return value;
}

TEST(ConvertVectors, KeepsEveryByteValueInEveryType) {
  std::vector<std::uint8_t> u8;
  std::vector<std::int8_t> i8;
  for (int i = 0; i < 256; ++i) {
    u8.push_back(static_cast<std::uint8_t>(i));
    i8.push_back(static_cast<std::int8_t>(i - 128));
  }
  for (const VectorType through : {VectorType::F32, VectorType::F16}) {
    const VectorSet wide_u8 = convert_vectors(u8, through), wide_i8 = convert_vectors(i8, through);
    expect_equal(convert_vectors(wide_u8, VectorType::U8), VectorView(u8));
    expect_equal(convert_vectors(wide_i8, VectorType::I8), VectorView(i8));
    const VectorSet f32 = convert_vectors(wide_i8, VectorType::F32);
    for (std::size_t i = 0; i < 256; ++i) EXPECT_EQ(at<float>(f32, 0, i), static_cast<float>(i) - 128);
  }
}

TEST(ConvertVectors, KeepsEveryHalf) {
  std::vector<float16> halves;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits)
    if ((bits & 0x7C00) != 0x7C00) halves.push_back(float16::from_bits(static_cast<std::uint16_t>(bits)));
  const VectorSet wide = convert_vectors(halves, VectorType::F32);
  expect_equal(convert_vectors(wide, VectorType::F16), VectorView(halves));
}

TEST(ConvertVectors, RoundsToTheNearestHalf) {
  const VectorSet random = random_set(VectorType::F32, 50, 20, 3), halves = convert_vectors(random, VectorType::F16);
  for (std::size_t i = 0; i < 50; ++i)
    for (std::size_t j = 0; j < 20; ++j) {
      const double value = at<float>(random, i, j), half = at<float16>(halves, i, j);
      EXPECT_LE(std::abs(half - value), std::max(std::abs(value) * 0x1p-11, 0x1p-25));
    }
}

TEST(ConvertVectors, NamesRowAndColumnOfWhatDoesNotFit) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const auto refused = [](VectorView vectors, VectorType type, const char* row, const char* column) {
    expect_error(ErrorCode::InvalidArgument, {row, column, to_string(type).data()},
                 [&] { convert_vectors(vectors, type); });
  };
  for (const float bad : {65520.0f, -65520.0f, 1e30f})
    refused(VectorSet::from_rows<float>({{1, 2}, {3, bad}}), VectorType::F16, "row 1", "column 1");
  for (const float bad : {0.5f, 256.0f, -1.0f, 1e30f, inf, -inf, nan})
    refused(VectorSet::from_rows<float>({{1, 2}, {3, 4}, {bad, 5}}), VectorType::U8, "row 2", "column 0");
  for (const float bad : {-128.5f, 128.0f, -129.0f, inf, nan})
    refused(VectorSet::from_rows<float>({{1, bad}}), VectorType::I8, "row 0", "column 1");
  refused(VectorSet::from_rows<std::int8_t>({{1}, {-1}}), VectorType::U8, "row 1", "column 0");
  refused(VectorSet::from_rows<std::uint8_t>({{127, 128}}), VectorType::I8, "row 0", "column 1");
}

TEST(ConvertVectors, TakesStridedRowsAndStopsWhenCancelled) {
  const VectorSet set = random_set(VectorType::U8, 10, 4, 8);
  Bytes room(1 + 10 * 9);
  for (std::size_t i = 0; i < 10; ++i) std::memcpy(room.data() + 1 + i * 9, set.row(i), 4);
  const VectorView strided(room.data() + 1, VectorType::U8, 10, 4, 9);
  expect_equal(convert_vectors(strided, VectorType::U8), set);
  expect_equal(convert_vectors(strided, VectorType::F16), convert_vectors(set, VectorType::F16));
  CancelToken token;
  token.cancel();
  Execution execution;
  execution.cancel = &token;
  expect_error(ErrorCode::Cancelled, {}, [&] { convert_vectors(set, VectorType::F32, execution); });
}

}  // namespace
}  // namespace diskann::formats_test
