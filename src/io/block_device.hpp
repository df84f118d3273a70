#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/huge_array.hpp"
#include "diskann/disk_index.hpp"

namespace diskann::io {

inline constexpr std::size_t kBlockBytes = 4096;

/// Blocks of a file, one after the other, that a slot of a reader is to take.
struct BlockRead {
  std::uint64_t block = 0;   ///< the first
  std::uint32_t blocks = 1;  ///< as many as a slot has at most
  std::uint32_t slot = 0;
};

/// Reads under way for one caller at a time. What a slot holds is there from when its read landed until the next one is
/// sent for it.
class BlockReader {
 public:
  virtual ~BlockReader() = default;
  BlockReader(const BlockReader&) = delete;

  /// Sends for them. None of the slots may wait for another read, and the blocks must be in the file as it was opened.
  void submit(std::span<const BlockRead> reads);
  /// Appends the slots whose reads landed since. Throws Io or Corrupt where one failed: then the reader is of no more
  /// use.
  void poll(std::vector<std::uint32_t>& landed) { collect(landed, false); }
  /// The same, and waits for one if there are any under way and none has landed.
  void wait(std::vector<std::uint32_t>& landed) { collect(landed, in_flight_ > 0); }
  std::size_t in_flight() const noexcept { return in_flight_; }
  const std::byte* data(std::uint32_t slot) const noexcept { return data_[slot]; }

 protected:
  /// `slots` of so many blocks each; `owned`: with memory of their own.
  BlockReader(std::size_t slots, std::size_t blocks, bool owned);
  std::byte* memory(std::uint32_t slot) noexcept { return memory_.data() + slot * blocks_ * kBlockBytes; }
  std::span<std::byte> all_memory() noexcept { return {memory_.data(), memory_.size()}; }
  void set_data(std::uint32_t slot, const std::byte* data) noexcept { data_[slot] = data; }

 private:
  virtual void send(std::span<const BlockRead> reads) = 0;
  /// Appends what landed; waits for one where none did and `patient`.
  virtual void receive(std::vector<std::uint32_t>& landed, bool patient) = 0;
  void collect(std::vector<std::uint32_t>& landed, bool patient);

  std::size_t blocks_;
  base::HugeArray<std::byte> memory_;
  std::vector<const std::byte*> data_;
  std::size_t in_flight_ = 0;
};

/// A file that is read in blocks, past the system's cache where that can be. For use by many threads.
class BlockDevice {
 public:
  virtual ~BlockDevice() = default;
  virtual std::unique_ptr<BlockReader> reader(std::size_t slots, std::size_t blocks) = 0;
  /// "io_uring, direct" and the like.
  virtual std::string description() const = 0;
};

/// Throws Io; Unsupported for what this system has not, but for Auto. `direct`: past the system's cache; where a file
/// system has no such reads, through it, and the description says so.
std::unique_ptr<BlockDevice> open_blocks(const std::filesystem::path& path, DiskIo io, bool direct);

/// Throws Corrupt where the file does not begin with `first`: the device opened it by its name, which another may have
/// by now.
void check_begins(BlockDevice& device, std::span<const std::byte> first, const std::filesystem::path& path);

/// As DiskOpenOptions::simulated says.
std::unique_ptr<BlockDevice> simulate_blocks(const std::filesystem::path& path, const SimulatedDrive& drive);

}  // namespace diskann::io
