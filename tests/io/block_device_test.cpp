// Reads of blocks, in every way that drives are read: the bytes of the file, or an error.
#include "io/block_device.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <limits>
#include <thread>

#include "base/random.hpp"
#include "diskann/error.hpp"
#include "io/file_system.hpp"
#include "sample_container.hpp"
#include "scratch_directory.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::io {
namespace {

class BlockDeviceTest : public testing::Test {
 protected:
  std::filesystem::path write(std::size_t blocks) {
    bytes_ = random_bytes(blocks * kBlockBytes, blocks);
    const std::filesystem::path path = directory_.path() / "pages";
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
    return path;
  }
  /// Null where the system has no such reads.
  static std::unique_ptr<BlockDevice> open(const std::filesystem::path& path, DiskIo io, bool direct = true) {
    try {
      return open_blocks(path, io, direct);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unsupported);
      EXPECT_EQ(io, DiskIo::Uring) << error.what();
      return nullptr;
    }
  }
  /// Sends for blocks at random, a few at a time, and looks at all that land.
  void read_at_random(BlockDevice& device, std::uint64_t seed) {
    constexpr std::size_t kSlots = 12, kBlocks = 3;
    const auto reader = device.reader(kSlots, kBlocks);
    base::Random random(seed);
    std::vector<BlockRead> of_slot(kSlots);
    std::vector<std::uint32_t> free, landed;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) free.push_back(slot);
    const std::size_t blocks = bytes_.size() / kBlockBytes;
    std::size_t sent = 0, seen = 0;
    while (seen < 600) {
      std::vector<BlockRead> reads;
      for (std::size_t i = random.below(kSlots); i > 0 && !free.empty() && sent < 600; --i, ++sent) {
        const auto count = static_cast<std::uint32_t>(1 + random.below(kBlocks));
        reads.push_back({random.below(blocks - count + 1), count, free.back()});
        of_slot[free.back()] = reads.back();
        free.pop_back();
      }
      reader->submit(reads);
      ASSERT_EQ(reader->in_flight(), kSlots - free.size());
      landed.clear();
      random.below(2) == 0 ? reader->poll(landed) : reader->wait(landed);
      for (const std::uint32_t slot : landed) {
        const BlockRead& read = of_slot[slot];
        ASSERT_EQ(std::memcmp(reader->data(slot), bytes_.data() + read.block * kBlockBytes, read.blocks * kBlockBytes),
                  0)
            << "block " << read.block;
        free.push_back(slot);
      }
      seen += landed.size();
    }
    EXPECT_EQ(reader->in_flight(), 0u);
    landed.clear();
    reader->wait(landed);
    EXPECT_TRUE(landed.empty()) << "nothing was under way";
  }

  ScratchDirectory directory_;
  Bytes bytes_;
};

TEST_F(BlockDeviceTest, BringsTheBlocksOfTheFile) {
  const std::filesystem::path path = write(100);
  std::size_t ways = 0;
  for (const DiskIo io : {DiskIo::Auto, DiskIo::Uring, DiskIo::Threads, DiskIo::Mapped}) {
    for (const bool direct : {true, false}) {
      const auto device = open(path, io, direct);
      if (device == nullptr) continue;
      SCOPED_TRACE(device->description());
      read_at_random(*device, 17 + ways);
      ++ways;
    }
  }
  EXPECT_GE(ways, 6u);
  read_at_random(*simulate_blocks(path, {20, 1e6}), 99);
}

TEST_F(BlockDeviceTest, ThreadsHaveReadersOfTheirOwn) {
  const std::filesystem::path path = write(100);
  for (const DiskIo io : {DiskIo::Uring, DiskIo::Threads, DiskIo::Mapped}) {
    const auto device = open(path, io);
    if (device == nullptr) continue;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 0; i < 4; ++i) threads.emplace_back([&, i] { read_at_random(*device, i); });
    for (std::thread& thread : threads) thread.join();
  }
}

TEST_F(BlockDeviceTest, SaysThatAFileShrank) {
  for (const DiskIo io : {DiskIo::Uring, DiskIo::Threads}) {
    for (const bool direct : {true, false}) {
      const std::filesystem::path path = write(10);
      const auto device = open(path, io, direct);
      if (device == nullptr) continue;
      SCOPED_TRACE(device->description());
      const auto reader = device->reader(4, 2);
      for (const std::size_t left : {7 * kBlockBytes, 6 * kBlockBytes + 100}) {  // all of a read is gone, or some
        std::filesystem::resize_file(path, left);
        std::vector<std::uint32_t> landed;
        reader->submit(std::vector<BlockRead>{{6, 2, 1}});
        EXPECT_EQ(code_of([&] { reader->wait(landed); }), ErrorCode::Corrupt);
      }
    }
  }
}

