#include "diskann/output.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <iterator>

#include "sample_container.hpp"
#include "scratch_directory.hpp"

namespace diskann::io {
namespace {

namespace fs = std::filesystem;

TEST(Output, TextIsWrittenWholeAndKeepsThePermissionsOfTheOldFile) {
  const ScratchDirectory directory;
  const fs::path path = directory / "labels.txt";
  write_text(path, "a much longer text than the next one\n");
  fs::permissions(path, fs::perms{0640});
  write_text(path, "1\n2\n");
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "1\n2\n");
  EXPECT_EQ(fs::status(path).permissions(), fs::perms{0640});
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(Output, IsRefusedBeforeTheWorkAsItWouldBeAfterIt) {
  const ScratchDirectory directory;
  write_text(directory / "file", "x");
  fs::create_directory(directory / "folder");
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  fs::create_symlink("file", directory / "to-file");
  fs::create_symlink("nowhere", directory / "dangling");
  fs::create_symlink("folder", directory / "to-folder");
  fs::create_symlink("pipe", directory / "to-pipe");
  fs::create_symlink("loop", directory / "loop");
  for (const char* name : {"file", "to-file", "dangling", "new"}) EXPECT_NO_THROW(check_output(directory / name, true));
  for (const char* name : {"folder", "to-folder", "pipe", "to-pipe", "loop"}) {
    const ErrorCode code = std::string(name).ends_with("pipe") ? ErrorCode::InvalidArgument : ErrorCode::Io;
    EXPECT_EQ(code_of([&] { check_output(directory / name, true); }), code) << name;
    EXPECT_EQ(code_of([&] { write_text(directory / name, "x"); }), code) << name;
  }
  EXPECT_TRUE(fs::is_symlink(directory / "to-folder"));
  for (const char* name : {"new", "dangling"}) EXPECT_NO_THROW(check_output(directory / name, false));
  for (const char* name : {"file", "to-file", "folder", "pipe"})
    EXPECT_EQ(code_of([&] { check_output(directory / name, false); }), ErrorCode::AlreadyExists) << name;
}

}  // namespace
}  // namespace diskann::io
