#pragma once

#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace diskann::base {

/// A constant array that is either owned or stands in memory (a mapped file) that something else owns.
template <class T>
class SharedArray {
 public:
  SharedArray() = default;
  SharedArray(std::vector<T> values) {
    auto owned = std::make_shared<const std::vector<T>>(std::move(values));
    values_ = *owned;
    owner_ = std::move(owned);
  }
  SharedArray(std::span<const T> values, std::shared_ptr<const void> owner)
      : owner_(std::move(owner)), values_(values) {}

  const T* data() const noexcept { return values_.data(); }
  std::size_t size() const noexcept { return values_.size(); }
  bool empty() const noexcept { return values_.empty(); }
  const T& operator[](std::size_t i) const noexcept { return values_[i]; }
  std::span<const T> span() const noexcept { return values_; }

 private:
  std::shared_ptr<const void> owner_;
  std::span<const T> values_;
};

}  // namespace diskann::base
