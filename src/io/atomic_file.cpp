#include "io/atomic_file.hpp"

#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>

#include "diskann/error.hpp"

namespace diskann::io {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
constexpr int kNameAttempts = 100;

[[noreturn]] void throw_exists(const std::filesystem::path& path) {
  throw Error(ErrorCode::AlreadyExists, path.string() + " exists already",
              "choose another name, or ask for it to be overwritten");
}

/// Those of the regular file that will be replaced, if there is one. Refuses what cannot be replaced, before the work.
std::optional<std::filesystem::perms> permissions_for(const std::filesystem::path& path, bool overwrite) {
  const std::filesystem::file_status old = file_system().status(path);
  if (!overwrite && std::filesystem::exists(old)) throw_exists(path);
  switch (old.type()) {
    case std::filesystem::file_type::not_found:
    case std::filesystem::file_type::symlink: return std::nullopt;
    case std::filesystem::file_type::regular: return old.permissions();
    case std::filesystem::file_type::directory: throw IoError("cannot write", path.string(), EISDIR);
    default: break;
  }
  throw Error(ErrorCode::InvalidArgument,
              path.string() + " is a device, a pipe or a socket, and no file can take its place",
              "name a regular file");
}

}  // namespace

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<std::uint64_t> counter{0};
  std::string name = ".";  // a long name is cut, so that ours fits as well
  name.append(path.filename().string(), 0, 200).append(".").append(std::to_string(::getpid()));
  return path.parent_path() / name.append("-").append(std::to_string(counter.fetch_add(1))).append(".tmp");
}

AtomicFile::AtomicFile(std::filesystem::path path, bool overwrite, const std::filesystem::path& replaced)
    : path_(std::move(path)), overwrite_(overwrite) {
  const std::filesystem::path name = path_.filename();
  if (name.empty() || name == "." || name == "..")
    throw Error(ErrorCode::InvalidArgument, "the path does not name a file: '" + path_.string() + "'");
  const auto permissions = permissions_for(replaced.empty() ? path_ : replaced, overwrite_);
  buffer_.reserve(kBufferBytes);
  // A process that had our number may have died and left a file of that name.
  for (int attempt = 1; !file_; ++attempt) {
    std::filesystem::path candidate = temporary_name(path_);
    try {
      file_ = file_system().create(candidate, permissions);
      temporary_ = std::move(candidate);
    } catch (const IoError& error) {
      if (error.system_error() != EEXIST || attempt == kNameAttempts) throw;
    }
  }
}

AtomicFile::~AtomicFile() {
  file_.reset();
  if (temporary_.empty()) return;
  try {
    file_system().remove(temporary_);
  } catch (...) {  // whoever destroys us has a better error to report
  }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  if (bytes.size() > kBufferBytes - buffer_.size()) flush();
  if (bytes.size() >= kBufferBytes) {
    write_through(position_, bytes);
  } else {
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  }
  position_ += bytes.size();
}

void AtomicFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
  assert(offset + bytes.size() <= position_);
  flush();
  write_through(offset, bytes);
}

void AtomicFile::flush() {
  if (buffer_.empty()) return;
  write_through(position_ - buffer_.size(), buffer_);
  buffer_.clear();
}

void AtomicFile::write_through(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (!intact_) throw Error(ErrorCode::Internal, path_.string() + ": a write after a failed write or a commit");
  intact_ = false;
  file_->write(offset, bytes);
  intact_ = true;
}

void AtomicFile::commit() {
  flush();
  if (!intact_) throw Error(ErrorCode::Internal, path_.string() + ": a commit after a failed write or a commit");
  intact_ = false;
  // The content must be durable before the name is: a rename that outlives a power loss alone would show a broken file.
  file_->sync();
  file_->close();
  if (!overwrite_ && file_system().exists(path_)) throw_exists(path_);
  file_system().rename(temporary_, path_);
  temporary_.clear();
  try {
    const std::filesystem::path directory = path_.parent_path();
    file_system().sync_directory(directory.empty() ? "." : directory);
  } catch (const IoError& error) {
    throw IoError("the file is in place, but its name may not survive a power loss: cannot sync the directory of",
                  path_.string(), error.system_error());
  }
}

}  // namespace diskann::io
