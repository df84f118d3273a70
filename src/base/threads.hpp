#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "diskann/types.hpp"

namespace diskann::base {

/// Threads that this process may use (its affinity mask counts, not the machine).
unsigned available_threads() noexcept;

/// More threads than this no team has, whatever was asked for.
inline constexpr unsigned kMostThreads = 1024;
/// Threads that a team would have; the system may grant fewer.
unsigned threads_of(const Execution& execution) noexcept;

/// A team of threads for one long call: workers wait between sections, the caller is thread 0. Chunks are handed out
/// as threads become free, so work that must not depend on the thread count may depend only on the chunk.
class ThreadTeam {
 public:
  /// f(thread, begin, end) on [begin, end), a chunk of at most `grain`; thread < threads().
  using Body = std::function<void(unsigned thread, std::uint64_t begin, std::uint64_t end)>;

  explicit ThreadTeam(const Execution& execution);
  ThreadTeam(const ThreadTeam&) = delete;
  ~ThreadTeam();

  unsigned threads() const noexcept { return static_cast<unsigned>(workers_.size()) + 1; }
  /// Runs `body` over [0, count). An exception stops what is not yet handed out and is rethrown; of several that of the
  /// lowest chunk, so that it is the same at every thread count: chunks are handed out in order and then finished. A
  /// cancel token that is set throws Cancelled between chunks.
  void run(std::uint64_t count, std::uint64_t grain, const Body& body);

 private:
  void work(unsigned thread);
  void take_chunks(unsigned thread);

  const CancelToken* cancel_;
  std::vector<std::thread> workers_;
  std::mutex mutex_;
  std::condition_variable start_, done_;
  std::uint64_t section_ = 0;  // counts run() calls, so that a worker knows a new one
  unsigned running_ = 0;
  bool stop_ = false;
  const Body* body_ = nullptr;
  std::uint64_t count_ = 0, grain_ = 1;
  std::atomic<std::uint64_t> next_{0};
  std::exception_ptr error_;
  std::uint64_t error_begin_ = 0;  // of the chunk that threw error_
};

/// Passes the progress of one stage on, at most ten times a second. Safe from several threads.
class ProgressMeter {
 public:
  ProgressMeter(const Execution& execution, std::string_view stage, std::uint64_t total);
  /// Reports the end of the stage, unless an exception is on its way. Throws what the callback throws.
  ~ProgressMeter() noexcept(false);
  ProgressMeter(const ProgressMeter&) = delete;
  void add(std::uint64_t done);

 private:
  const std::function<void(const Progress&)>& report_;
  std::string_view stage_;
  std::uint64_t total_;
  std::atomic<std::uint64_t> done_{0};
  std::mutex mutex_;
  std::chrono::steady_clock::time_point last_;
  int exceptions_;
};

/// Throws Cancelled if the token is set.
void check_cancelled(const CancelToken* cancel);

}  // namespace diskann::base
