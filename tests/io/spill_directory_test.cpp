#include "io/spill_directory.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "diskann/error.hpp"
#include "scratch_directory.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::io {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(SpillDirectory, IsGoneWithWhatIsInIt) {
  const ScratchDirectory directory;
  const std::filesystem::path output = directory.path() / "a.idx";
  {
    const SpillDirectory spill(output, false);
    EXPECT_EQ(spill.path(), directory.path() / "a.idx.build");
    spill.put("rows", bytes_of("abc"));
    EXPECT_TRUE(spill.has("rows"));
    EXPECT_FALSE(spill.has("edges"));
    spill.put("rows", bytes_of("de"));
    EXPECT_EQ(spill.open("rows")->size(), 2u);
    spill.put("more", bytes_of("f"));
    spill.remove("more");
    EXPECT_FALSE(spill.has("more"));
  }
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "a.idx.build"));
}

TEST(SpillDirectory, IsKeptForWhoeverGoesOnUntilTheWorkIsDone) {
  const ScratchDirectory directory;
  const std::filesystem::path output = directory.path() / "a.idx";
  {
    const SpillDirectory spill(output, true);
    spill.put("plan", bytes_of("what"));
    spill.put("rows", bytes_of("abc"));
  }
  try {
    const SpillDirectory other(output, false);
    ADD_FAILURE() << "took over what another left";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
    EXPECT_NE(error.hint().find("--resume"), std::string::npos);
  }
  {
    SpillDirectory again(output, true);
    EXPECT_TRUE(again.has("rows"));
    again.done();
  }
  EXPECT_FALSE(std::filesystem::exists(directory.path() / "a.idx.build"));
}

TEST(SpillDirectory, IsOfOneProcessAtATime) {
  const ScratchDirectory directory;
  const std::filesystem::path output = directory.path() / "a.idx";
  std::optional<SpillDirectory> first;
  first.emplace(output, true);
  if (file_system().try_lock_directory(first->path())) GTEST_SKIP() << "no locks here";
  try {
    const SpillDirectory second(output, true);
    ADD_FAILURE() << "two at once";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Io);
  }
  first->put("still", bytes_of("there"));
}

TEST(SpillDirectory, TakesOverNoDirectoryOfOthers) {
  const ScratchDirectory directory;
  const std::filesystem::path mine = directory.path() / "a.idx.build";
  std::filesystem::create_directory(mine);
  std::ofstream(mine / "letter") << "mine";
  for (const bool resume : {false, true}) EXPECT_THROW(SpillDirectory(directory.path() / "a.idx", resume), Error);
  EXPECT_TRUE(std::filesystem::exists(mine / "letter"));
  // What a process that was killed had not finished goes.
  std::filesystem::rename(mine / "letter", mine / ".rows-3.77-1.tmp");
  { const SpillDirectory spill(directory.path() / "a.idx", true); }
  EXPECT_TRUE(std::filesystem::is_empty(mine));
}

TEST(SpillDirectory, ThePlanGoesLast) {
  doubles::FaultFileSystem files;
  const FileSystemOverride in_force(files);
  std::vector<std::string> removed;
  {
    const SpillDirectory spill("/d/a.idx", false);
    for (const char* const name : {"plan", "a", "z"}) spill.put(name, bytes_of("x"));
    files.observe([&](const doubles::Event& event) {
      if (event.operation == doubles::Operation::Remove) removed.push_back(event.path);
    });
  }
  ASSERT_EQ(removed.size(), 3u);
  EXPECT_EQ(removed.back(), "/d/a.idx.build/plan");
}

TEST(SpillDirectory, AFileInItsPlaceIsAnError) {
  const ScratchDirectory directory;
  std::ofstream(directory.path() / "a.idx.build") << "mine";
  EXPECT_THROW(SpillDirectory(directory.path() / "a.idx", true), IoError);
  EXPECT_TRUE(std::filesystem::exists(directory.path() / "a.idx.build"));
}

TEST(SpillDirectory, AFileThatCouldNotBeWrittenIsNotThere) {
  doubles::FaultFileSystem files;
  const FileSystemOverride in_force(files);
  const SpillDirectory spill("/d/a.idx", true);
  spill.put("rows", bytes_of("old"));
  files.arm({doubles::Operation::Write, 1, ENOSPC, false, 2});
  EXPECT_THROW(spill.put("rows", bytes_of("new")), IoError);
  EXPECT_THROW(spill.put("edges", [](const SpillDirectory::Sink&) { throw Error(ErrorCode::Cancelled, "stop"); }),
               Error);
  EXPECT_FALSE(spill.has("edges"));
  std::vector<std::byte> found(3);
  spill.open("rows")->read(0, found);
  EXPECT_EQ(std::memcmp(found.data(), "old", 3), 0);
  EXPECT_EQ(files.names(), std::vector<std::string>{"/d/a.idx.build/rows"});
}

}  // namespace
}  // namespace diskann::io
