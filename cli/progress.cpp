#include "progress.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "figures.hpp"

namespace diskann::cli {
namespace {

constexpr std::size_t kBarWidth = 24;

bool locale_is_utf8() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') continue;
    return std::strstr(value, "UTF-8") != nullptr || std::strstr(value, "utf8") != nullptr ||
           std::strstr(value, "UTF8") != nullptr || std::strstr(value, "utf-8") != nullptr;
  }
  return false;
}

std::size_t terminal_columns() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string bar(double share, bool utf8) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  std::string text;
  for (std::size_t i = 0; i < kBarWidth; ++i) text += i < full ? (utf8 ? "█" : "#") : (utf8 ? "░" : "-");
  return text;
}

}  // namespace

ProgressBar::ProgressBar(bool shown) : shown_(shown), utf8_(locale_is_utf8()) {}

ProgressBar::~ProgressBar() { clear(); }

bool ProgressBar::useful() {
  const char* terminal = std::getenv("TERM");
  return isatty(STDERR_FILENO) != 0 && (terminal == nullptr || std::strcmp(terminal, "dumb") != 0);
}

void ProgressBar::update(const Progress& progress) {
  if (!shown_) return;
  const auto now = Clock::now();
  const bool new_stage = stage_ != progress.stage;
  if (new_stage) {
    stage_ = progress.stage;
    stage_start_ = now;
  } else if (now - last_drawn_ < std::chrono::milliseconds(100) && progress.done < progress.total) {
    return;
  }
  last_drawn_ = now;
  on_screen_ = true;
  const double seconds = std::chrono::duration<double>(now - stage_start_).count();
  const std::string line = progress_line(progress, seconds, utf8_, terminal_columns());
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!on_screen_) return;
  on_screen_ = false;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
}

std::string progress_line(const Progress& progress, double seconds, bool utf8, std::size_t columns) {
  if (progress.total == 0) return std::string(progress.stage).substr(0, columns - 1);
  const double done = static_cast<double>(progress.done);
  const double share = std::min(1.0, done / static_cast<double>(progress.total));
  const std::string start = fmt::format("{:<16} ", progress.stage);
  std::string end = fmt::format(" {:3.0f} %", share * 100);
  if (seconds > 0.5 && progress.done > 0) {
    const double rate = done / seconds;
    end += fmt::format("  {}/s", short_count(rate));
    const double left = static_cast<double>(progress.total) / rate - seconds;
    if (left >= 0.5) end += fmt::format("  ETA {}", clock_text(left));
  }
  if (start.size() + kBarWidth + end.size() < columns) return start + bar(share, utf8) + end;
  return (start + end).substr(0, columns - 1);
}

}  // namespace diskann::cli
