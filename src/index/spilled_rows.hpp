#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "formats/vector_reader.hpp"
#include "graph/shards.hpp"
#include "io/spill_directory.hpp"

namespace diskann::index {

/// Which shards the rows of an input are in. Equal rows are one node; nodes are numbered shard by shard (by the first
/// of the two that each is in), in the order of their rows.
struct ShardMap {
  struct Twin {
    std::uint32_t first, row;  ///< the first row that it equals
    friend auto operator<=>(const Twin&, const Twin&) = default;
  };
  std::vector<graph::ShardFill::Place> places;  ///< of each row; none of those that equal one before
  std::vector<Twin> twins;                      ///< sorted
  std::vector<base::Slot> everywhere;           ///< nodes that are guests of every shard
  std::vector<std::uint64_t> starts;            ///< of each shard the first node, and how many there are

  std::size_t shards() const noexcept { return starts.size() - 1; }
  std::uint64_t nodes() const noexcept { return starts.back(); }
  std::uint64_t nodes_of(std::size_t shard) const noexcept { return starts[shard + 1] - starts[shard]; }
  /// Nodes that a shard is the second of, ascending, and then those that are everywhere and not in it yet.
  std::vector<base::Slot> guests(std::size_t shard) const;
  /// The nodes that some rows are.
  std::vector<base::Slot> nodes_of_rows(std::span<const std::uint32_t> rows) const;
  /// Rows that a shard is the first of, by node.
  std::vector<std::uint32_t> rows_of(std::size_t shard) const;
};

/// Rows that are in every shard, of so many that each takes: by inner product the longest.
constexpr std::uint64_t rows_everywhere(Distance metric, std::uint64_t capacity) noexcept {
  return metric == Distance::InnerProduct ? capacity / 16 : 0;
}

/// What is read of the input to learn from: rows from everywhere.
base::RowStore sample_rows(const formats::VectorReader& reader, VectorType type, std::size_t most, std::uint64_t seed);

/// Reads the input twice: to see where each row goes, of which no shard takes more than `capacity`, and to put it
/// there. By inner product the longest rows, likely answers of any query, are in every shard. InvalidArgument as
/// read_some_rows(); Io where the input changed in between.
ShardMap spill_rows(const formats::VectorReader& reader, VectorType type, Distance metric, const base::RowStore& sample,
                    std::size_t shards, std::uint64_t capacity, std::uint64_t seed, const io::SpillDirectory& spill,
                    base::ThreadTeam& team, const Execution& execution);
/// What that returned, where a build goes on.
ShardMap read_shard_map(const io::SpillDirectory& spill, std::uint64_t rows);
bool has_shard_map(const io::SpillDirectory& spill);

/// The rows that spill_rows() put into shards.
class SpilledRows {
 public:
  SpilledRows(const io::SpillDirectory& spill, const ShardMap& map, VectorType type, std::size_t dimension);

  VectorType type() const noexcept { return type_; }
  std::size_t dimension() const noexcept { return dimension_; }
  /// Of a node, padded. Safe from several threads.
  void read(base::Slot node, std::byte* row) const;
  /// All nodes of a shard, then its guests.
  base::RowStore load(std::size_t shard, std::span<const base::Slot> guests) const;

 private:
  const ShardMap& map_;
  VectorType type_;
  std::size_t dimension_, stride_;
  std::vector<std::unique_ptr<io::ReadableFile>> files_;
};

/// The neighbours of a record, which begins with their number; Corrupt where they are none of so many nodes.
std::span<const base::Slot> neighbors_in(std::span<const base::Slot> record, std::uint64_t nodes,
                                         const io::ReadableFile& file);
[[noreturn]] void fail_spilled(const io::ReadableFile& file);

std::string spill_name(const char* what, std::size_t shard);

}  // namespace diskann::index
