#include "io/checksum.hpp"

// Inlined, so that the library needs no shared object for one function.
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace diskann::io {

struct RunningChecksum::State {
  XXH3_state_t xxh3;
};

std::uint64_t checksum(std::span<const std::byte> bytes) noexcept { return XXH3_64bits(bytes.data(), bytes.size()); }

RunningChecksum::RunningChecksum() : state_(std::make_unique<State>()) { reset(); }
RunningChecksum::~RunningChecksum() = default;
void RunningChecksum::reset() noexcept { XXH3_64bits_reset(&state_->xxh3); }
void RunningChecksum::add(std::span<const std::byte> bytes) noexcept {
  XXH3_64bits_update(&state_->xxh3, bytes.data(), bytes.size());
}
std::uint64_t RunningChecksum::value() const noexcept { return XXH3_64bits_digest(&state_->xxh3); }

}  // namespace diskann::io
