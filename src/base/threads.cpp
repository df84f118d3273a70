#include "base/threads.hpp"

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <system_error>
#include <utility>

namespace diskann::base {

unsigned available_threads() noexcept {
#if defined(__linux__)
  cpu_set_t mask;
  CPU_ZERO(&mask);
  if (sched_getaffinity(0, sizeof mask, &mask) == 0) return std::max(1u, static_cast<unsigned>(CPU_COUNT(&mask)));
#endif
  return std::max(1u, std::thread::hardware_concurrency());
}

unsigned threads_of(const Execution& execution) noexcept {
  return execution.threads == 0 ? available_threads() : std::min(execution.threads, kMostThreads);
}

void check_cancelled(const CancelToken* cancel) {
  if (cancel != nullptr && cancel->cancelled()) throw Error(ErrorCode::Cancelled, "cancelled");
}

ThreadTeam::ThreadTeam(const Execution& execution) : cancel_(execution.cancel) {
  const unsigned threads = threads_of(execution);
  workers_.reserve(threads - 1);
  for (unsigned thread = 1; thread < threads; ++thread) {
    try {
      workers_.emplace_back([this, thread] { work(thread); });
    } catch (const std::system_error&) {
      break;  // fewer threads do the same work
    }
  }
}

ThreadTeam::~ThreadTeam() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  start_.notify_all();
  for (auto& worker : workers_) worker.join();
}

void ThreadTeam::run(std::uint64_t count, std::uint64_t grain, const Body& body) {
  check_cancelled(cancel_);
  if (count == 0) return;
  {
    std::lock_guard lock(mutex_);
    body_ = &body;
    count_ = count;
    grain_ = std::max<std::uint64_t>(grain, 1);
    next_.store(0, std::memory_order_relaxed);
    error_ = nullptr;
    running_ = static_cast<unsigned>(workers_.size());
    ++section_;
  }
  if (!workers_.empty()) start_.notify_all();
  take_chunks(0);
  std::unique_lock lock(mutex_);
  done_.wait(lock, [this] { return running_ == 0; });
  if (error_ != nullptr) std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadTeam::work(unsigned thread) {
  std::uint64_t seen = 0;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      start_.wait(lock, [&] { return stop_ || section_ != seen; });
      if (stop_) return;
      seen = section_;
    }
    take_chunks(thread);
    std::lock_guard lock(mutex_);
    if (--running_ == 0) done_.notify_one();
  }
}

void ThreadTeam::take_chunks(unsigned thread) {
  std::uint64_t begin = 0;
  try {
    while (true) {
      begin = next_.fetch_add(grain_, std::memory_order_relaxed);
      if (begin >= count_) return;
      check_cancelled(cancel_);
      (*body_)(thread, begin, std::min(count_, begin + grain_));
    }
  } catch (...) {
    std::lock_guard lock(mutex_);
    if (error_ == nullptr || begin < error_begin_) {
      error_ = std::current_exception();
      error_begin_ = begin;
    }
    next_.store(count_, std::memory_order_relaxed);  // nothing more is handed out
  }
}

ProgressMeter::ProgressMeter(const Execution& execution, std::string_view stage, std::uint64_t total)
    : report_(execution.progress),
      stage_(stage),
      total_(total),
      last_(std::chrono::steady_clock::now()),
      exceptions_(std::uncaught_exceptions()) {}

ProgressMeter::~ProgressMeter() noexcept(false) {
  if (report_ && std::uncaught_exceptions() == exceptions_) report_({stage_, total_, total_});
}

void ProgressMeter::add(std::uint64_t done) {
  const std::uint64_t now_done = done_.fetch_add(done, std::memory_order_relaxed) + done;
  if (!report_) return;
  std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  const auto now = std::chrono::steady_clock::now();
  if (now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  report_({stage_, std::min(now_done, total_), total_});
}

}  // namespace diskann::base
