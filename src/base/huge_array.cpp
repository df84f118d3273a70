#include "base/huge_array.hpp"

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <cstdint>
#include <cstring>
#include <new>
#include <string>

namespace diskann::base {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
/// Less comes from the heap, which is quicker, and guarded in tests.
constexpr std::size_t kLeastMapped = std::size_t{64} << 10;
constexpr std::align_val_t kAlignment{64};

[[noreturn]] void throw_out_of_memory(std::size_t bytes) {
  throw Error(ErrorCode::OutOfMemory, "cannot allocate " + std::to_string(bytes) + " bytes",
              "free memory, or use smaller data");
}

#if defined(_WIN32)

// Huge pages are a privilege there, so these are plain ones, on the same boundaries. Addresses that are reserved and
// not committed cost nothing.

void* allocate_pages(std::size_t bytes) {
  const std::size_t reserve = bytes + (bytes >= kHugePage ? kHugePage : 0);
  void* const reserved = reserve < bytes ? nullptr : VirtualAlloc(nullptr, reserve, MEM_RESERVE, PAGE_READWRITE);
  if (reserved == nullptr) throw_out_of_memory(bytes);
  auto* start = static_cast<std::byte*>(reserved);
  const auto address = reinterpret_cast<std::uintptr_t>(start);
  if (bytes >= kHugePage) start += round_up(address, kHugePage) - address;
  if (VirtualAlloc(start, bytes, MEM_COMMIT, PAGE_READWRITE) == nullptr) {
    VirtualFree(reserved, 0, MEM_RELEASE);
    throw_out_of_memory(bytes);
  }
  return start;
}

void free_pages(void* pages, std::size_t) noexcept {
  MEMORY_BASIC_INFORMATION region;
  if (VirtualQuery(pages, &region, sizeof region) != 0) VirtualFree(region.AllocationBase, 0, MEM_RELEASE);
}

void shrink_pages(void* pages, std::size_t bytes, std::size_t keep) noexcept {
  constexpr std::size_t kPage = 4096;
  const std::size_t kept = round_up(keep, kPage), length = round_up(bytes, kPage);
  if (kept < length) VirtualFree(static_cast<std::byte*>(pages) + kept, length - kept, MEM_DECOMMIT);
}

#else

std::size_t page_size() noexcept {
  static const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return size;
}

void* allocate_pages(std::size_t bytes) {
  const bool huge = bytes >= kHugePage;
  const std::size_t length = round_up(bytes, page_size());
  // A huge page must start on its own boundary: ask for more and give the ends back.
  const std::size_t reserve = length + (huge ? kHugePage : 0);
  void* const reserved =
      reserve < bytes ? MAP_FAILED : mmap(nullptr, reserve, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (reserved == MAP_FAILED) throw_out_of_memory(bytes);
  if (!huge) return reserved;
  auto* const start = static_cast<std::byte*>(reserved);
  const std::size_t lead =
      round_up(reinterpret_cast<std::uintptr_t>(start), kHugePage) - reinterpret_cast<std::uintptr_t>(start);
  if (lead != 0) munmap(start, lead);
  if (lead != kHugePage) munmap(start + lead + length, kHugePage - lead);
#if defined(MADV_HUGEPAGE)
  madvise(start + lead, length, MADV_HUGEPAGE);
#endif
  return start + lead;
}

void free_pages(void* pages, std::size_t bytes) noexcept { munmap(pages, round_up(bytes, page_size())); }

void shrink_pages(void* pages, std::size_t bytes, std::size_t keep) noexcept {
  // The addresses stay reserved, so that free_pages takes the whole range; the memory is gone.
  const std::size_t kept = round_up(keep, page_size());
  const std::size_t length = round_up(bytes, page_size());
  if (kept < length) madvise(static_cast<std::byte*>(pages) + kept, length - kept, MADV_DONTNEED);
}

#endif

}  // namespace

void trim_heap() noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

void* allocate_zeroed(std::size_t bytes) {
  if (bytes >= kLeastMapped) return allocate_pages(bytes);
  void* const memory = ::operator new(bytes, kAlignment, std::nothrow);
  if (memory == nullptr) throw_out_of_memory(bytes);
  return std::memset(memory, 0, bytes);
}

void free_zeroed(void* memory, std::size_t bytes) noexcept {
  if (bytes >= kLeastMapped) return free_pages(memory, bytes);
  ::operator delete(memory, kAlignment);
}

void shrink_zeroed(void* memory, std::size_t bytes, std::size_t keep) noexcept {
  if (bytes >= kLeastMapped) shrink_pages(memory, bytes, keep);
}

}  // namespace diskann::base
