#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "diskann/error.hpp"
#include "diskann/export.hpp"

namespace diskann {

/// IEEE 754 half precision, as stored: arithmetic is done in float.
class float16 {
 public:
  float16() = default;
  /// Rounds to nearest, ties to even; values beyond 65504 become infinity.
  explicit float16(float value) noexcept : bits_(from_float(value)) {}
  static float16 from_bits(std::uint16_t bits) noexcept {
    float16 half;
    half.bits_ = bits;
    return half;
  }
  operator float() const noexcept { return to_float(bits_); }
  std::uint16_t bits() const noexcept { return bits_; }

 private:
  DISKANN_EXPORT static std::uint16_t from_float(float value) noexcept;
  DISKANN_EXPORT static float to_float(std::uint16_t bits) noexcept;
  std::uint16_t bits_ = 0;
};
static_assert(sizeof(float16) == 2 && std::is_trivially_copyable_v<float16>);

/// Component type of a vector.
enum class VectorType : std::uint8_t { F32 = 0, F16 = 1, I8 = 2, U8 = 3 };

constexpr std::size_t size_of(VectorType type) noexcept {
  return type == VectorType::F32 ? 4 : type == VectorType::F16 ? 2 : 1;
}
/// "f32", "f16", "i8" or "u8".
DISKANN_EXPORT std::string_view to_string(VectorType type) noexcept;
/// Also takes "float32", "float", "float16", "half", "int8", "uint8". Throws InvalidArgument.
DISKANN_EXPORT VectorType parse_vector_type(std::string_view name);

template <class T>
concept VectorElement = std::is_same_v<T, float> || std::is_same_v<T, float16> || std::is_same_v<T, std::int8_t> ||
    std::is_same_v<T, std::uint8_t>;

template <VectorElement T>
constexpr VectorType vector_type_of() noexcept {
  if constexpr (std::is_same_v<T, float>) return VectorType::F32;
  if constexpr (std::is_same_v<T, float16>) return VectorType::F16;
  if constexpr (std::is_same_v<T, std::int8_t>) return VectorType::I8;
  if constexpr (std::is_same_v<T, std::uint8_t>) return VectorType::U8;
}

/// What "near" means. Smaller distances are nearer, for every metric.
enum class Distance : std::uint8_t {
  L2 = 0,            ///< squared Euclidean distance
  Cosine = 1,        ///< 1 - cos(q, x), in [0, 2]; a zero vector has distance 1 to everything
  InnerProduct = 2,  ///< -<q, x>
  Custom = 3,        ///< whatever a user's DistanceFunction says
};

/// "l2", "cosine", "ip" or "custom".
DISKANN_EXPORT std::string_view to_string(Distance metric) noexcept;
/// Also takes "euclidean", "inner_product", "mips". Throws InvalidArgument.
DISKANN_EXPORT Distance parse_distance(std::string_view name);

/// One answer: the user's id and its distance to the query. Answers are ordered by (distance, id).
struct Hit {
  std::uint64_t id;
  float distance;
  friend bool operator==(const Hit&, const Hit&) = default;
  friend bool operator<(const Hit& a, const Hit& b) noexcept {
    return a.distance != b.distance ? a.distance < b.distance : a.id < b.id;
  }
};

/// Stands, at distance +infinity, where a result has no hit. A point may have this id too: its distance tells it apart.
inline constexpr std::uint64_t kNoId = std::numeric_limits<std::uint64_t>::max();

/// Borrowed rows of vectors, possibly strided and unaligned; nothing is copied. Converts from a vector or span of
/// components (one row), and from a pointer with rows and dimension. The memory must outlive the call it is given to.
class VectorView {
 public:
  VectorView() = default;
  template <VectorElement T>
  VectorView(const T* data, std::size_t rows, std::size_t dimension) noexcept
      : VectorView(data, vector_type_of<T>(), rows, dimension, dimension * sizeof(T)) {}
  template <VectorElement T>
  VectorView(const std::vector<T>& row) noexcept : VectorView(row.data(), 1, row.size()) {}
  template <VectorElement T>
  VectorView(std::span<const T> row) noexcept : VectorView(row.data(), 1, row.size()) {}
  /// `stride` is the distance between rows in bytes.
  VectorView(const void* data, VectorType type, std::size_t rows, std::size_t dimension, std::size_t stride) noexcept
      : data_(static_cast<const std::byte*>(data)), rows_(rows), dimension_(dimension), stride_(stride), type_(type) {}

