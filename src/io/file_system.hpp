#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace diskann::io {

/// A file open for reading. Reads are safe from several threads.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  virtual std::uint64_t size() const = 0;
  /// Fills `out` from `offset` or throws: IoError for errno, Corrupt where the file ends before.
  virtual void read(std::uint64_t offset, std::span<std::byte> out) const = 0;
  /// The whole file in memory, valid as long as the pointer lives. Throws Unsupported where it cannot be mapped.
  virtual std::shared_ptr<const std::byte> map() const = 0;
  /// The system's, for reads that it is asked for without this class; -1 where there is none.
  virtual int descriptor() const noexcept { return -1; }
  virtual const std::string& path() const noexcept = 0;
};

/// A new file. Writing ends with sync() and close(); a file that is only destroyed may be incomplete.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual void write(std::uint64_t offset, std::span<const std::byte> bytes) = 0;
  /// Returns only when the content is durable. An error is final for this file.
  virtual void sync() = 0;
  virtual void close() = 0;
};

/// The only way to files in the library, so that tests can inject every fault. All calls throw IoError.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  virtual std::unique_ptr<ReadableFile> open(const std::filesystem::path& path) = 0;
  /// The same for reads past the system's cache, whose offsets, sizes and memory are multiples of 4,096 bytes; null
  /// where the file system has no such reads.
  virtual std::unique_ptr<ReadableFile> open_direct(const std::filesystem::path&) { return nullptr; }
  /// A file that must not exist yet (O_EXCL). `target` is the name that it is to take later, or empty: errors name that
  /// one, and a regular file there leaves it its permissions, for no one who could not read that file may read this
  /// one.
  virtual std::unique_ptr<WritableFile> create(const std::filesystem::path& path,
                                               const std::filesystem::path& target) = 0;
  /// Replaces `to` if it exists.
  virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  /// EEXIST where `to` exists, also where it came into being a moment ago.
  virtual void rename_new(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
  virtual void remove(const std::filesystem::path& path) = 0;
  /// Makes names in the directory durable.
  virtual void sync_directory(const std::filesystem::path& directory) = 0;
  /// What the path names; a symbolic link is one, wherever it leads.
  virtual std::filesystem::file_status status(const std::filesystem::path& path) = 0;
  /// The same of what a symbolic link leads to; not_found where it leads nowhere.
  virtual std::filesystem::file_status target_status(const std::filesystem::path& path) = 0;
  /// What a symbolic link says, one step of the way; empty where the path names no link.
  virtual std::filesystem::path link_target(const std::filesystem::path& path) = 0;
  bool exists(const std::filesystem::path& path) { return std::filesystem::exists(status(path)); }
  /// False where it is there already.
  virtual bool create_directory(const std::filesystem::path& directory) = 0;
  /// An empty one.
  virtual void remove_directory(const std::filesystem::path& directory) = 0;
  /// Names of what is in it, in no order.
  virtual std::vector<std::string> names_in(const std::filesystem::path& directory) = 0;
  /// Holds the directory while the pointer lives, against this process and others. Nothing where someone else holds it;
  /// a null pointer where the file system has no locks. Does not wait: see lock_directory().
  virtual std::optional<std::shared_ptr<const void>> try_lock_directory(const std::filesystem::path& directory) = 0;
};

/// What the library uses: the system's, unless an override is in force.
FileSystem& file_system() noexcept;

/// Puts another file system in place while it lives (tests). Not for concurrent use.
class FileSystemOverride {
 public:
  explicit FileSystemOverride(FileSystem& replacement) noexcept;
  ~FileSystemOverride();
  FileSystemOverride(const FileSystemOverride&) = delete;

 private:
  FileSystem* previous_;
};

}  // namespace diskann::io
