#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace diskann::io {

/// XXH3-64 of `bytes`, seed 0.
std::uint64_t checksum(std::span<const std::byte> bytes) noexcept;

/// The same over bytes that come in parts.
class RunningChecksum {
 public:
  RunningChecksum();
  ~RunningChecksum();
  RunningChecksum(const RunningChecksum&) = delete;
  void reset() noexcept;
  void add(std::span<const std::byte> bytes) noexcept;
  std::uint64_t value() const noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace diskann::io
