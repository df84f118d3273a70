#include "io/temporary_files.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>

namespace diskann::io {
namespace {

constexpr std::size_t kSlots = 64;
/// Whoever takes a name out of its slot owns it, so that none is freed under the hands of a signal handler; which
/// cannot free it either, and leaves it in `done`.
std::array<std::atomic<char*>, kSlots> names{}, done{};
static_assert(std::atomic<char*>::is_always_lock_free, "a signal handler takes them");

/// Null where there is no memory: then a signal leaves the file behind, and nothing else is lost.
char* copy_of(const std::filesystem::path& path) noexcept {
  try {
    return ::strdup(path.string().c_str());
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

TemporaryMark::TemporaryMark(const std::filesystem::path& path) noexcept {
  char* name = copy_of(path);
  for (std::size_t i = 0; i < kSlots && name != nullptr; ++i) {
    char* free_slot = nullptr;
    if (names[i].load() != nullptr) continue;
    std::free(done[i].exchange(nullptr));
    if (!names[i].compare_exchange_strong(free_slot, name)) continue;
    slot_ = i;
    return;
  }
  std::free(name);
}

TemporaryMark::~TemporaryMark() {
  if (slot_ != kNone) std::free(names[slot_].exchange(nullptr));
}

void remove_temporary_files() noexcept {
  for (std::size_t i = 0; i < kSlots; ++i) {
    char* const name = names[i].exchange(nullptr);
    if (name == nullptr) continue;
    ::unlink(name);
    done[i].store(name);
  }
}

}  // namespace diskann::io
