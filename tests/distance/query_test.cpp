#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "distance/dispatch.hpp"
#include "distance/norms.hpp"
#include "distance/reference.hpp"
#include "tests/distance/random_rows.hpp"

namespace diskann::distance {
namespace {

using namespace testing;

template <class T>
std::vector<T> vector_of(std::initializer_list<double> values) {
  std::vector<T> result;
  for (const double value : values) result.push_back(static_cast<T>(static_cast<float>(value)));
  return result;
}

/// The form a query takes, after a check that it holds the same values, padded with zeros.
template <class T>
VectorType form_of(const std::vector<T>& source, VectorType rows) {
  QueryBuffer buffer(source.size());
  // A longer query before leaves no trace in the padding.
  buffer.prepare(std::vector<float>(source.size(), 3.5f), rows);
  const Query query = buffer.prepare(source, rows);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(query.data) % 64, 0u);
  const std::size_t length = padded(rows, source.size());
  for (std::size_t i = 0; i < length; ++i) {
    const double expected = i < source.size() ? static_cast<double>(static_cast<float>(source[i])) : 0.0;
    EXPECT_EQ(component(query.data, query.form, i), expected) << "component " << i;
  }
  return query.form;
}

TEST(QueryBuffer, TakesTheIntegersOfTheRowsWhereEveryComponentFits) {
  constexpr auto kU8 = VectorType::U8, kI8 = VectorType::I8, kF32 = VectorType::F32, kF16 = VectorType::F16;
  struct Case {
    std::initializer_list<double> values;
    VectorType against_u8, against_i8;
  };
  const Case cases[] = {
      {{0, 1, 127}, kU8, kI8},    {{0, 128, 255}, kU8, kF32},  {{-128, 0, 127}, kF32, kI8},
      {{-1, 255, 0}, kF32, kF32}, {{0.5, 1, 2}, kF32, kF32},   {{1, 2, 256}, kF32, kF32},
      {{-129, 1, 2}, kF32, kF32}, {{-0.0, 1, 2}, kU8, kI8},    {{1, 2, 2.03125}, kF32, kF32},
      {{1e-6, 1, 2}, kF32, kF32}, {{60000, 1, 2}, kF32, kF32},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(::testing::PrintToString(std::vector<double>(c.values)));
    EXPECT_EQ(form_of(vector_of<float>(c.values), kU8), c.against_u8);
    EXPECT_EQ(form_of(vector_of<float>(c.values), kI8), c.against_i8);
    EXPECT_EQ(form_of(vector_of<float16>(c.values), kU8), c.against_u8);
    EXPECT_EQ(form_of(vector_of<float16>(c.values), kI8), c.against_i8);
    EXPECT_EQ(form_of(vector_of<float>(c.values), kF32), kF32);
    EXPECT_EQ(form_of(vector_of<float16>(c.values), kF16), kF32);
  }
  EXPECT_EQ(form_of(std::vector<float>{3e38f > 0 ? 1e18f : 0, 1}, kU8), kF32);
  EXPECT_EQ(form_of(std::vector<std::uint8_t>{0, 200, 255}, kU8), kU8);
  EXPECT_EQ(form_of(std::vector<std::uint8_t>{0, 100, 127}, kI8), kI8);
  EXPECT_EQ(form_of(std::vector<std::uint8_t>{0, 100, 128}, kI8), kF32);
  EXPECT_EQ(form_of(std::vector<std::int8_t>{-128, 127}, kI8), kI8);
  EXPECT_EQ(form_of(std::vector<std::int8_t>{0, 127}, kU8), kU8);
  EXPECT_EQ(form_of(std::vector<std::int8_t>{-1, 127}, kU8), kF32);
  EXPECT_EQ(form_of(std::vector<std::uint8_t>{1, 2}, kF32), kF32);
  EXPECT_EQ(form_of(std::vector<std::int8_t>{-1, 2}, kF16), kF32);
}

TEST(QueryBuffer, FitsEveryDimensionInEveryForm) {
  for (std::size_t dimension = 1; dimension <= 140; ++dimension) {
    for (const Form form : kForms) {
      base::Random random(dimension);
      const base::RowStore source = random_rows(random, form.query, 1, dimension);
      QueryBuffer buffer(dimension);
      const Query query =
          buffer.prepare({source.view().data, form.query, 1, dimension, source.view().stride}, form.rows);
      for (std::size_t i = 0; i < padded(form.rows, dimension); ++i) {
        ASSERT_EQ(component(query.data, query.form, i),
                  i < dimension ? component(source.view().data, form.query, i) : 0.0);
      }
    }
  }
}

TEST(QueryBuffer, ReadsUnalignedRowsOfAStridedView) {
  std::vector<std::byte> bytes(200, std::byte{0xFF});
  const float values[] = {1.5f, -2.25f, 1e10f};
  std::memcpy(bytes.data() + 1 + 2 * 17, values, sizeof values);
  const VectorView view(bytes.data() + 1, VectorType::F32, 3, 3, 17);
  QueryBuffer buffer(3);
  const Query query = buffer.prepare(view.slice(2, 1), VectorType::F32);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(component(query.data, VectorType::F32, i), static_cast<double>(values[i]));
  }
}

