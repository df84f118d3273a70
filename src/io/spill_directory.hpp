#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "diskann/types.hpp"
#include "io/file_system.hpp"

namespace diskann::io {

/// Where long work keeps what does not fit in memory: a directory `<output>.build` beside the file that it will make,
/// held against other processes. What put() made is whole or not there, also after a loss of power, so that work that
/// was killed goes on where it was. Destroyed, it is removed with all that is in it, unless it is to be kept.
class SpillDirectory {
 public:
  /// The first file that whoever works there puts, and the last that is removed: without it nothing else counts.
  static constexpr const char* kPlan = "plan";

  /// `resume`: takes over what work that was killed left there, and is kept where work ends without success. Else
  /// AlreadyExists where there is such a directory. InvalidArgument where it holds files but no plan; Io where another
  /// process works in it.
  SpillDirectory(const std::filesystem::path& output, bool resume);
  ~SpillDirectory();
  SpillDirectory(const SpillDirectory&) = delete;

  const std::filesystem::path& path() const noexcept { return path_; }
  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  bool has(const std::string& name) const { return file_system().exists(file(name)); }
  std::unique_ptr<ReadableFile> open(const std::string& name) const { return file_system().open(file(name)); }
  /// A file of what `write` gives, in place of one that is there.
  using Sink = std::function<void(std::span<const std::byte>)>;
  void put(const std::string& name, const std::function<void(const Sink& write)>& write) const;
  void put(const std::string& name, std::span<const std::byte> bytes) const;
  void remove(const std::string& name) const;
  /// The work is done: nothing of this is needed any more.
  void done() noexcept { kept_ = false; }

 private:
  void clear() const;
  void check_left() const;

  std::filesystem::path path_;
  std::shared_ptr<const void> lock_;
  bool kept_;
};

}  // namespace diskann::io
