#include "io/posix_file_system.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "diskann/error.hpp"

namespace diskann::io {
namespace {

/// Repeats a call that a signal interrupted.
template <class Call>
auto retry(Call call) {
  decltype(call()) result;
  do {
    result = call();
  } while (result < 0 && errno == EINTR);
  return result;
}

class Descriptor {
 public:
  explicit Descriptor(int fd) noexcept : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }
  /// Linux frees the descriptor even where close() is interrupted: that is not an error, and must not be repeated.
  bool close() noexcept { return ::close(std::exchange(fd_, -1)) == 0 || errno == EINTR; }

 private:
  int fd_;
};

std::string at_offset(const char* action, std::uint64_t offset) {
  return std::string(action) + " at offset " + std::to_string(offset) + " of";
}

class PosixReadableFile final : public ReadableFile {
 public:
  PosixReadableFile(Descriptor fd, std::string path, std::uint64_t size) noexcept
      : fd_(std::move(fd)), path_(std::move(path)), size_(size) {}

  std::uint64_t size() const override { return size_; }
  int descriptor() const noexcept override { return fd_.get(); }
  const std::string& path() const noexcept override { return path_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    if (offset > size_ || out.size() > size_ - offset) throw_short(offset, out.size(), size_);
    while (!out.empty()) {
      const ssize_t got = retry([&] { return ::pread(fd_.get(), out.data(), out.size(), static_cast<off_t>(offset)); });
      if (got < 0) throw IoError(at_offset("cannot read", offset), path_, errno);
      if (got == 0) throw_short(offset, out.size(), offset);  // truncated since it was opened
      offset += static_cast<std::uint64_t>(got);
      out = out.subspan(static_cast<std::size_t>(got));
    }
  }

  std::shared_ptr<const std::byte> map() const override {
    static constexpr std::byte kNothing{};
    if (size_ == 0) return {std::shared_ptr<void>(), &kNothing};
    struct stat status;
    if (::fstat(fd_.get(), &status) != 0) throw IoError("cannot read the size of", path_, errno);
    // Touching pages behind the end would be SIGBUS. A file that shrinks later still is: see docs/format.md.
    if (static_cast<std::uint64_t>(status.st_size) < size_)
      throw_short(0, size_, static_cast<std::uint64_t>(status.st_size));
    void* pages = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, fd_.get(), 0);
    if (pages == MAP_FAILED) {
      if (errno == ENODEV)
        throw Error(ErrorCode::Unsupported, path_ + " cannot be memory-mapped on this file system",
                    "open it without mapping");
      throw IoError("cannot map", path_, errno);
    }
    return {static_cast<const std::byte*>(pages),
            [size = size_](const std::byte* start) { ::munmap(const_cast<std::byte*>(start), size); }};
  }

 private:
  [[noreturn]] void throw_short(std::uint64_t offset, std::uint64_t wanted, std::uint64_t end) const {
    throw Error(ErrorCode::Corrupt, path_ + ": expected " + std::to_string(wanted) + " bytes at offset " +
                                        std::to_string(offset) + ", but the file ends at " + std::to_string(end));
  }

  Descriptor fd_;
  std::string path_;
  std::uint64_t size_;  // when opened
};

class PosixWritableFile final : public WritableFile {
 public:
  PosixWritableFile(Descriptor fd, std::string path) noexcept : fd_(std::move(fd)), path_(std::move(path)) {}

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t put =
          retry([&] { return ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
      if (put <= 0) throw IoError(at_offset("cannot write", offset), path_, put < 0 ? errno : EIO);
      offset += static_cast<std::uint64_t>(put);
      bytes = bytes.subspan(static_cast<std::size_t>(put));
    }
  }

  void sync() override {
    // After a failed fsync Linux forgets the dirty pages and the next one succeeds: never believe it.
    if (sync_failed_) throw IoError("an earlier sync failed for", path_, EIO);
#if defined(F_FULLFSYNC)
    if (::fcntl(fd_.get(), F_FULLFSYNC) == 0) return;  // macOS: fsync leaves data in the drive's own memory
#endif
    if (retry([&] { return ::fsync(fd_.get()); }) == 0) return;
    sync_failed_ = true;
    throw IoError("cannot sync", path_, errno);
  }

