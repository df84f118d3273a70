#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "io/temporary_files.hpp"

namespace diskann::io {

/// Puts several files in the place of others: all of them or, where anything fails, none. The last one staged is the
/// key, without which the others mean nothing to a reader. While it is away the others change, so that files of both
/// sets never stand together under one key, whenever the power goes; it may go while there is no key.
/// Where a symbolic link has the name of a staged file, that goes where the link leads (output_target); other links are
/// themselves what goes.
/// Two exchanges in one directory must not run at once: see lock_directory().
class FileExchange {
 public:
  /// All files are in `directory`, but for links.
  explicit FileExchange(std::filesystem::path directory) : directories_{std::move(directory)} {}
  /// Removes what was staged and is not in place.
  ~FileExchange();
  FileExchange(const FileExchange&) = delete;

  /// `temporary` is a durable file (AtomicFile::release), and from here ours.
  void stage(std::filesystem::path temporary, std::filesystem::path path);
  /// Once. `old` are the files that go, those in the way of the staged ones among them. Where it throws, they are as
  /// they were, unless the error says that the new ones are in place, or where the old ones are.
  void commit(const std::vector<std::filesystem::path>& old);

 private:
  struct File {
    std::filesystem::path temporary, path, target;
    TemporaryMark mark;
  };
  struct Step {  // a rename, or a sync where both are empty
    std::filesystem::path from, to;
  };
  void move(const std::filesystem::path& from, const std::filesystem::path& to);
  std::filesystem::path place_of(const std::filesystem::path& path) const;
  std::filesystem::path set_aside(const std::filesystem::path& path);
  void put_in_place(const File& file);
  void sync_directories();
  void sync();
  void undo(const std::string& failure);

  std::vector<std::filesystem::path> directories_;  // whose names change
  std::vector<File> staged_;
  std::vector<Step> steps_;  // that are done
};

}  // namespace diskann::io
