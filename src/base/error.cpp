#include "diskann/error.hpp"

#include <cerrno>
#include <system_error>
#include <utility>

namespace diskann {

const char* to_string(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::Internal: return "Internal";
    case ErrorCode::InvalidArgument: return "InvalidArgument";
    case ErrorCode::DimensionMismatch: return "DimensionMismatch";
    case ErrorCode::NotFound: return "NotFound";
    case ErrorCode::AlreadyExists: return "AlreadyExists";
    case ErrorCode::Corrupt: return "Corrupt";
    case ErrorCode::UnsupportedVersion: return "UnsupportedVersion";
    case ErrorCode::Io: return "Io";
    case ErrorCode::OutOfMemory: return "OutOfMemory";
    case ErrorCode::Unsupported: return "Unsupported";
    case ErrorCode::Device: return "Device";
    case ErrorCode::Cancelled: return "Cancelled";
  }
  return "Internal";
}

Error::Error(ErrorCode code, const std::string& message, std::string hint)
    : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}
Error::~Error() = default;

namespace {

ErrorCode code_of(int system_error) {
  switch (system_error) {
    case ENOENT: return ErrorCode::NotFound;
    case EEXIST: return ErrorCode::AlreadyExists;
    case ENOMEM: return ErrorCode::OutOfMemory;
    default: return ErrorCode::Io;
  }
}

std::string hint_of(int system_error) {
  switch (system_error) {
    case ENOSPC: return "free space on the device, or write elsewhere";
    case ENOTDIR: return "a part of the path is a file: name a directory in its place";
    case EISDIR: return "name a file in it";
    case EFBIG:
      return "raise the limit of the size of files (ulimit -f), or write to a file system without such a limit";
    case EACCES: return "check the permissions of the file and of its directory";
    default: return {};
  }
}

std::string describe(const std::string& action, const std::string& path, int system_error) {
  std::string text = action;
  text.append(" ").append(path).append(": ").append(std::generic_category().message(system_error));
  return text;
}

}  // namespace

IoError::IoError(const std::string& action, std::string path, int system_error)
    : Error(code_of(system_error), describe(action, path, system_error), hint_of(system_error)),
      system_error_(system_error),
      path_(std::move(path)) {}
IoError::~IoError() = default;

}  // namespace diskann
