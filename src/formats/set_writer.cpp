#include "formats/set_writer.hpp"

#include <chrono>
#include <memory>
#include <utility>

#include "io/directory_lock.hpp"

namespace diskann::formats {
namespace {

constexpr std::chrono::milliseconds kLockPatience{10'000};  // ours hold it for some renames and syncs

}  // namespace

SetWriter::SetWriter(std::filesystem::path prefix, std::span<const char* const> files,
                     std::span<const char* const> optional, bool overwrite)
    : prefix_(std::move(prefix)),
      directory_(prefix_.has_parent_path() ? prefix_.parent_path() : "."),
      files_(files),
      optional_(optional),
      overwrite_(overwrite),
      exchange_(directory_) {
  old_files();  // refused before the work
}

/// What is there of an older set, and must go.
std::vector<std::filesystem::path> SetWriter::old_files() const {
  std::vector<std::filesystem::path> found;
  const auto look = [&](const char* suffix) {
    if (io::check_replaceable(set_file(prefix_, suffix), overwrite_)) found.push_back(set_file(prefix_, suffix));
  };
  for (const char* suffix : files_) look(suffix);
  for (const char* suffix : optional_) {
    look(suffix);
    // A link that leads nowhere is nothing to write to, but something to readers.
    const std::filesystem::path path = set_file(prefix_, suffix);
    if ((found.empty() || found.back() != path) && io::file_system().exists(path)) found.push_back(path);
  }
  return found;
}

/// Two processes may write the same set: the later one replaces that of the other whole.
void SetWriter::commit(const Execution& execution) {
  const std::shared_ptr<const void> lock = io::lock_directory(directory_, execution.cancel, kLockPatience);
  exchange_.commit(old_files());
}

}  // namespace diskann::formats
