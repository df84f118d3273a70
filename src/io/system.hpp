#pragma once

#include <cstdint>
#include <string>

namespace diskann::io {

/// The processor's own name, or "unknown".
std::string processor_name();
/// Memory of the machine; 0 where the system does not tell.
std::uint64_t memory_bytes() noexcept;
/// Largest resident size of this process so far; 0 where the system does not tell.
std::uint64_t peak_resident_bytes() noexcept;

}  // namespace diskann::io