TEST_F(BlockDeviceTest, ReadsNothingBehindTheEnd) {
  const std::filesystem::path path = write(10);
  const auto code = [](BlockDevice& device, const BlockRead& read) {
    const auto reader = device.reader(1, 2);
    std::vector<std::uint32_t> landed;
    return code_of([&] {
      reader->submit({&read, 1});
      reader->wait(landed);
    });
  };
  for (const DiskIo io : {DiskIo::Uring, DiskIo::Threads, DiskIo::Mapped}) {
    const auto device = open(path, io);
    if (device == nullptr) continue;
    SCOPED_TRACE(device->description());
    EXPECT_EQ(code(*device, {9, 2, 0}), ErrorCode::Corrupt);
    EXPECT_EQ(code(*device, {10, 1, 0}), ErrorCode::Corrupt);
  }
  EXPECT_EQ(code(*simulate_blocks(path, {20, 1e6}), {9, 2, 0}), ErrorCode::Corrupt);
}

TEST_F(BlockDeviceTest, MayBeLeftWithReadsUnderWay) {
  const std::filesystem::path path = write(50);
  for (const DiskIo io : {DiskIo::Uring, DiskIo::Threads, DiskIo::Mapped}) {
    const auto device = open(path, io);
    if (device == nullptr) continue;
    for (int i = 0; i < 20; ++i) {
      const auto reader = device->reader(8, 1);
      std::vector<BlockRead> reads;
      for (std::uint32_t slot = 0; slot < 8; ++slot) reads.push_back({slot * 5, 1, slot});
      reader->submit(reads);
    }
  }
}

TEST(BlockDevice, ReportsWhatTheDriveSays) {
  doubles::FaultFileSystem files;
  const FileSystemOverride override(files);
  files.put("/pages", random_bytes(20 * kBlockBytes, 1));
  for (const int error : {EIO, ENXIO, 0}) {
    const auto device = open_blocks("/pages", DiskIo::Auto, true);
    EXPECT_EQ(device->description(), "threads, cached") << "no file of the system's";
    const auto reader = device->reader(2, 1);
    files.arm({doubles::Operation::Read, 2, error});
    std::vector<std::uint32_t> landed;
    reader->submit(std::vector<BlockRead>{{3, 1, 0}});
    reader->wait(landed);
    EXPECT_EQ(landed.size(), 1u);
    reader->submit(std::vector<BlockRead>{{4, 1, 1}});
    EXPECT_EQ(code_of([&] { reader->wait(landed); }), error == 0 ? ErrorCode::Corrupt : ErrorCode::Io);
    EXPECT_TRUE(files.fired());
    files.disarm();
  }
  EXPECT_EQ(code_of([] { open_blocks("/pages", DiskIo::Uring, true); }), ErrorCode::Unsupported);
  EXPECT_EQ(code_of([] { open_blocks("/nothing", DiskIo::Threads, true); }), ErrorCode::NotFound);
}

TEST_F(BlockDeviceTest, SimulatedDrivesTakeTheirTime) {
  const std::filesystem::path path = write(40);
  const auto seconds = [&](const SimulatedDrive& drive, std::size_t under_way) {
    const auto device = simulate_blocks(path, drive);
    const auto reader = device->reader(under_way, 1);
    std::vector<std::uint32_t> landed;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t done = 0; done < 40; done += under_way) {
      std::vector<BlockRead> reads;
      for (std::size_t i = 0; i < under_way; ++i) reads.push_back({done + i, 1, static_cast<std::uint32_t>(i)});
      reader->submit(reads);
      while (reader->in_flight() > 0) reader->wait(landed);
    }
    EXPECT_EQ(landed.size(), 40u);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  EXPECT_GE(seconds({200, 1e6}, 1), 40 * 200e-6);
  EXPECT_GE(seconds({200, 1e6}, 8), 5 * 200e-6);
  EXPECT_LT(seconds({2000, 1e6}, 40), 40 * 2000e-6) << "forty at a time";
  EXPECT_GE(seconds({0, 10000}, 8), 39 * 100e-6) << "reads begin one after the other";
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const SimulatedDrive& drive : {SimulatedDrive{-1, 1e6}, SimulatedDrive{2e6, 1e6}, SimulatedDrive{kNan, 1e6},
                                      SimulatedDrive{80, 0}, SimulatedDrive{80, -5}, SimulatedDrive{80, kNan}})
    EXPECT_EQ(code_of([&] { simulate_blocks(path, drive); }), ErrorCode::InvalidArgument);
}

}  // namespace
}  // namespace diskann::io
