#pragma once

#include <filesystem>
#include <string_view>

namespace diskann::cli {

/// Writes a small file of the command's own (a plot, labels, ids) in one go: it is there whole or not at all.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace diskann::cli
