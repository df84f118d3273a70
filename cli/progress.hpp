#pragma once

#include <chrono>
#include <string>

#include "diskann/types.hpp"

namespace diskann::cli {

/// One line on the terminal: stage, bar, percent, rate and time left. Rewritten at most ten times a second.
class ProgressBar {
 public:
  explicit ProgressBar(bool shown);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;

  /// Whether standard error is a terminal that can rewrite a line.
  static bool useful();
  bool shown() const noexcept { return shown_; }
  void update(const Progress& progress);
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  bool shown_;
  bool utf8_;
  bool on_screen_ = false;
  std::string stage_;
  Clock::time_point stage_start_{};
  Clock::time_point last_drawn_{};
};

/// The line that ProgressBar draws, `columns` wide at most.
std::string progress_line(const Progress& progress, double seconds, bool utf8, std::size_t columns);

}  // namespace diskann::cli
