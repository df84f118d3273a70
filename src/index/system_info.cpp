#include <string>

#include "base/threads.hpp"
#include "diskann/inspect.hpp"
#include "diskann/version.hpp"
#include "distance/highway_version.hpp"
#include "distance/kernels.hpp"
#include "io/system.hpp"

namespace diskann {
namespace {

std::string compiler() {
#if defined(__clang__)
  return "clang " + std::to_string(__clang_major__) + "." + std::to_string(__clang_minor__) + "." +
         std::to_string(__clang_patchlevel__);
#else
  return "gcc " __VERSION__;
#endif
}

}  // namespace

SystemInfo system_info() {
  SystemInfo info;
  info.version = DISKANN_VERSION;
  info.compiler = compiler();
  info.highway = distance::highway_version();
  info.isa = distance::isa();
  info.compiled_isas = distance::compiled_isas();
  info.io_backends = {"pread", "mmap"};
  info.processor = io::processor_name();
  info.threads = base::available_threads();
  info.memory_bytes = io::memory_bytes();
  return info;
}

std::uint64_t peak_resident_bytes() noexcept { return io::peak_resident_bytes(); }

}  // namespace diskann
