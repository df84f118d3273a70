#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "diskann/types.hpp"
#include "io/file_system.hpp"
#include "io/temporary_files.hpp"

namespace diskann::io {

/// A name beside `path`, hidden, and of no other process or thread.
std::filesystem::path temporary_name(const std::filesystem::path& path);

/// Where a file written at `path` goes: to the end of the symbolic links there, whether something is there or not.
std::filesystem::path output_target(const std::filesystem::path& path);

/// Whether there is something at the output_target() of `path` that a new file is to replace. Refuses what it cannot or
/// may not replace: a directory (Io), a device, a pipe or a socket (InvalidArgument), and with `overwrite` false
/// anything (AlreadyExists).
bool check_replaceable(const std::filesystem::path& path, bool overwrite);

/// A file that appears whole or not at all: a temporary file beside its output_target(), fsync, rename, fsync of the
/// directory. Destroyed without commit(), the temporary file is removed and an older file is as it was.
class AtomicFile {
 public:
  static constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
  /// Throws what check_replaceable() does. A file that is replaced leaves its permissions to the new one.
  AtomicFile(const std::filesystem::path& path, bool overwrite, std::size_t buffer_bytes = kBufferBytes);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;

  /// Appends. Small pieces are gathered, so that they are cheap. After an error nothing can be committed.
  void write(std::span<const std::byte> bytes);
  /// Overwrites bytes that were appended before.
  void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
  /// Bytes appended so far.
  std::uint64_t position() const noexcept { return position_; }
  /// Once. Where it throws, the file is not in place, unless the error says that it is and only the sync of its
  /// directory failed. AlreadyExists as above, also for what came into being since. Cancelled where the token is set
  /// before the file is in place: making much content durable takes long.
  void commit(const CancelToken* cancel = nullptr);
  /// In place of commit(): leaves the durable file under its temporary name, for the caller to move or to remove.
  std::filesystem::path release();

 private:
  void finish();
  void flush();
  void write_through(std::uint64_t offset, std::span<const std::byte> bytes);

  std::filesystem::path path_, temporary_;
  TemporaryMark mark_;
  bool overwrite_;
  std::unique_ptr<WritableFile> file_;
  std::size_t buffer_bytes_;
  std::vector<std::byte> buffer_;  // the end of what was appended, not yet in the file
  std::uint64_t position_ = 0;
  bool intact_ = true;  // no write failed and commit() was not called
};

}  // namespace diskann::io