  void close() override {
    if (!fd_.close()) throw IoError("cannot close", path_, errno);
  }

 private:
  Descriptor fd_;
  std::string path_;
  bool sync_failed_ = false;
};

class PosixFileSystem final : public FileSystem {
 public:
  std::unique_ptr<ReadableFile> open(const std::filesystem::path& path) override {
    Descriptor fd = open_for_reading(path, 0);
    if (fd.get() < 0) throw IoError("cannot open", path.string(), errno);
    return readable(std::move(fd), path);
  }
  std::unique_ptr<ReadableFile> open_direct(const std::filesystem::path& path) override {
#if defined(O_DIRECT)
    Descriptor fd = open_for_reading(path, O_DIRECT);
    if (fd.get() >= 0) return readable(std::move(fd), path);
    if (errno != EINVAL && errno != EOPNOTSUPP) throw IoError("cannot open", path.string(), errno);
#endif
    return nullptr;
  }

  std::unique_ptr<WritableFile> create(const std::filesystem::path& path,
                                       const std::filesystem::path& target) override {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    struct stat old = {};
    const bool replaces = !target.empty() && ::lstat(target.c_str(), &old) == 0 && S_ISREG(old.st_mode);
    Descriptor fd(retry([&] { return ::open(path.c_str(), kFlags, replaces ? 0600 : 0666); }));
    if (fd.get() < 0) {
      if (target.empty()) throw IoError("cannot create", path.string(), errno);
      throw IoError("cannot create a temporary file beside", target.string(), errno);
    }
    const std::string name = (target.empty() ? path : target).string();
    if (replaces && !take_permissions(fd.get(), old)) {
      const int error = errno;
      ::unlink(path.c_str());
      throw IoError("cannot pass on the permissions of", name, error);
    }
    return std::make_unique<PosixWritableFile>(std::move(fd), name);
  }

  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    struct stat status;
    if (::lstat(to.c_str(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISLNK(status.st_mode) &&
        !S_ISDIR(status.st_mode)) {
      throw Error(ErrorCode::InvalidArgument,
                  to.string() + " is a device, a pipe or a socket, and no file can take its place",
                  "name a regular file");
    }
    if (::rename(from.c_str(), to.c_str()) != 0) throw_rename(from, to, errno);
  }

  void rename_new(const std::filesystem::path& from, const std::filesystem::path& to) override {
#ifdef RENAME_NOREPLACE
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return;
    if (errno != EINVAL && errno != ENOSYS) throw_rename(from, to, errno);
#endif
    // Kernels and file systems without it refuse a second name for the file as surely.
    if (::link(from.c_str(), to.c_str()) == 0) {
      if (::unlink(from.c_str()) == 0) return;
      const int error = errno;
      ::unlink(to.c_str());
      throw_rename(from, to, error);
    }
    if (errno != EPERM && errno != ENOSYS && errno != EOPNOTSUPP && errno != EMLINK) throw_rename(from, to, errno);
    // Those without links as well leave a gap between the look and the rename.
    if (exists(to)) throw_rename(from, to, EEXIST);
    rename(from, to);
  }

  void remove(const std::filesystem::path& path) override {
    if (::unlink(path.c_str()) != 0) throw IoError("cannot remove", path.string(), errno);
  }

  void sync_directory(const std::filesystem::path& directory) override {
    const Descriptor fd = open_directory(directory);
    // EINVAL: a file system without such a thing, where names need no help of ours.
    if (retry([&] { return ::fsync(fd.get()); }) != 0 && errno != EINVAL)
      throw IoError("cannot sync directory", directory.string(), errno);
  }

  std::filesystem::file_status status(const std::filesystem::path& path) override {
    std::error_code error;
    return checked(std::filesystem::symlink_status(path, error), path, error);
  }

  std::filesystem::file_status target_status(const std::filesystem::path& path) override {
    std::error_code error;
    return checked(std::filesystem::status(path, error), path, error);
  }

  std::filesystem::path link_target(const std::filesystem::path& path) override {
    std::error_code error;  // whatever else is wrong with the path, status() says better
    return std::filesystem::read_symlink(path, error);
  }

  bool create_directory(const std::filesystem::path& directory) override {
    if (::mkdir(directory.c_str(), 0777) == 0) return true;
    if (errno == EEXIST && target_status(directory).type() == std::filesystem::file_type::directory) return false;
    throw IoError("cannot create directory", directory.string(), errno);
  }

  void remove_directory(const std::filesystem::path& directory) override {
    if (::rmdir(directory.c_str()) != 0) throw IoError("cannot remove directory", directory.string(), errno);
  }

  std::vector<std::string> names_in(const std::filesystem::path& directory) override {
    std::error_code error;
    std::vector<std::string> names;
    std::filesystem::directory_iterator entry(directory, error);
    for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
      names.push_back(entry->path().filename().string());
    if (error) throw IoError("cannot list directory", directory.string(), error.value());
    return names;
  }

  std::optional<std::shared_ptr<const void>> try_lock_directory(const std::filesystem::path& directory) override {
    auto fd = std::make_shared<Descriptor>(open_directory(directory));
    if (retry([&] { return ::flock(fd->get(), LOCK_EX | LOCK_NB); }) == 0) return fd;
    if (errno == EWOULDBLOCK) return {};
    return nullptr;
  }

 private:
  [[noreturn]] static void throw_rename(const std::filesystem::path& from, const std::filesystem::path& to, int error) {
    throw IoError("cannot rename " + from.string() + " to", to.string(), error);
  }

  static std::filesystem::file_status checked(std::filesystem::file_status found, const std::filesystem::path& path,
                                              std::error_code error) {
    if (found.type() == std::filesystem::file_type::none) throw IoError("cannot look up", path.string(), error.value());
    return found;
  }

  /// The group as well, which the permissions mean. One that we are not in cannot be given: then a group gets what both
  /// the old group and all others had, and so do all others, the old group being among them now.
  static bool take_permissions(int fd, const struct stat& old) {
    mode_t mode = old.st_mode & 0777;
    struct stat fresh;
    if (::fstat(fd, &fresh) != 0) return false;
    if (fresh.st_gid != old.st_gid && ::fchown(fd, static_cast<uid_t>(-1), old.st_gid) != 0) {
      const mode_t both = mode & (mode >> 3) & 07;
      mode = static_cast<mode_t>((mode & 0700) | (both << 3) | both);
    }
    return ::fchmod(fd, mode) == 0;
  }

  static Descriptor open_directory(const std::filesystem::path& directory) {
    const char* path = directory.empty() ? "." : directory.c_str();
    Descriptor fd(retry([&] { return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) throw IoError("cannot open directory", path, errno);
    return fd;
  }

 private:
  /// Not blocking: opening a FIFO would wait for a writer before we could see what it is.
  static Descriptor open_for_reading(const std::filesystem::path& path, int flags) {
    return Descriptor(
        retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags); }));
  }
  static std::unique_ptr<ReadableFile> readable(Descriptor fd, const std::filesystem::path& path) {
    struct stat status;
    if (::fstat(fd.get(), &status) != 0) throw IoError("cannot read the size of", path.string(), errno);
    if (S_ISDIR(status.st_mode)) throw IoError("cannot read", path.string(), EISDIR);
    if (!S_ISREG(status.st_mode))
      throw IoError("cannot read a FIFO, socket or device; a regular file is needed:", path.string(), EINVAL);
    return std::make_unique<PosixReadableFile>(std::move(fd), path.string(),
                                               static_cast<std::uint64_t>(status.st_size));
  }
};

}  // namespace

FileSystem& posix_file_system() noexcept {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace diskann::io
