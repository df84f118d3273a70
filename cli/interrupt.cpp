#include "interrupt.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "diskann/error.hpp"
#include "diskann/output.hpp"

namespace diskann::cli {
namespace {

CancelToken token;
static_assert(std::atomic<bool>::is_always_lock_free, "the handler may only touch a lock-free flag");

extern "C" void on_signal(int) {
  if (token.cancelled()) {
    remove_temporary_files();
    _exit(130);
  }
  token.cancel();
  const int saved = errno;
  if (isatty(STDERR_FILENO) != 0) {
    static const char kMessage[] = "\nstopping (once more ends at once)\n";
    if (write(STDERR_FILENO, kMessage, sizeof kMessage - 1) < 0) errno = 0;  // nothing to do about it here
  }
  errno = saved;
}

}  // namespace

CancelToken& interrupt_token() noexcept { return token; }

void install_interrupt_handler() {
  struct sigaction action;
  std::memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  // Who started us may have them ignored, as nohup and scripts do, and means it.
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction old;
    if (sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(signal, &action, nullptr);
  }
  // A write beyond ulimit -f is then an error like a full disk, and not the end without a word.
  std::signal(SIGXFSZ, SIG_IGN);
}

void throw_if_interrupted() {
  if (token.cancelled()) throw Error(ErrorCode::Cancelled, "interrupted");
}

}  // namespace diskann::cli
