#pragma once

#include <stdexcept>
#include <string>

#include "diskann/export.hpp"

namespace diskann {

/// What went wrong, in the terms a program can act on. The command line turns each into its exit code.
enum class ErrorCode {
  Internal,            ///< a bug in diskann: please report
  InvalidArgument,     ///< a value or data that cannot be right: NaN, a parameter out of range, empty input
  DimensionMismatch,   ///< vectors of another dimension than the index or the file
  NotFound,            ///< a file, id or index that is not there
  AlreadyExists,       ///< an id or output that is already there
  Corrupt,             ///< not an index, truncated, or a checksum that does not match
  UnsupportedVersion,  ///< written by a newer version
  Io,                  ///< the system refused: see IoError
  OutOfMemory,         ///< an allocation failed, or the stated budget is too small
  Unsupported,         ///< a feature, type or instruction set that is not here
  Device,              ///< an accelerator failed
  Cancelled,           ///< a cancel token was set
};

/// Short stable name of a code, e.g. "DimensionMismatch".
DISKANN_EXPORT const char* to_string(ErrorCode code) noexcept;

/// The one exception of the library. what() says what happened, where, what was expected and what was found;
/// hint() says what to do about it, or is empty.
class DISKANN_EXPORT Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message, std::string hint = {});
  ~Error() override;
  ErrorCode code() const noexcept { return code_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorCode code_;
  std::string hint_;
};

/// An error of the operating system: ErrorCode::Io, or NotFound / AlreadyExists where errno says so.
class DISKANN_EXPORT IoError : public Error {
 public:
  /// `action` reads like "cannot open"; errno's text is appended.
  IoError(const std::string& action, std::string path, int system_error);
  ~IoError() override;
  int system_error() const noexcept { return system_error_; }
  const std::string& path() const noexcept { return path_; }

 private:
  int system_error_;
  std::string path_;
};

}  // namespace diskann
