#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "io/file_system.hpp"

namespace diskann::io {

/// A name beside `path`, hidden, and of no other process or thread.
std::filesystem::path temporary_name(const std::filesystem::path& path);

/// A file that appears whole or not at all: a temporary file in the same directory, fsync, rename, fsync of the
/// directory. Destroyed without commit(), the temporary file is removed and an older file is as it was.
class AtomicFile {
 public:
  /// AlreadyExists where `path` exists and `overwrite` is false (checked now and again at commit). A file that is
  /// replaced leaves its permissions to the new one; a symbolic link at `path` is replaced itself, not followed. What
  /// no file can replace is refused now: a directory (Io), a device, a pipe or a socket (InvalidArgument). `replaced`
  /// is the file whose place it takes, where another rename will bring it there later; default: `path`.
  AtomicFile(std::filesystem::path path, bool overwrite, const std::filesystem::path& replaced = {});
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;

  /// Appends. Small pieces are gathered, so that they are cheap. After an error nothing can be committed.
  void write(std::span<const std::byte> bytes);
  /// Overwrites bytes that were appended before.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Bytes appended so far.
  std::uint64_t position() const noexcept { return position_; }
  /// Once. Where it throws, the file is not in place, unless the error says that it is and only the sync of its
  /// directory failed.
  void commit();

 private:
  void flush();
  void write_through(std::uint64_t offset, std::span<const std::byte> bytes);

  std::filesystem::path path_, temporary_;
  bool overwrite_;
  std::unique_ptr<WritableFile> file_;
  std::vector<std::byte> buffer_;  // the end of what was appended, not yet in the file
  std::uint64_t position_ = 0;
  bool intact_ = true;  // no write failed and commit() was not called
};

}  // namespace diskann::io
