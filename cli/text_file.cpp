#include "text_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "diskann/error.hpp"

namespace diskann::cli {
namespace {

/// 0, or the errno of the first call that failed.
int write_all(const std::string& path, std::string_view content) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0) return errno;
  int failure = 0;
  while (!content.empty() && failure == 0) {
    const ssize_t written = ::write(file, content.data(), content.size());
    if (written > 0) {
      content.remove_prefix(static_cast<std::size_t>(written));
    } else if (written == 0 || errno != EINTR) {
      failure = written == 0 ? EIO : errno;
    }
  }
  if (failure == 0 && ::fsync(file) != 0) failure = errno;
  if (::close(file) != 0 && failure == 0) failure = errno;
  return failure;
}

}  // namespace

void write_file(const std::filesystem::path& path, std::string_view content) {
  const std::filesystem::file_status old = std::filesystem::status(path);
  const auto kind = old.type();
  if (kind != std::filesystem::file_type::not_found && kind != std::filesystem::file_type::regular) {
    throw Error(ErrorCode::InvalidArgument, path.string() + " is no regular file", "choose another name");
  }
  const std::string temporary = path.string() + "." + std::to_string(::getpid()) + ".tmp";
  int failure = write_all(temporary, content);
  if (failure == 0 && kind == std::filesystem::file_type::regular) {  // what it replaces leaves it its permissions
    std::error_code error;
    std::filesystem::permissions(temporary, old.permissions(), error);
    failure = error.value();
  }
  if (failure == 0 && std::rename(temporary.c_str(), path.c_str()) != 0) failure = errno;
  if (failure != 0) {
    if (failure != EEXIST) ::unlink(temporary.c_str());
    throw IoError("cannot write", path.string(), failure);
  }
}

}  // namespace diskann::cli
