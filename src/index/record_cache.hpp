#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace diskann::index {

/// Records of one length that were read before, as many as there is room for: those that come first stay. Safe from
/// several threads.
class RecordCache {
 public:
  RecordCache(std::size_t record_bytes, std::uint64_t bytes) : most_(bytes / (record_bytes + kOverhead)) {}

  /// The record, valid as long as the cache is; null where it is not here.
  const std::byte* find(std::uint32_t key) const {
    const std::shared_lock lock(mutex_);
    const auto found = records_.find(key);
    return found == records_.end() ? nullptr : found->second.get();
  }
  /// Keeps what `fill(record)` writes where there is room; null else.
  template <class Fill>
  const std::byte* put(std::uint32_t key, std::size_t record_bytes, const Fill& fill) {
    {
      const std::shared_lock lock(mutex_);
      if (records_.size() >= most_) return nullptr;
    }
    // Rows start where kernels want them.
    Record record(static_cast<std::byte*>(::operator new(record_bytes, kAlignment)));
    fill(record.get());
    const std::unique_lock lock(mutex_);
    return records_.try_emplace(key, std::move(record)).first->second.get();
  }

  /// Not beside other calls.
  void clear() { records_.clear(); }

 private:
  static constexpr std::size_t kOverhead = 128;
  static constexpr std::align_val_t kAlignment{64};
  struct Delete {
    void operator()(std::byte* record) const noexcept { ::operator delete(record, kAlignment); }
  };
  using Record = std::unique_ptr<std::byte, Delete>;

  std::size_t most_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint32_t, Record> records_;
};

}  // namespace diskann::index
