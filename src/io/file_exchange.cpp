#include "io/file_exchange.hpp"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <utility>

#include "diskann/error.hpp"
#include "io/atomic_file.hpp"

namespace diskann::io {
FileExchange::~FileExchange() {
  for (const File& file : staged_) {
    try {
      file_system().remove(file.temporary);
    } catch (const Error&) {  // the error that led here matters more
    }
  }
}

void FileExchange::stage(std::filesystem::path temporary, std::filesystem::path path) {
  std::filesystem::path target = output_target(path);
  if (target != path) directories_.push_back(target.has_parent_path() ? target.parent_path() : ".");
  TemporaryMark mark(temporary);
  staged_.push_back({std::move(temporary), std::move(path), std::move(target), std::move(mark)});
}

void FileExchange::move(const std::filesystem::path& from, const std::filesystem::path& to) {
  steps_.push_back({from, to});
  try {
    file_system().rename_new(from, to);
  } catch (...) {
    steps_.pop_back();
    throw;
  }
}

std::filesystem::path FileExchange::place_of(const std::filesystem::path& path) const {
  for (const File& file : staged_)
    if (file.path == path) return file.target;
  return path;
}

std::filesystem::path FileExchange::set_aside(const std::filesystem::path& path) {
  // A process that had our number may have died and left a file of that name; it may be the last of an old set.
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    std::filesystem::path name = temporary_name(path);
    try {
      move(path, name);
      return name;
    } catch (const IoError& error) {
      if (error.system_error() != EEXIST || attempt == kAttempts)
        throw IoError("cannot replace", path.string(), error.system_error());
    }
  }
}

void FileExchange::put_in_place(const File& file) {
  try {
    move(file.temporary, file.target);
  } catch (const IoError& error) {
    throw IoError("cannot put in place", file.path.string(), error.system_error());
  }
}

void FileExchange::sync_directories() {
  for (const auto& directory : directories_) file_system().sync_directory(directory);
}

void FileExchange::sync() {
  sync_directories();
  steps_.emplace_back();
}

void FileExchange::commit(const std::vector<std::filesystem::path>& old) {
  if (!old.empty())
    for (File& file : staged_) file.mark = {};  // halfway through, what is left of both sets is of use
  const std::filesystem::path& key = staged_.back().path;
  std::vector<std::filesystem::path> aside;
  try {
    for (const bool is_key : {true, false}) {
      for (const auto& path : old) {
        if ((path == key) != is_key) continue;
        aside.push_back(set_aside(place_of(path)));
        if (is_key) sync();
      }
    }
    for (const File& file : staged_) {
      if (&file == &staged_.back()) sync();
      put_in_place(file);
    }
    sync_directories();
  } catch (const std::exception& failure) {
    undo(failure.what());
    throw;
  }
  staged_.clear();
  for (const auto& path : aside) {
    try {
      file_system().remove(path);
    } catch (const IoError& error) {
      throw IoError("the new files are in place, but an old one is left under another name: cannot remove",
                    path.string(), error.system_error());
    }
  }
}

/// The same syncs on the way back keep the sets apart there as well.
void FileExchange::undo(const std::string& failure) {
  const bool changed = !steps_.empty();
  try {
    while (!steps_.empty()) {
      const Step& step = steps_.back();
      step.from.empty() ? sync_directories() : file_system().rename_new(step.to, step.from);
      steps_.pop_back();
    }
    if (changed) sync_directories();
  } catch (const Error& error) {
    if (steps_.empty()) return;  // all is as it was, and only a loss of power could undo that
    std::string names;
    for (const Step& step : steps_) {
      const bool is_staged =
          std::any_of(staged_.begin(), staged_.end(), [&](const File& file) { return file.temporary == step.from; });
      if (!step.from.empty() && !is_staged) names += " " + step.to.filename().string() + " to " + step.from.string();
    }
    throw Error(error.code(), failure + "; and the old files could not be put back: " + error.what(),
                "rename by hand, in the end what is named first:" + names);
  }
}

}  // namespace diskann::io
