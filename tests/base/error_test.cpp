#include "diskann/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <string>

namespace diskann {
namespace {

TEST(Error, CarriesCodeMessageAndHint) {
  try {
    throw Error(ErrorCode::NotFound, "no id 7", "ask for another");
  } catch (const std::runtime_error& error) {  // programs that know nothing of us still get the message
    EXPECT_STREQ(error.what(), "no id 7");
    const auto& ours = dynamic_cast<const Error&>(error);
    EXPECT_EQ(ours.code(), ErrorCode::NotFound);
    EXPECT_EQ(ours.hint(), "ask for another");
  }
  EXPECT_TRUE(Error(ErrorCode::Internal, "x").hint().empty());
}

TEST(Error, EveryCodeHasANameOfItsOwn) {
  std::set<std::string> names;
  for (int code = 0; code <= static_cast<int>(ErrorCode::Cancelled); ++code) {
    EXPECT_TRUE(names.insert(to_string(static_cast<ErrorCode>(code))).second) << code;
  }
  EXPECT_EQ(names.size(), 12u);
  EXPECT_STREQ(to_string(ErrorCode::DimensionMismatch), "DimensionMismatch");
}

TEST(IoError, NamesActionPathAndReason) {
  const IoError error("cannot write", "/data/a.idx", ENOSPC);
  EXPECT_EQ(error.code(), ErrorCode::Io);
  EXPECT_EQ(error.system_error(), ENOSPC);
  EXPECT_EQ(error.path(), "/data/a.idx");
  const std::string what = error.what();
  EXPECT_EQ(what.find("cannot write /data/a.idx: "), 0u) << what;
  EXPECT_NE(what.find("space"), std::string::npos) << what;
  EXPECT_FALSE(error.hint().empty());
}

TEST(IoError, TurnsErrnoIntoTheCodeThatFits) {
  EXPECT_EQ(IoError("a", "b", ENOENT).code(), ErrorCode::NotFound);
  EXPECT_EQ(IoError("a", "b", EEXIST).code(), ErrorCode::AlreadyExists);
  EXPECT_EQ(IoError("a", "b", ENOMEM).code(), ErrorCode::OutOfMemory);
  EXPECT_EQ(IoError("a", "b", EIO).code(), ErrorCode::Io);
  EXPECT_EQ(IoError("a", "b", EACCES).code(), ErrorCode::Io);
}

}  // namespace
}  // namespace diskann
