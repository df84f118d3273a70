// What a save leaves behind when something fails or the power goes: the old file or the new one, whole.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "sample_container.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::io {
namespace {

using doubles::FaultFileSystem;
using doubles::Operation;

const std::string kPath = "/d/index";

std::vector<Payload> old_sections() { return {{SectionKind::Meta, bytes_of("old")}}; }

/// Over the size of the writer's buffer, so that there are several writes.
const std::vector<Payload>& new_sections() {
  static const std::vector<Payload> sections = {{SectionKind::Meta, bytes_of("new")},
                                                {SectionKind::Vectors, random_bytes(1'100'000, 1)},
                                                {SectionKind::EntryPoints, random_bytes(12, 2)}};
  return sections;
}

/// Holds the old file, durably.
void prepare(FaultFileSystem& files) {
  const FileSystemOverride in_force(files);
  save(kPath, old_sections());
}

/// 0: the old file is there, 1: the new one.
std::size_t index_of(FaultFileSystem files) {
  const FileSystemOverride in_force(files);
  const std::vector<Payload> found = read_back(kPath);
  if (found == old_sections()) return 0;
  if (found == new_sections()) return 1;
  throw Error(ErrorCode::Internal, "neither the old file nor the new one");
}

TEST(SaveFaults, EveryOperationThatFailsLeavesTheOldFileOrTheNewOne) {
  std::size_t cases = 0;
  for (const Operation operation : {Operation::Create, Operation::Write, Operation::Sync, Operation::Close,
                                    Operation::Rename, Operation::SyncDirectory, Operation::Remove}) {
    for (const int error : {EIO, ENOSPC}) {
      for (const bool for_ever : {false, true}) {
        for (std::size_t nth = 1;; ++nth) {
          FaultFileSystem files;
          prepare(files);
          files.arm({operation, nth, error, for_ever, operation == Operation::Write ? nth * 512 : 0});
          std::string path;
          {
            const FileSystemOverride in_force(files);
            try {
              save(kPath, new_sections());
            } catch (const IoError& failure) {
              path = failure.path();
              EXPECT_EQ(failure.system_error(), error);
            }
          }
          files.disarm();
          SCOPED_TRACE(std::string(to_string(operation)) + " " + std::to_string(nth));
          if (!files.fired()) {
            EXPECT_EQ(index_of(files), 1u);
            break;
          }
          ++cases;
          EXPECT_NE(path.find("index"), std::string::npos) << path;
          EXPECT_EQ(index_of(files), operation == Operation::SyncDirectory ? 1u : 0u);
          EXPECT_EQ(files.names(), std::vector<std::string>{kPath}) << "a temporary file is left";
          EXPECT_EQ(index_of(files.crash(0)), 0u) << "what was not synced counts as durable";
        }
      }
    }
  }
  EXPECT_GE(cases, 36u);
}

TEST(SaveFaults, ATemporaryFileThatCannotBeRemovedHidesNoError) {
  FaultFileSystem files;
  files.arm({Operation::Remove, 1, EACCES});
  const FileSystemOverride in_force(files);
  EXPECT_NO_THROW({ AtomicFile abandoned(kPath, true); });
  EXPECT_TRUE(files.fired());
}

TEST(SaveFaults, ALossOfPowerAtAnyMomentShowsTheOldFileOrTheNewOneNeverAMix) {
  constexpr std::uint64_t kSeeds = 40;
  std::size_t images = 0, olds = 0, news = 0;
  FaultFileSystem files;
  prepare(files);
  const auto crash = [&] {
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      ++images;
      SCOPED_TRACE("seed " + std::to_string(seed) + " after " + std::to_string(files.trace().size()) + " operations");
      try {
        ++(index_of(files.crash(seed)) == 0 ? olds : news);
      } catch (const Error& error) {
        ADD_FAILURE() << error.what();
      }
    }
  };
  files.observe([&](const doubles::Event&) { crash(); });
  {
    const FileSystemOverride in_force(files);
    save(kPath, new_sections());
  }
  EXPECT_GT(news, 0u) << "the moment between rename and sync of the directory was not met";
  EXPECT_GT(olds, 0u);
  const std::size_t olds_before = olds;
  crash();
  EXPECT_EQ(olds, olds_before) << "a committed file was lost";
  EXPECT_GE(images, 9 * kSeeds);
}

// The tests above would pass on a double that forgets nothing; this one shows that it does.
TEST(SaveFaults, TheDoubleLosesWhatAFileSystemMayLose) {
  std::size_t torn = 0, nameless = 0, whole = 0;
  FaultFileSystem files;
  const Bytes content = random_bytes(20'000, 3);
  const auto file = files.create("/d/file", {});
  file->write(0, content);
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const auto found = files.crash(seed).content("/d/file");
    ++(!found ? nameless : *found == content ? whole : torn);
  }
  EXPECT_GT(torn, 5u);
  EXPECT_GT(nameless, 5u);
  EXPECT_GT(whole, 0u);
  file->sync();
  EXPECT_FALSE(files.crash(0).content("/d/file")) << "the name was not synced";
  files.sync_directory("/elsewhere");
  EXPECT_FALSE(files.crash(0).content("/d/file"));
  files.sync_directory("/d");
  for (std::uint64_t seed = 0; seed < 50; ++seed) EXPECT_TRUE(files.crash(seed).content("/d/file") == content);
}

TEST(SaveFaults, TheDoubleForgetsDataWhoseSyncFailedEvenIfTheNextOneSucceeds) {
  FaultFileSystem files;
  const auto file = files.create("/d/file", {});
  files.sync_directory("/d");
  file->write(0, bytes_of("content"));
  files.arm({Operation::Sync, 1, EIO});
  EXPECT_THROW(file->sync(), IoError);
  EXPECT_NO_THROW(file->sync());
  EXPECT_EQ(files.crash(0).content("/d/file"), Bytes());
}

}  // namespace
}  // namespace diskann::io
