#pragma once

#include <chrono>
#include <string_view>

#include "diskann/types.hpp"
#include "progress.hpp"

namespace diskann::cli {

class JsonRow;

/// Flags that every command takes.
struct CommonFlags {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
  bool no_progress = false;
};

/// How a command talks: data to standard output, everything else to standard error.
class Session {
 public:
  explicit Session(const CommonFlags& flags);

  bool json() const noexcept { return flags_.json; }
  /// A line of data.
  void print(std::string_view line);
  /// A line of data for programs.
  void row(const JsonRow& row);
  /// Talk; silent with --quiet and with --json, whose errors must stand alone on standard error.
  void note(std::string_view line);
  /// Talk for -v.
  void detail(std::string_view line);
  /// For a long call: shows progress, stops on Ctrl-C. `threads` 0 means all.
  Execution execution(unsigned threads = 0);
  /// Takes the bar off the screen.
  void end_progress() { bar_.clear(); }
  /// Seconds since the command started.
  double elapsed() const;

 private:
  CommonFlags flags_;
  ProgressBar bar_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Seconds from `start` to now.
double seconds_since(std::chrono::steady_clock::time_point start);

}  // namespace diskann::cli
