#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <type_traits>

#include "diskann/error.hpp"
#include "io/file_system.hpp"

namespace diskann::formats {

// Every format here is little endian and is read with memcpy.
static_assert(std::endian::native == std::endian::little, "big-endian hosts need a byte swap in src/formats");

/// How much is read or written at once.
inline constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

/// A foreign file open for reading. Its size is taken once, and every error names it.
class InputFile {
 public:
  /// Refuses Git LFS pointers, which stand where a test file was never fetched.
  explicit InputFile(const std::filesystem::path& path);

  const std::string& name() const noexcept { return name_; }
  std::uint64_t size() const noexcept { return size_; }
  void read(std::uint64_t offset, std::span<std::byte> out) const { file_->read(offset, out); }
  void read(std::uint64_t offset, void* out, std::size_t bytes) const {
    read(offset, {static_cast<std::byte*>(out), bytes});
  }
  /// The value at `offset`; Corrupt, naming `what`, where the file ends before.
  template <class T>
  T value(std::uint64_t offset, const char* what) const {
    static_assert(std::is_trivially_copyable_v<T>);
    if (size_ < sizeof(T) || offset > size_ - sizeof(T))
      corrupt(std::string(what) + " at offset " + std::to_string(offset) + " lies beyond the end of the file (" +
              std::to_string(size_) + " bytes)");
    T result;
    read(offset, &result, sizeof result);
    return result;
  }

  [[noreturn]] void fail(ErrorCode code, const std::string& what, std::string hint = {}) const;
  [[noreturn]] void corrupt(const std::string& what, std::string hint = {}) const;

 private:
  std::string name_;
  std::unique_ptr<io::ReadableFile> file_;
  std::uint64_t size_ = 0;
};

/// Values of one type from a part of a file, one after the other through a buffer.
template <class T>
class ValueStream {
 public:
  /// [offset, end) must lie inside the file.
  ValueStream(const InputFile& file, std::uint64_t offset, std::uint64_t end)
      : file_(file),
        next_(offset),
        end_(end),
        buffer_(std::make_unique_for_overwrite<std::byte[]>(buffer_bytes(end - offset))) {}

  std::uint64_t position() const noexcept { return next_ - (filled_ - used_); }
  std::uint64_t left() const noexcept { return (end_ - position()) / sizeof(T); }
  /// left() must not be 0.
  T next() {
    if (used_ == filled_) fill();
    T value;
    std::memcpy(&value, buffer_.get() + used_, sizeof value);
    used_ += sizeof value;
    return value;
  }

 private:
  static std::size_t buffer_bytes(std::uint64_t bytes) noexcept {
    return bytes < kBlockBytes ? static_cast<std::size_t>(bytes) : kBlockBytes;
  }
  void fill() {
    filled_ = buffer_bytes(end_ - next_) / sizeof(T) * sizeof(T);
    used_ = 0;
    file_.read(next_, buffer_.get(), filled_);
    next_ += filled_;
  }

  const InputFile& file_;
  std::uint64_t next_, end_;
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t used_ = 0, filled_ = 0;
};

}  // namespace diskann::formats
