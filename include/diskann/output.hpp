#pragma once

#include <filesystem>
#include <string_view>

#include "diskann/export.hpp"

namespace diskann {

/// Throws what any writer of this library would throw at `path` before it writes, for a caller who wants to hear of it
/// before the work: AlreadyExists where something is there and `overwrite` is false, Io for a directory,
/// InvalidArgument for a device, a pipe or a socket. Symbolic links are followed.
DISKANN_EXPORT void check_output(const std::filesystem::path& path, bool overwrite);

/// Where a file written at `path` goes: to the end of the symbolic links there, whether something is there or not.
DISKANN_EXPORT std::filesystem::path output_target(const std::filesystem::path& path);

/// For a signal handler that ends the process at once: removes the temporary files of all that is being written.
DISKANN_EXPORT void remove_temporary_files() noexcept;

/// Writes a small file in one go, as all are written here: it is there whole or not at all. Replaces an older file and
/// keeps its permissions.
DISKANN_EXPORT void write_text(const std::filesystem::path& path, std::string_view text);

}  // namespace diskann
