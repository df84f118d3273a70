#include "diskann/types.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace diskann {
namespace {

TEST(Types, NamesReadBack) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    EXPECT_EQ(parse_vector_type(to_string(type)), type);
  }
  for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
    EXPECT_EQ(parse_distance(to_string(metric)), metric);
  }
  EXPECT_EQ(parse_vector_type("float"), VectorType::F32);
  EXPECT_EQ(parse_vector_type("half"), VectorType::F16);
  EXPECT_EQ(parse_vector_type("int8"), VectorType::I8);
  EXPECT_EQ(parse_vector_type("uint8"), VectorType::U8);
  EXPECT_EQ(parse_distance("euclidean"), Distance::L2);
  EXPECT_EQ(parse_distance("mips"), Distance::InnerProduct);
}

TEST(Types, UnknownNamesAreRefusedWithTheListOfKnownOnes) {
  for (const char* name : {"", "f64", "F32", "custom", "l2 "}) {
    for (const auto& parse :
         {+[](const char* text) { parse_vector_type(text); }, +[](const char* text) { parse_distance(text); }}) {
      try {
        parse(name);
        ADD_FAILURE() << "'" << name << "' was taken";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
        EXPECT_NE(std::string(error.what()).find("'" + std::string(name) + "'"), std::string::npos);
        EXPECT_FALSE(error.hint().empty());
      }
    }
  }
}

TEST(Types, HitsAreOrderedByDistanceThenId) {
  EXPECT_LT((Hit{9, 1.0f}), (Hit{1, 2.0f}));
  EXPECT_LT((Hit{1, 2.0f}), (Hit{9, 2.0f}));
  EXPECT_FALSE((Hit{1, 2.0f}) < (Hit{1, 2.0f}));
  EXPECT_LT((Hit{5, -0.0f}), (Hit{6, 0.0f}));  // the zeros are equal
  EXPECT_FALSE((Hit{6, -0.0f}) < (Hit{5, 0.0f}));
}

TEST(VectorView, TakesOneRowOrMany) {
  const std::vector<float> row{1, 2, 3, 4, 5, 6};
  const VectorView one(row);
  EXPECT_EQ(one.rows(), 1u);
  EXPECT_EQ(one.dimension(), 6u);
  EXPECT_EQ(one.type(), VectorType::F32);
  const VectorView many(row.data(), 3, 2);
  EXPECT_EQ(many.stride(), 8u);
  EXPECT_EQ(many.row(2), reinterpret_cast<const std::byte*>(&row[4]));
  const VectorView last = many.slice(1, 2);
  EXPECT_EQ(last.rows(), 2u);
  EXPECT_EQ(last.row(1), many.row(2));
}

TEST(VectorView, SlicesKeepTheStride) {
  const std::vector<std::uint8_t> bytes(40);
  const VectorView view(bytes.data(), VectorType::U8, 4, 7, 10);
  EXPECT_EQ(view.slice(1, 2).row(1), reinterpret_cast<const std::byte*>(bytes.data()) + 20);
  EXPECT_EQ(view.slice(1, 2).dimension(), 7u);
}

TEST(VectorSet, HoldsRowsOneAfterTheOther) {
  const auto set = VectorSet::from_rows<std::int8_t>({{1, 2, 3}, {-4, -5, -6}});
  EXPECT_EQ(set.rows(), 2u);
  EXPECT_EQ(set.row_bytes(), 3u);
  EXPECT_EQ(set.row(1), set.row(0) + 3);
  EXPECT_EQ(static_cast<std::int8_t>(set.row(1)[2]), -6);
  const VectorView view = set;
  EXPECT_EQ(view.row(1), set.row(1));
}

TEST(VectorSet, NamesTheRowOfAnotherLength) {
  try {
    VectorSet::from_rows<float>({{1, 2}, {3, 4}, {5}});
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::DimensionMismatch);
    EXPECT_STREQ(error.what(), "row 2 has 1 components, the rows before it have 2");
  }
}

TEST(VectorSet, OfNoRowsIsEmpty) {
  const auto set = VectorSet::from_rows<float>({});
  EXPECT_EQ(set.rows(), 0u);
  EXPECT_EQ(set.dimension(), 0u);
}

TEST(VectorSet, StartsWithZerosAndKeepsTheFirstRows) {
  VectorSet set(VectorType::U8, 5, 3);
  for (std::size_t i = 0; i < 15; ++i) EXPECT_EQ(set.row(0)[i], std::byte{0});
  for (std::size_t i = 0; i < 5; ++i) set.row(i)[0] = std::byte(i);
  set.truncate(9);
  EXPECT_EQ(set.rows(), 5u);
  set.truncate(2);
  EXPECT_EQ(set.rows(), 2u);
  EXPECT_EQ(set.row(1)[0], std::byte{1});
}

TEST(VectorSet, RefusesSizesThatCannotBe) {
  const std::size_t huge = std::numeric_limits<std::size_t>::max();
  for (const auto& [rows, dimension] :
       {std::pair{huge, huge}, {huge / 4 + 1, std::size_t{1}}, {huge / 8 + 1, std::size_t{1}}}) {
    try {
      VectorSet set(VectorType::F32, rows, dimension);
      FAIL() << rows << " x " << dimension;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::OutOfMemory);
    }
  }
}

TEST(SearchResults, RowsAreKApart) {
  const SearchResults results{2, 3, {1, 2, 3, 4, 5, kNoId}, {0, 1, 2, 3, 4, 5}};
  EXPECT_EQ(results.ids_of(1)[0], 4u);
  EXPECT_EQ(results.ids_of(1).size(), 3u);
  EXPECT_EQ(results.distances_of(1)[2], 5.0f);
}

}  // namespace
}  // namespace diskann
