#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/huge_array.hpp"
#include "diskann/types.hpp"

namespace diskann::base {

/// A point's position inside the library. 31 bits, since search packs an "expanded" flag beside it.
using Slot = std::uint32_t;
inline constexpr std::uint64_t kMaxSlots = (std::uint64_t{1} << 31) - 1;
inline constexpr std::size_t kMaxDimension = 65'535;

/// Rows as kernels read them: 64-byte aligned, padded with zeros to `stride`, a multiple of 64 bytes.
struct RowsView {
  const std::byte* data = nullptr;
  std::size_t stride = 0;  ///< bytes
  std::size_t rows = 0;
  std::size_t dimension = 0;
  VectorType type = VectorType::F32;

  const std::byte* row(std::size_t i) const noexcept { return data + i * stride; }
};

/// Bytes of one padded row.
constexpr std::size_t row_stride(VectorType type, std::size_t dimension) noexcept {
  return round_up(dimension * size_of(type), 64);
}

/// Where in `rows.data` the first byte of padding stands that is not zero. Kernels read padding as components, so that
/// such a row has wrong distances.
inline std::optional<std::size_t> stray_padding(const RowsView& rows) noexcept {
  const std::size_t used = rows.dimension * size_of(rows.type);
  if (used == rows.stride) return std::nullopt;
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const std::byte* end = rows.row(i) + rows.stride;
    const std::byte* stray = std::find_if(rows.row(i) + used, end, [](std::byte b) { return b != std::byte{0}; });
    if (stray != end) return static_cast<std::size_t>(stray - rows.data);
  }
  return std::nullopt;
}

/// Owns padded rows, many of them in huge pages, or shares rows mapped from a file.
class RowStore {
 public:
  RowStore() = default;
  /// Zeros.
  RowStore(VectorType type, std::size_t rows, std::size_t dimension)
      : memory_(checked_multiply(rows, row_stride(type, dimension), "rows", ErrorCode::OutOfMemory)),
        view_{memory_.data(), row_stride(type, dimension), rows, dimension, type} {}
  /// The same, one row right behind the other: for codes that kernels take from anywhere.
  static RowStore packed(std::size_t rows, std::size_t bytes) {
    RowStore store;
    store.memory_ = HugeArray<std::byte>(checked_multiply(rows, bytes, "rows", ErrorCode::OutOfMemory));
    store.view_ = {store.memory_.data(), bytes, rows, bytes, VectorType::U8};
    return store;
  }
  /// Rows that stand in memory which `owner` keeps alive.
  RowStore(RowsView mapped, std::shared_ptr<const void> owner) : owner_(std::move(owner)), view_(mapped) {}

  const RowsView& view() const noexcept { return view_; }
  operator const RowsView&() const noexcept { return view_; }
  /// Only for rows that this store owns.
  std::byte* row(std::size_t i) noexcept { return memory_.data() + i * view_.stride; }
  /// Forgets the rows behind `rows` and gives their memory back.
  void truncate(std::size_t rows) noexcept {
    memory_.truncate(rows * view_.stride);
    view_.rows = rows;
  }

 private:
  HugeArray<std::byte> memory_;
  std::shared_ptr<const void> owner_;
  RowsView view_;
};

/// Copies row `source` of a view into padded memory of the same type; the padding must be zero already.
inline void copy_row(const VectorView& view, std::size_t source, std::byte* destination) noexcept {
  const std::byte* from = view.row(source);
  std::copy(from, from + view.dimension() * size_of(view.type()), destination);
}

}  // namespace diskann::base
