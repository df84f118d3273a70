#pragma once

#include <memory>
#include <string>

#include "io/block_device.hpp"
#include "io/file_system.hpp"

namespace diskann::io {

/// A device that reads by io_uring. Null, with the reason, where the system has none or a sandbox forbids it: it is
/// tried with a read.
std::unique_ptr<BlockDevice> open_uring(const std::shared_ptr<const ReadableFile>& file, bool direct,
                                        std::string& reason);

}  // namespace diskann::io