TEST(QueryBuffer, RoundsTheInverseNormOnce) {
  QueryBuffer buffer(3);
  const std::vector<float> row = {1, 2, 3};
  EXPECT_EQ(buffer.prepare(row, VectorType::F32).inverse_norm, static_cast<float>(1 / std::sqrt(14.0)));
  EXPECT_EQ(buffer.prepare(row, VectorType::U8).inverse_norm, static_cast<float>(1 / std::sqrt(14.0)));
  EXPECT_EQ(buffer.prepare(std::vector<float>{0, -0.0f, 0}, VectorType::F32).inverse_norm, 0.0f);
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(buffer.prepare(std::vector<float>{tiny, 0, 0}, VectorType::F32).inverse_norm,
            std::numeric_limits<float>::max())
      << "an inverse beyond f32 stays finite";
}

TEST(QueryBuffer, KnowsTheSquaredNormOfIntegerForms) {
  QueryBuffer buffer(3);
  EXPECT_EQ(buffer.prepare(std::vector<float>{1, 2, 3}, VectorType::U8).squared_norm, 14u);
  EXPECT_EQ(buffer.prepare(std::vector<float>{-1, 2, -3}, VectorType::I8).squared_norm, 14u);
  EXPECT_EQ(buffer.prepare(std::vector<std::uint8_t>{255, 255, 0}, VectorType::U8).squared_norm, 2u * 255 * 255);
  for (const VectorType type : {VectorType::U8, VectorType::I8}) {
    base::Random random(1);
    const base::RowStore store = random_rows(random, type, 3, 37);
    QueryBuffer of_rows(37);
    float norm = 0;
    row_norms(Distance::L2, store, 1, 1, &norm);
    EXPECT_EQ(static_cast<double>(of_rows.prepare_stored(store, 1, norm).squared_norm),
              squared_norm(store.view().row(1), type, 37));
  }
}

Error error_of(const VectorView& row, VectorType rows, const char* what) {
  QueryBuffer buffer(3);
  try {
    buffer.prepare(row, rows, what);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::Internal, "");
}

TEST(QueryBuffer, RefusesWhatIsNotFiniteAndNamesTheColumn) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  for (const VectorType rows : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    for (std::size_t column = 0; column < 3; ++column) {
      for (const float bad : {nan, infinity, -infinity}) {
        std::vector<float> row = {1, 2, 3};
        row[column] = bad;
        std::vector<float16> half;
        for (const float value : row) half.emplace_back(value);
        for (const Error& error : {error_of(row, rows, "query 4"), error_of(half, rows, "query 4")}) {
          EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
          const std::string expected = "query 4, column " + std::to_string(column);
          EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
        }
      }
    }
  }
}

TEST(QueryBuffer, RefusesANormBeyondF32) {
  const float big = std::sqrt(std::numeric_limits<float>::max() / 2);
  QueryBuffer buffer(3);
  EXPECT_NO_THROW(buffer.prepare(std::vector<float>{big, 0.99f * big, 0}, VectorType::F32));
  const Error error = error_of(std::vector<float>{big, big, big}, VectorType::F32, "query");
  EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
  EXPECT_NE(std::string(error.what()).find("overflows"), std::string::npos) << error.what();
}

TEST(QueryBuffer, RefusesAnotherDimensionAndNamesBoth) {
  const Error error = error_of(std::vector<float>{1, 2, 3, 4}, VectorType::F32, "query");
  EXPECT_EQ(error.code(), ErrorCode::DimensionMismatch);
  EXPECT_STREQ(error.what(), "query has 4 components, expected 3");
}

TEST(QueryBuffer, TakesAStoredRowWithoutACopyWhereItCan) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::U8, VectorType::I8}) {
    base::Random random(1);
    const base::RowStore store = random_rows(random, type, 3, 37);
    QueryBuffer buffer(37);
    const Query query = buffer.prepare_stored(store, 1, 0.5f);
    EXPECT_EQ(query.inverse_norm, 0.5f);
    EXPECT_EQ(query.data == store.view().row(1), type != VectorType::F16);
    EXPECT_EQ(query.form, type == VectorType::F16 ? VectorType::F32 : type);
    for (std::size_t i = 0; i < padded(type, 37); ++i) {
      EXPECT_EQ(component(query.data, query.form, i), i < 37 ? component(store.view().row(1), type, i) : 0.0);
    }
  }
}

}  // namespace
}  // namespace diskann::distance
