#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace diskann::cli {

/// What a command reads or writes, and the flag that says so.
struct NamedFile {
  std::string flag;
  std::filesystem::path path;
};

/// Throws UsageError where an output is an input or another output, however the paths are spelled and whatever links
/// lead there: writing it would destroy what is still needed.
void check_distinct(const std::vector<NamedFile>& inputs, const std::vector<NamedFile>& outputs);

/// The files that an index, or a set of Microsoft's with this prefix, may consist of.
std::vector<NamedFile> files_of_index(const std::string& flag, const std::filesystem::path& prefix);

/// How the help of --force reads where no index is written.
inline constexpr const char* kForceHelp = "Replace a file even if it is an index (others always are)";

/// Every output passes one of these before the work. They throw where nothing can be written later.
/// For a file that replaces what exists, but an index with --force alone.
void check_output_file(const std::filesystem::path& path, bool force);
/// For an index, which replaces nothing without --force.
void check_index_output(const std::filesystem::path& path, bool force);
void check_output_directory(const std::filesystem::path& directory);

}  // namespace diskann::cli
