#include "io/atomic_file.hpp"

#include <unistd.h>

#include <atomic>
#include <cassert>
#include <cerrno>
#include <string>
#include <utility>

#include "base/threads.hpp"
#include "diskann/error.hpp"

namespace diskann::io {
namespace {

constexpr int kNameAttempts = 100;

[[noreturn]] void throw_exists(const std::filesystem::path& path) {
  throw Error(ErrorCode::AlreadyExists, path.string() + " exists already",
              "choose another name, or ask for it to be replaced (--force)");
}

}  // namespace

std::filesystem::path temporary_name(const std::filesystem::path& path) {
  static std::atomic<std::uint64_t> counter{0};
  std::string name = ".";  // a long name is cut, so that ours fits as well
  name.append(path.filename().string(), 0, 200).append(".").append(std::to_string(::getpid()));
  return path.parent_path() / name.append("-").append(std::to_string(counter.fetch_add(1))).append(".tmp");
}

std::filesystem::path output_target(const std::filesystem::path& path) {
  constexpr int kLinks = 40;  // as many as Linux follows
  std::filesystem::path target = path;
  for (int i = 0; i <= kLinks; ++i) {
    const std::filesystem::path next = file_system().link_target(target);
    if (next.empty()) return target;
    target = target.parent_path() / next;
  }
  throw IoError("cannot follow the symbolic links at", path.string(), ELOOP);
}

bool check_replaceable(const std::filesystem::path& path, bool overwrite) {
  using Type = std::filesystem::file_type;
  const std::filesystem::path target = output_target(path);
  const Type type = file_system().target_status(path).type();  // the system may forbid to follow a link
  if (type == Type::not_found) return false;
  // Links of /proc, and so /dev/stdout, may lead to what has no name.
  if (type == Type::regular && file_system().status(target).type() == Type::not_found) {
    throw Error(ErrorCode::InvalidArgument, path.string() + " leads to a file that has no name any more",
                "name a regular file");
  }
  if (!overwrite) throw_exists(path);
  switch (type) {
    case Type::regular: return true;
    case Type::directory: throw IoError("cannot write", path.string(), EISDIR);
    default: break;
  }
  throw Error(ErrorCode::InvalidArgument,
              path.string() + " is a device, a pipe or a socket, and no file can take its place",
              "name a regular file, or leave the output out where a command can print");
}

AtomicFile::AtomicFile(const std::filesystem::path& path, bool overwrite, std::size_t buffer_bytes)
    : path_(output_target(path)), overwrite_(overwrite), buffer_bytes_(buffer_bytes) {
  const std::filesystem::path name = path_.filename();
  if (name.empty() || name == "." || name == "..")
    throw Error(ErrorCode::InvalidArgument, "the path does not name a file: '" + path_.string() + "'");
  check_replaceable(path, overwrite_);
  buffer_.reserve(buffer_bytes_);
  // A process that had our number may have died and left a file of that name.
  for (int attempt = 1; !file_; ++attempt) {
    std::filesystem::path candidate = temporary_name(path_);
    try {
      mark_ = TemporaryMark(candidate);  // first, for a signal that comes in between
      file_ = file_system().create(candidate, path_);
      temporary_ = std::move(candidate);
    } catch (const IoError& error) {
      mark_ = {};
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
  if (bytes.size() > buffer_bytes_ - buffer_.size()) flush();
  if (bytes.size() >= buffer_bytes_) {
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

void AtomicFile::finish() {
  flush();
  if (!intact_) throw Error(ErrorCode::Internal, path_.string() + ": a commit after a failed write or a commit");
  intact_ = false;
  // The content must be durable before the name is: a rename that outlives a power loss alone would show a broken file.
  file_->sync();
  file_->close();
}

std::filesystem::path AtomicFile::release() {
  finish();
  mark_ = {};
  return std::exchange(temporary_, {});
}

void AtomicFile::commit(const CancelToken* cancel) {
  finish();
  base::check_cancelled(cancel);
  try {
    overwrite_ ? file_system().rename(temporary_, path_) : file_system().rename_new(temporary_, path_);
  } catch (const IoError& error) {
    if (!overwrite_ && error.system_error() == EEXIST) throw_exists(path_);
    throw IoError("cannot put in place", path_.string(), error.system_error());
  }
  temporary_.clear();
  mark_ = {};
  try {
    const std::filesystem::path directory = path_.parent_path();
    file_system().sync_directory(directory.empty() ? "." : directory);
  } catch (const IoError& error) {
    throw IoError("the file is in place, but its name may not survive a power loss: cannot sync the directory of",
                  path_.string(), error.system_error());
  }
}

}  // namespace diskann::io
