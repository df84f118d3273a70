#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

#include "base/checked.hpp"

namespace diskann::base {

/// Zeroed memory, aligned to 64 bytes or better: pages of the system's from 64 KiB up, huge ones (madvise) from 2 MiB
/// up, which halves the cost of a random read. Throws OutOfMemory with the size.
void* allocate_zeroed(std::size_t bytes);
void free_zeroed(void* memory, std::size_t bytes) noexcept;
/// Gives pages behind `keep` bytes back to the system.
void shrink_zeroed(void* memory, std::size_t bytes, std::size_t keep) noexcept;

/// Gives back to the system what the heap keeps of memory that was freed, where it can be asked to: after a stage whose
/// arrays the next one has no use for.
void trim_heap() noexcept;

/// A fixed array of trivial elements in zeroed memory. Move-only.
template <class T>
class HugeArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  HugeArray() = default;
  explicit HugeArray(std::size_t count)
      : bytes_(checked_multiply(count, sizeof(T), "memory", ErrorCode::OutOfMemory)),
        data_(bytes_ == 0 ? nullptr : static_cast<T*>(allocate_zeroed(bytes_))),
        count_(count) {}
  HugeArray(HugeArray&& other) noexcept { swap(other); }
  HugeArray& operator=(HugeArray&& other) noexcept {
    HugeArray(std::move(other)).swap(*this);
    return *this;
  }
  ~HugeArray() {
    if (data_ != nullptr) free_zeroed(data_, bytes_);
  }

  T* data() noexcept { return data_; }
  const T* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return count_; }
  T& operator[](std::size_t i) noexcept { return data_[i]; }
  const T& operator[](std::size_t i) const noexcept { return data_[i]; }
  T* begin() noexcept { return data_; }
  T* end() noexcept { return data_ + count_; }
  const T* begin() const noexcept { return data_; }
  const T* end() const noexcept { return data_ + count_; }
  /// Keeps the first `count` elements.
  void truncate(std::size_t count) noexcept {
    if (count >= count_) return;
    shrink_zeroed(data_, bytes_, count * sizeof(T));
    count_ = count;
  }
  void swap(HugeArray& other) noexcept {
    std::swap(bytes_, other.bytes_);
    std::swap(data_, other.data_);
    std::swap(count_, other.count_);
  }

 private:
  std::size_t bytes_ = 0;  // as allocated
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace diskann::base
