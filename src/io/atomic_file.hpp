#pragma once

#include <filesystem>
#include <memory>
#include <span>

#include "io/file_system.hpp"

namespace diskann::io {

/// A file that appears whole or not at all: a temporary file in the same directory, fsync, rename, fsync of the
/// directory. Destroyed without commit(), the temporary file is removed and an older file is as it was.
class AtomicFile {
 public:
  /// AlreadyExists where `path` exists and `overwrite` is false (checked now and again at commit). A symbolic link at
  /// `path` is replaced by the file, not followed.
  AtomicFile(std::filesystem::path path, bool overwrite);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;

  /// Appends.
  void write(std::span<const std::byte> bytes);
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Bytes appended so far.
  std::uint64_t position() const noexcept { return position_; }
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  bool overwrite_;
  std::unique_ptr<WritableFile> file_;
  std::uint64_t position_ = 0;
};

}  // namespace diskann::io
