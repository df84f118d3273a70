#include "outputs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "diskann/error.hpp"
#include "diskann/inspect.hpp"
#include "diskann/output.hpp"
#include "errors.hpp"

namespace diskann::cli {
namespace {

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  // What is not there yet has a name only: that of its folder, resolved, and its own.
  const auto resolved = [&error](const std::filesystem::path& named) {
    const std::filesystem::path path = output_target(named);
    const std::filesystem::path folder = std::filesystem::weakly_canonical(
        path.has_parent_path() ? path.parent_path() : std::filesystem::path("."), error);
    return error ? path.lexically_normal() : folder / path.filename();
  };
  return resolved(a) == resolved(b);
}

constexpr const char* kBesideAPrefix[] = {".data",
                                          ".tags",
                                          ".del",
                                          "_metadata.bin",
                                          "_disk.index",
                                          "_pq_pivots.bin",
                                          "_disk.index_max_base_norm.bin",
                                          "_pq_compressed.bin",
                                          "_sample_data.bin",
                                          "_sample_ids.bin"};

/// Whether a file is an index, or belongs to one: a set of Microsoft's has several files.
bool is_of_index(const std::filesystem::path& named) {
  const std::filesystem::path path = output_target(named);
  const auto is_index = [](const std::filesystem::path& file) {
    try {
      const FileKind kind = file_kind(file);
      return kind != FileKind::Vectors && kind != FileKind::Unknown;
    } catch (const Error& error) {
      return error.code() == ErrorCode::Unsupported;  // one that cannot be opened is one all the same
    }
  };
  if (is_index(path)) return true;
  const std::string name = path.string();
  return std::ranges::any_of(kBesideAPrefix, [&](const std::string_view suffix) {
    return name.ends_with(suffix) && is_index(name.substr(0, name.size() - suffix.size()));
  });
}

}  // namespace

void check_distinct(const std::vector<NamedFile>& inputs, const std::vector<NamedFile>& outputs) {
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const NamedFile& output = outputs[i];
    for (const NamedFile& input : inputs) {
      std::error_code error;
      if (!std::filesystem::exists(input.path, error) || !same_file(output.path, input.path)) continue;
      throw UsageError(
          fmt::format("{} {} would replace {} {}", output.flag, output.path.string(), input.flag, input.path.string()),
          fmt::format("give {} another name", output.flag));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!same_file(output.path, outputs[j].path)) continue;
      throw UsageError(fmt::format("{} {} and {} {} are the same file", outputs[j].flag, outputs[j].path.string(),
                                   output.flag, output.path.string()),
                       "give each file a name of its own");
    }
  }
}

std::vector<NamedFile> files_of_index(const std::string& flag, const std::filesystem::path& prefix) {
  std::vector<NamedFile> files{{flag, prefix}};
  for (const char* suffix : kBesideAPrefix) files.push_back({flag, prefix.string() + suffix});
  return files;
}

void check_output_directory(const std::filesystem::path& directory) {
  // access() says of a file that it may not be executed, which is not what is wrong.
  std::error_code error;
  const auto type = std::filesystem::status(directory, error).type();
  if (std::filesystem::exists(std::filesystem::file_status(type)) && type != std::filesystem::file_type::directory)
    throw IoError("cannot write to", directory.string(), ENOTDIR);
  if (::access(directory.c_str(), W_OK | X_OK) != 0) throw IoError("cannot write to", directory.string(), errno);
}

void check_output_file(const std::filesystem::path& path, bool force) {
  check_index_output(path, true);
  std::error_code error;
  if (force || !std::filesystem::exists(path, error) || !is_of_index(path)) return;
  throw Error(ErrorCode::AlreadyExists, fmt::format("{} exists already and is an index, or of one", path.string()),
              "choose another name, or ask for it to be replaced (--force)");
}

void check_index_output(const std::filesystem::path& path, bool force) {
  check_output(path, force);
  const std::filesystem::path target = output_target(path);
  check_output_directory(target.has_parent_path() ? target.parent_path() : ".");
}

}  // namespace diskann::cli
