#include "io/file_exchange.hpp"

#include <gtest/gtest.h>

#include "io/atomic_file.hpp"
#include "sample_container.hpp"
#include "scratch_directory.hpp"

namespace diskann::io {
namespace {

namespace fs = std::filesystem;

/// A link to an old file in another directory, one to a new file there, and a file without a link, which is the key.
class FileExchangeLinks : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(there_);
    for (const char* name : {"there/one", "key"}) write(directory_ / name, "old");
    fs::create_symlink("there/one", directory_ / "one");
    fs::create_symlink("there/two", directory_ / "two");
  }
  static fs::path staged(const fs::path& path, const char* text) {
    AtomicFile file(path, true);
    file.write(bytes_of(text));
    return file.release();
  }
  static void write(const fs::path& path, const char* text) {
    AtomicFile file(path, true);
    file.write(bytes_of(text));
    file.commit();
  }
  void exchange(const std::vector<fs::path>& old) {
    FileExchange exchange(directory_.path());
    for (const char* name : {"one", "two", "key"})
      exchange.stage(staged(directory_ / name, "newer"), directory_ / name);
    exchange.commit(old);
  }
  std::ptrdiff_t files() const { return std::distance(fs::recursive_directory_iterator(directory_.path()), {}); }

  ScratchDirectory directory_;
  fs::path there_ = directory_ / "there";
};

TEST_F(FileExchangeLinks, AreFollowedAndStay) {
  exchange({directory_ / "one", directory_ / "key"});
  for (const char* name : {"one", "two"}) EXPECT_TRUE(fs::is_symlink(directory_ / name)) << name;
  for (const fs::path& path : {there_ / "one", there_ / "two", directory_ / "key"}) {
    EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(path))) << path;
    EXPECT_EQ(fs::file_size(path), 5u) << path;
  }
  EXPECT_EQ(files(), 6);
}

TEST_F(FileExchangeLinks, StagedFilesAreRemovedWithAllTemporaryOnes) {
  FileExchange exchange(directory_.path());
  exchange.stage(staged(directory_ / "one", "newer"), directory_ / "one");
  AtomicFile file(directory_ / "key", true);
  EXPECT_EQ(files(), 7);
  remove_temporary_files();
  EXPECT_EQ(files(), 5);
  EXPECT_EQ(fs::file_size(directory_ / "key"), 3u);
}

TEST_F(FileExchangeLinks, LeadToTheOldFilesAfterAFailure) {
  EXPECT_THROW(exchange({directory_ / "one", directory_ / "key", directory_ / "missing"}), Error);
  for (const fs::path& path : {there_ / "one", directory_ / "key"}) EXPECT_EQ(fs::file_size(path), 3u) << path;
  EXPECT_TRUE(fs::is_symlink(directory_ / "one"));
  EXPECT_EQ(files(), 5) << "a temporary file is left";
}

}  // namespace
}  // namespace diskann::io
