#pragma once

#include <chrono>
#include <filesystem>
#include <memory>

#include "diskann/types.hpp"

namespace diskann::io {

/// Holds `directory` while the pointer lives, for changes of several files that must not mix with those of another
/// process or thread. Waits for whoever holds it: Cancelled where the token is set meanwhile, Io after `patience`. Null
/// where the file system has no locks.
std::shared_ptr<const void> lock_directory(const std::filesystem::path& directory, const CancelToken* cancel,
                                           std::chrono::milliseconds patience);

}  // namespace diskann::io
