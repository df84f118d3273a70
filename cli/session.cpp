#include "session.hpp"

#include <cstdio>
#include <string>

#include "interrupt.hpp"
#include "json_row.hpp"

namespace diskann::cli {
namespace {

void put_line(std::FILE* stream, std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stream);
  std::fputc('\n', stream);
}

}  // namespace

Session::Session(const CommonFlags& flags)
    : flags_(flags), bar_(!flags.no_progress && !flags.quiet && !flags.json && ProgressBar::useful()) {}

void Session::print(std::string_view line) {
  bar_.clear();
  put_line(stdout, line);
}

void Session::row(const JsonRow& row) {
  bar_.clear();
  put_line(stdout, row.text());
  std::fflush(stdout);  // a reader at the other end of a pipe sees each row when it is measured
}

void Session::note(std::string_view line) {
  if (flags_.quiet || flags_.json) return;
  bar_.clear();
  put_line(stderr, line);
}

void Session::detail(std::string_view line) {
  if (!flags_.verbose) return;
  bar_.clear();
  put_line(stderr, line);
}

Execution Session::execution(unsigned threads) {
  Execution execution;
  execution.threads = threads;
  execution.cancel = &interrupt_token();
  if (bar_.shown()) execution.progress = [this](const Progress& progress) { bar_.update(progress); };
  return execution;
}

double Session::elapsed() const { return seconds_since(start_); }

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace diskann::cli