  VectorType type() const noexcept { return type_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t dimension() const noexcept { return dimension_; }
  std::size_t stride() const noexcept { return stride_; }  ///< bytes from one row to the next
  const std::byte* row(std::size_t i) const noexcept { return data_ + i * stride_; }
  /// Rows [first, first + count).
  VectorView slice(std::size_t first, std::size_t count) const noexcept {
    return {row(first), type_, count, dimension_, stride_};
  }

 private:
  const std::byte* data_ = nullptr;
  std::size_t rows_ = 0;
  std::size_t dimension_ = 0;
  std::size_t stride_ = 0;
  VectorType type_ = VectorType::F32;
};

/// Rows of vectors that own their memory: contiguous, no padding.
class VectorSet {
 public:
  VectorSet() = default;
  /// Zeros. Throws OutOfMemory.
  DISKANN_EXPORT VectorSet(VectorType type, std::size_t rows, std::size_t dimension);
  /// Copies rows of equal length; DimensionMismatch names the first row that differs.
  template <VectorElement T>
  static VectorSet from_rows(const std::vector<std::vector<T>>& rows);

  VectorType type() const noexcept { return type_; }
  std::size_t rows() const noexcept { return rows_; }
  std::size_t dimension() const noexcept { return dimension_; }
  std::size_t row_bytes() const noexcept { return dimension_ * size_of(type_); }
  std::byte* row(std::size_t i) noexcept { return bytes_.data() + i * row_bytes(); }
  const std::byte* row(std::size_t i) const noexcept { return bytes_.data() + i * row_bytes(); }
  VectorView view() const noexcept { return {bytes_.data(), type_, rows_, dimension_, row_bytes()}; }
  operator VectorView() const noexcept { return view(); }
  /// Gives memory of the rows behind `rows` back.
  DISKANN_EXPORT void truncate(std::size_t rows);

 private:
  VectorType type_ = VectorType::F32;
  std::size_t rows_ = 0;
  std::size_t dimension_ = 0;
  std::vector<std::byte> bytes_;
};

/// Throws DimensionMismatch that names `row` and both lengths.
[[noreturn]] DISKANN_EXPORT void throw_ragged_row(std::size_t row, std::size_t expected, std::size_t found);

template <VectorElement T>
VectorSet VectorSet::from_rows(const std::vector<std::vector<T>>& rows) {
  VectorSet set(vector_type_of<T>(), rows.size(), rows.empty() ? 0 : rows.front().size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].size() != set.dimension()) throw_ragged_row(i, set.dimension(), rows[i].size());
    const auto* bytes = reinterpret_cast<const std::byte*>(rows[i].data());
    std::copy(bytes, bytes + set.row_bytes(), set.row(i));
  }
  return set;
}

/// Hits of a batch of queries: `rows x k`, padded with kNoId and +infinity where a query has fewer hits.
struct SearchResults {
  std::size_t rows = 0;
  std::size_t k = 0;
  std::vector<std::uint64_t> ids;  ///< rows * k
  std::vector<float> distances;    ///< rows * k, or empty where only ids are known

  /// Whether a hit stands there, not padding; where only ids are known, kNoId is padding, and so it is where the
  /// distance of the point with that id is beyond what f32 holds.
  bool has_hit(std::size_t row, std::size_t column) const noexcept {
    const std::size_t cell = row * k + column;
    return ids[cell] != kNoId || (!distances.empty() && distances[cell] != std::numeric_limits<float>::infinity());
  }
  std::span<const std::uint64_t> ids_of(std::size_t row) const noexcept { return {ids.data() + row * k, k}; }
  std::span<const float> distances_of(std::size_t row) const noexcept { return {distances.data() + row * k, k}; }
};

/// Set from another thread or a signal handler to stop a long call, which then throws ErrorCode::Cancelled.
class CancelToken {
 public:
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

/// Where a long call stands.
struct Progress {
  std::string_view stage;   ///< e.g. "build graph"
  std::uint64_t done = 0;   ///< units of work done in this stage
  std::uint64_t total = 0;  ///< units of work of this stage
};

/// How a long call runs. The result never depends on it.
struct Execution {
  unsigned threads = 0;  ///< 0: all that this process may use
  /// Called from one thread at a time, a few times a second at most, and once at the end of each stage.
  std::function<void(const Progress&)> progress;
  const CancelToken* cancel = nullptr;
};

}  // namespace diskann
