#include "io/directory_lock.hpp"

#include <algorithm>
#include <string>
#include <thread>

#include "base/threads.hpp"
#include "diskann/error.hpp"
#include "io/file_system.hpp"

namespace diskann::io {

std::shared_ptr<const void> lock_directory(const std::filesystem::path& directory, const CancelToken* cancel,
                                           std::chrono::milliseconds patience) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + patience;
  // Not in the kernel: a wait there ends for no token, and Ctrl-C goes unheard.
  for (std::chrono::milliseconds pause{1};; pause = std::min(2 * pause, std::chrono::milliseconds{50})) {
    base::check_cancelled(cancel);
    if (auto lock = file_system().try_lock_directory(directory)) return *std::move(lock);
    if (Clock::now() >= end) {
      throw Error(ErrorCode::Io,
                  directory.string() + " is locked by another program (flock), still after " +
                      std::to_string(patience.count()) + " ms",
                  "another export to this directory may be under way: wait for it, or see who it is with lsof +d");
    }
    std::this_thread::sleep_for(pause);
  }
}

}  // namespace diskann::io
