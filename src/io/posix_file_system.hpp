#pragma once

#include "io/file_system.hpp"

namespace diskann::io {

/// The system's files. Reading and mapping take regular files only: a directory, FIFO or device is an IoError, never a
/// wait.
FileSystem& posix_file_system() noexcept;

}  // namespace diskann::io
