// What is left where an index for a drive is written and something fails or the power goes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "diskann/disk_index.hpp"
#include "diskann/inspect.hpp"
#include "scratch.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::index {
namespace {

using doubles::FaultFileSystem;
using doubles::Operation;

constexpr Operation kWriting[] = {Operation::Create, Operation::Write,  Operation::Sync,
                                  Operation::Close,  Operation::Rename, Operation::SyncDirectory};
const std::string kPath = "/d/index", kPrefix = "/d/set";

/// Large enough that its pages are written in several parts.
Index built() {
  return IndexBuilder()
      .max_degree(24)
      .quantize(Codec::PQ8, 8)
      .for_drive()
      .build_from_vectors(clusters(VectorType::F32, 64, 4000).vectors);
}

TEST(DiskFaults, EveryOperationThatFailsLeavesTheOldFileOrTheNewOne) {
  const Index index = built();
  const std::vector<std::byte> old(5000, std::byte{7});
  std::vector<std::byte> whole;
  std::size_t cases = 0;
  for (const Operation operation : kWriting) {
    for (const int error : {EIO, ENOSPC}) {
      for (std::size_t nth = 1;; ++nth) {
        SCOPED_TRACE(std::string(to_string(operation)) + " " + std::to_string(nth));
        FaultFileSystem files;
        files.put(kPath, old);
        files.arm({operation, nth, error, false, operation == Operation::Write ? nth * 512 : 0});
        const io::FileSystemOverride in_force(files);
        int seen = 0;
        try {
          index.save_for_disk(kPath, true);
        } catch (const IoError& failure) {
          seen = failure.system_error();
          EXPECT_NE(std::string(failure.what()).find(kPath), std::string::npos) << failure.what();
        }
        files.disarm();
        EXPECT_EQ(files.names(), std::vector<std::string>{kPath}) << "a temporary file is left";
        if (!files.fired()) {
          whole = *files.content(kPath);
          EXPECT_TRUE(verify(kPath).ok());
          break;
        }
        ++cases;
        EXPECT_EQ(seen, error);
        EXPECT_TRUE(*files.content(kPath) == (operation == Operation::SyncDirectory ? whole : old));
      }
    }
  }
  EXPECT_GE(cases, 16u) << "the file is written at once";
}

TEST(DiskFaults, ALossOfPowerAtAnyMomentShowsTheOldFileOrTheNewOne) {
  const Index index = built();
  const std::vector<std::byte> old(5000, std::byte{7});
  std::vector<std::vector<std::byte>> found;
  FaultFileSystem files;
  files.put(kPath, old);
  files.observe([&](const doubles::Event&) {
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      const auto content = files.crash(seed).content(kPath);
      ASSERT_TRUE(content);
      if (found.empty() || *content != found.back()) found.push_back(*content);
    }
  });
  const io::FileSystemOverride in_force(files);
  index.save_for_disk(kPath, true);
  files.observe({});
  const std::vector<std::byte> whole = *files.content(kPath);
  ASSERT_GE(found.size(), 2u) << "the moment between rename and sync of the directory was not met";
  for (const std::vector<std::byte>& content : found) EXPECT_TRUE(content == old || content == whole);
  EXPECT_TRUE(files.crash(0).content(kPath) == whole) << "what was saved was lost";
}

TEST(DiskFaults, EveryOperationThatFailsLeavesMicrosoftsOldSetOrTheNewOne) {
  FaultFileSystem start;
  std::optional<Index> index;
  {
    const io::FileSystemOverride in_force(start);
    IndexBuilder()
        .quantize(Codec::PQ8, 4)
        .build_from_vectors(clusters(VectorType::U8, 8, 100).vectors)
        .save_for_disk(kPath);
    Index::open(kPath).save_microsoft(kPrefix);
    built().save_for_disk(kPath, true);
    index = Index::open(kPath);
    io::file_system().remove(kPath);
    io::file_system().sync_directory("/d");
  }
  std::size_t cases = 0;
  for (const Operation operation : kWriting) {
    for (std::size_t nth = 1;; ++nth) {
      SCOPED_TRACE(std::string(to_string(operation)) + " " + std::to_string(nth));
      FaultFileSystem files = start.crash(1);
      files.arm({operation, nth, ENOSPC, false, operation == Operation::Write ? nth * 512 : 0});
      const io::FileSystemOverride in_force(files);
      bool is_old = false;
      try {
        index->save_microsoft(kPrefix, true);
      } catch (const IoError& failure) {
        EXPECT_EQ(failure.system_error(), ENOSPC);
        is_old = std::string(failure.what()).find("the new files are in place") == std::string::npos;
      }
      files.disarm();
      const std::vector<std::string> names = files.names();
      EXPECT_TRUE(std::none_of(names.begin(), names.end(), [](const std::string& name) {
        return name.ends_with(".tmp");
      })) << "a temporary file is left";
      DiskOpenOptions options;
      options.io = DiskIo::Mapped;
      const DiskIndex found = DiskIndex::open(kPrefix, options);
      EXPECT_EQ(found.size(), is_old ? 100u : 4000u);
      EXPECT_EQ(found.search(std::vector<float>(found.dimension(), 1.0f), 3).size(), 3u);
      if (!files.fired()) break;
      ++cases;
    }
  }
  EXPECT_GE(cases, 30u);
}

}  // namespace
}  // namespace diskann::index
