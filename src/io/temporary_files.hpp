#pragma once

#include <cstddef>
#include <filesystem>
#include <utility>

namespace diskann::io {

/// While it lives, remove_temporary_files() removes the file of that name. Of very many at once it may know only some.
class TemporaryMark {
 public:
  TemporaryMark() = default;
  explicit TemporaryMark(const std::filesystem::path& path) noexcept;
  TemporaryMark(TemporaryMark&& other) noexcept : slot_(std::exchange(other.slot_, kNone)) {}
  TemporaryMark& operator=(TemporaryMark&& other) noexcept {
    std::swap(slot_, other.slot_);
    return *this;
  }
  ~TemporaryMark();

 private:
  static constexpr std::size_t kNone = ~std::size_t{0};
  std::size_t slot_ = kNone;
};

/// Removes all marked files. Safe in the handler of a signal, whatever the threads are doing.
void remove_temporary_files() noexcept;

}  // namespace diskann::io
