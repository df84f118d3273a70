#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/checked.hpp"
#include "base/row_store.hpp"
#include "io/block_device.hpp"

namespace diskann::index {

/// Records of one length in units of whole blocks of 4,096 bytes, each read at once: as many as fit a page of
/// `page_bytes`, in as few blocks as those take, or one in as many blocks as it takes. In our files the last 8 bytes of
/// a unit are a checksum of those before them and of its number; Microsoft's have none.
class RecordPages {
 public:
  static constexpr std::size_t kSumBytes = sizeof(std::uint64_t);

  RecordPages() = default;
  explicit RecordPages(std::size_t record_bytes, bool sealed = true, std::size_t page_bytes = io::kBlockBytes)
      : record_bytes_(record_bytes),
        sum_bytes_(sealed ? kSumBytes : 0),
        records_(std::max<std::size_t>(1, (page_bytes - sum_bytes_) / record_bytes)),
        blocks_((records_ * record_bytes + sum_bytes_ + io::kBlockBytes - 1) / io::kBlockBytes) {}

  std::size_t record_bytes() const noexcept { return record_bytes_; }
  std::size_t blocks() const noexcept { return blocks_; }    ///< of a unit
  std::size_t records() const noexcept { return records_; }  ///< in a unit
  std::size_t unit_bytes() const noexcept { return blocks_ * io::kBlockBytes; }
  /// That are written or read one after the other at once, where all are.
  std::uint64_t units_of_part() const noexcept { return std::max<std::uint64_t>(1, kPartBytes / unit_bytes()); }
  std::uint64_t units(std::uint64_t records) const noexcept { return (records + records_ - 1) / records_; }
  std::uint64_t bytes(std::uint64_t records) const {
    return base::checked_multiply(units(records), unit_bytes(), "pages");
  }
  std::uint64_t unit_of(base::Slot slot) const noexcept { return slot / records_; }
  std::size_t offset_of(base::Slot slot) const noexcept { return slot % records_ * record_bytes_; }
  /// Whether a unit, the `number`th, is what was written, as far as can be told.
  bool is_whole(const std::byte* unit, std::uint64_t number) const noexcept;

 private:
  static constexpr std::size_t kPartBytes = std::size_t{256} << 10;

  std::size_t record_bytes_ = 1, sum_bytes_ = kSumBytes, records_ = 1, blocks_ = 1;
};

/// Puts the checksum at the end of a unit.
void seal_unit(std::span<std::byte> unit, std::uint64_t number) noexcept;
bool is_sealed(std::span<const std::byte> unit, std::uint64_t number) noexcept;

/// How nodes stand on a drive: a record has the row and its edges where those fit 2 KiB, so that one read brings both;
/// longer rows stand apart, in the same order, and are read for the hits alone.
struct NodePages {
  std::size_t row_bytes = 0;  ///< of the components, a multiple of 4
  std::uint32_t max_degree = 0;
  bool split = false;
  std::size_t edges_at = 0;  ///< of a record in the first pages: where the edges begin
  std::size_t page_bytes = io::kBlockBytes;
  RecordPages edges;  ///< records of the degree and max_degree slots, behind the row where it is not split
  RecordPages rows;   ///< where it is

  NodePages() = default;
  /// `wanted`: as BuildParameters::page_bytes.
  NodePages(VectorType type, std::size_t dimension, std::uint32_t degree, std::size_t wanted)
      : row_bytes(base::round_up(dimension * size_of(type), sizeof(base::Slot))),
        max_degree(degree),
        split(row_bytes + edge_bytes() > kMostTogether),
        edges_at(split ? 0 : row_bytes),
        page_bytes(wanted != 0 ? wanted : page_bytes_for(edge_bytes() + edges_at)),
        edges(edge_bytes() + edges_at, true, page_bytes),
        rows(split ? row_bytes : 1, true, page_bytes) {}
  /// Of Microsoft's: coordinates before the edges, and where those are codes perhaps vectors behind all nodes.
  static NodePages of_microsoft(std::size_t coordinate_bytes, std::uint32_t degree, std::size_t vector_bytes) {
    NodePages pages;
    pages.max_degree = degree;
    pages.split = vector_bytes != 0;
    pages.row_bytes = pages.split ? vector_bytes : coordinate_bytes;
    pages.edges_at = coordinate_bytes;
    pages.edges = RecordPages(coordinate_bytes + pages.edge_bytes(), false);
    if (pages.split) pages.rows = RecordPages(vector_bytes, false);
    return pages;
  }
  std::size_t edge_bytes() const noexcept { return (std::size_t{max_degree} + 1) * sizeof(base::Slot); }

 private:
  /// With eight of those that are near to one another a read has brought most that it can; more bytes save reads, but
  /// no time (docs/benchmarks.md).
  static std::size_t page_bytes_for(std::size_t record_bytes) noexcept {
    constexpr std::size_t kRecords = 8, kMost = 4 * io::kBlockBytes;
    std::size_t bytes = io::kBlockBytes;
    while (bytes < kMost && (bytes - RecordPages::kSumBytes) / record_bytes < kRecords) bytes *= 2;
    return bytes;
  }
  static constexpr std::size_t kMostTogether = (io::kBlockBytes - RecordPages::kSumBytes) / 2;
};

}  // namespace diskann::index
