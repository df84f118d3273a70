#include "io/system.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string_view>

namespace diskann::io {
namespace {

/// Value behind the colon of the first line that starts with `key`, without spaces around it. Files of /proc have no
/// size and are read to the end, so they do not come through FileSystem.
bool read_proc_value(const char* path, std::string_view key, char (&value)[256]) noexcept {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path, "re"), std::fclose);
  if (file == nullptr) return false;
  char line[256];
  while (std::fgets(line, sizeof line, file.get()) != nullptr) {
    if (std::strncmp(line, key.data(), key.size()) != 0) continue;
    const char* colon = std::strchr(line, ':');
    if (colon == nullptr) continue;
    const char* begin = colon + 1 + std::strspn(colon + 1, " \t");
    std::size_t length = std::strlen(begin);
    while (length > 0 && std::strchr(" \t\n", begin[length - 1]) != nullptr) --length;
    std::memcpy(value, begin, length);
    value[length] = '\0';
    return length > 0;
  }
  return false;
}

}  // namespace

std::string processor_name() {
  char value[256];
  if (read_proc_value("/proc/cpuinfo", "model name", value)) return value;
  utsname system{};  // ARM kernels print no name
  return uname(&system) == 0 ? std::string(system.machine) : std::string("unknown");
}

std::uint64_t memory_bytes() noexcept {
  const long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
  return pages > 0 && page > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(page) : 0;
}

std::uint64_t peak_resident_bytes() noexcept {
  // Preferred to getrusage, whose peak is inherited from the program that started this one.
  char value[256];
  if (read_proc_value("/proc/self/status", "VmHWM", value)) return std::strtoull(value, nullptr, 10) * 1024;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
#if defined(__APPLE__)
  constexpr std::uint64_t kUnit = 1;
#else
  constexpr std::uint64_t kUnit = 1024;
#endif
  return static_cast<std::uint64_t>(usage.ru_maxrss) * kUnit;
}

}  // namespace diskann::io
