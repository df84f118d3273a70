#include "io/file_system.hpp"

#include "io/posix_file_system.hpp"

namespace diskann::io {
namespace {

FileSystem*& current() noexcept {
  static FileSystem* file_system = &posix_file_system();
  return file_system;
}

}  // namespace

FileSystem& file_system() noexcept { return *current(); }

FileSystemOverride::FileSystemOverride(FileSystem& replacement) noexcept : previous_(current()) {
  current() = &replacement;
}
FileSystemOverride::~FileSystemOverride() { current() = previous_; }

}  // namespace diskann::io
