#pragma once

#include <cstddef>

namespace diskann::doubles {

/// Watches operator new on this thread while it lives (one at a time). A program that uses it has its operator new and
/// delete replaced.
class AllocationMeter {
 public:
  AllocationMeter() noexcept;
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;
  std::size_t calls() const noexcept;
  /// Bytes asked for so far, freed or not.
  std::size_t bytes() const noexcept;
};

}  // namespace diskann::doubles
