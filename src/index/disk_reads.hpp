#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/row_store.hpp"
#include "distance/kernels.hpp"
#include "graph/code_space.hpp"
#include "index/disk_state.hpp"

namespace diskann::index {

/// How many reads of a query are under way. Far from the answer most of what is sent for ahead of its turn is of no
/// use; later nearly all of it is (PipeANN).
class ReadWidth {
 public:
  ReadWidth(std::size_t fixed, std::size_t most)
      : width_(fixed != 0 ? fixed : kLeast), most_(fixed != 0 ? fixed : most) {}
  std::size_t now() const noexcept { return width_; }
  /// A read landed whose node is among the candidates still, or not any more.
  void landed(bool useful) noexcept {
    ++landed_;
    wasted_ += useful ? 0 : 1;
    if (landed_ < kStart || width_ >= most_) return;
    if (10 * wasted_ <= landed_) ++width_;
  }

 private:
  static constexpr std::size_t kLeast = 4, kStart = 5;
  std::size_t width_, most_, landed_ = 0, wasted_ = 0;
};

/// Small numbers that belong to keys. Memory only grows.
class NumberTable {
 public:
  void clear() noexcept {
    count_ = 0;
    if (++stamp_ != 0) return;
    std::fill(entries_.begin(), entries_.end(), Entry{});
    stamp_ = 1;
  }
  /// Null for a key without one. Until the next insert().
  std::uint32_t* find(std::uint64_t key) noexcept {
    if (entries_.empty()) return nullptr;
    for (std::size_t at = place_of(key); entries_[at].stamp == stamp_; at = (at + 1) & (entries_.size() - 1))
      if (entries_[at].key == key) return &entries_[at].value;
    return nullptr;
  }
  /// The key has none yet.
  void insert(std::uint64_t key, std::uint32_t value) {
    if (2 * ++count_ > entries_.size()) grow();
    put(key, value);
  }

 private:
  struct Entry {
    std::uint64_t key = 0;
    std::uint32_t stamp = 0, value = 0;
  };
  std::size_t place_of(std::uint64_t key) const noexcept {
    return (key * 0x9E3779B97F4A7C15u >> 32) & (entries_.size() - 1);
  }
  void put(std::uint64_t key, std::uint32_t value) noexcept {
    std::size_t at = place_of(key);
    while (entries_[at].stamp == stamp_) at = (at + 1) & (entries_.size() - 1);
    entries_[at] = {key, stamp_, value};
  }
  void grow() {
    std::vector<Entry> old(std::max<std::size_t>(256, 2 * entries_.size()));
    old.swap(entries_);
    for (const Entry& entry : old)
      if (entry.stamp == stamp_) put(entry.key, entry.value);
  }

  std::vector<Entry> entries_;
  std::size_t count_ = 0;
  std::uint32_t stamp_ = 1;
};

/// The units of pages that a query sent for: what else is in them costs nothing.
class BroughtPages {
 public:
  /// `keeps`: their bytes, as many as there is room for.
  BroughtPages(std::size_t unit_bytes, bool keeps)
      : unit_bytes_(unit_bytes), most_(keeps ? kMostBytes / unit_bytes : 0) {}

  enum class State : std::uint8_t { Unknown, UnderWay, Kept, Passed };
  State state(std::uint64_t unit) noexcept {
    const std::uint32_t* const number = numbers_.find(unit);
    if (number == nullptr) return State::Unknown;
    return *number < kPassed ? State::UnderWay : *number == kPassed ? State::Passed : State::Kept;
  }
  /// Of a unit that is kept.
  const std::byte* data(std::uint64_t unit) noexcept {
    return bytes_.data() + (*numbers_.find(unit) - kFirstKept) * unit_bytes_;
  }
  void clear() noexcept {
    numbers_.clear();
    kept_ = 0;
  }
  /// A unit that is unknown, or passed and wanted again.
  void send(std::uint64_t unit) {
    std::uint32_t* const number = numbers_.find(unit);
    if (number == nullptr)
      numbers_.insert(unit, kFirstTime);
    else
      *number = kAgain;
  }
  /// A unit that is under way; false where it had landed once before.
  bool land(std::uint64_t unit, const std::byte* bytes) {
    std::uint32_t& number = *numbers_.find(unit);
    const bool first_time = number == kFirstTime;
    number = kPassed;
    if (kept_ == most_) return first_time;
    if (bytes_.size() < (kept_ + 1) * unit_bytes_) bytes_.resize(std::min(2 * (kept_ + 1), most_) * unit_bytes_);
    std::memcpy(bytes_.data() + kept_ * unit_bytes_, bytes, unit_bytes_);
    number = kFirstKept + static_cast<std::uint32_t>(kept_++);
    return first_time;
  }

 private:
  static constexpr std::size_t kMostBytes = std::size_t{2} << 20;  // long lists read a page again rather than take more
  static constexpr std::uint32_t kFirstTime = 0, kAgain = 1, kPassed = 2, kFirstKept = 3;
  std::size_t unit_bytes_, most_, kept_ = 0;
  NumberTable numbers_;
  std::vector<std::byte> bytes_;
};

/// Compares queries with rows as they stand in pages.
class RowComparer {
 public:
  explicit RowComparer(const DiskIndex::State& state)
      : state_(state),
        shape_(state.known->rows.view()),
        row_(VectorType::U8, 1, base::row_stride(shape_.type, shape_.dimension)) {}
  float compare(const distance::Query& query, const std::byte* record) {
    state_.read_row(record, row_.row(0));  // zeros behind it stay
    const base::RowsView one{row_.row(0), row_.view().stride, 1, shape_.dimension, shape_.type};
    float norm = 0, distance = 0;
    const Distance metric = state_.known->metric;
    const float* const norms = metric == Distance::Cosine ? &norm : nullptr;
    if (norms != nullptr) distance::row_norms(metric, one, 0, 1, &norm);
    graph::KernelSpace(metric, one, nullptr).score_block(query, one, norms, 0, 1, &distance);
    // No file of ours holds values that are no numbers, or too large.
    if (state_.known->foreign && !std::isfinite(distance))
      throw Error(ErrorCode::Corrupt, state_.path.string() + ": a vector was read whose distance is no number");
    return distance;
  }

 private:
  const DiskIndex::State& state_;
  base::RowsView shape_;
  base::RowStore row_;
};

/// Reads of units of pages under way at most: many, but not of memory without end.
inline std::size_t reads_under_way(std::size_t unit_bytes) noexcept {
  return std::clamp((std::size_t{4} << 20) / unit_bytes, std::size_t{8}, std::size_t{128});
}

}  // namespace diskann::index
