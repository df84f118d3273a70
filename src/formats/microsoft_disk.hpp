#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/adjacency.hpp"
#include "base/row_store.hpp"
#include "diskann/types.hpp"

namespace diskann::formats {

/// Centroids of product codes as Microsoft's files have them: 256 for every chunk of components.
struct MicrosoftPivots {
  std::size_t dimension = 0;
  std::vector<float> values;          ///< 256 rows of so many components
  std::vector<float> mean;            ///< what was subtracted before coding
  std::vector<std::uint32_t> starts;  ///< first component of every chunk, and `dimension`
  std::vector<float> rotation;        ///< dimension x dimension, row-major: y = (x - mean) R; empty: none
  std::size_t chunks() const noexcept { return starts.size() - 1; }
};

/// Microsoft's index set for SSDs: `P_disk.index`, `P_pq_pivots.bin`, `P_pq_compressed.bin` and what may stand beside
/// them. Nodes stay in `P_disk.index`, from its second block of 4,096 bytes on: a record has the coordinates, the
/// degree and `max_degree` slots.
struct MicrosoftDiskSet {
  std::filesystem::path index;  ///< P_disk.index
  Distance metric = Distance::L2;
  VectorType type = VectorType::F32;   ///< of the vectors, as they can be had: F32 where coordinates are coded
  VectorType given = VectorType::F32;  ///< as they were given
  std::uint64_t nodes = 0;
  std::size_t dimension = 0;    ///< of the vectors as they were given
  std::size_t coordinates = 0;  ///< in a record: one more by inner product, and chunks where those are coded
  std::size_t coordinate_bytes = 0;
  std::vector<std::byte> first_block;  ///< of `index`
  std::uint32_t max_degree = 0;
  std::vector<base::Slot> entry_points;  ///< the medoid first
  std::optional<base::Slot> frozen;      ///< that no search returns
  MicrosoftPivots pivots;
  /// Of coordinates that are codes of their own.
  std::optional<MicrosoftPivots> coded;
  /// First block of the f32 vectors that stand behind all nodes where coordinates are codes; 0: there are none.
  std::uint64_t vectors_at = 0;
  /// By inner product coordinates are vectors over this, the length of the longest.
  float longest = 1;
};

/// Header and side files, every number checked against all others; the nodes are left for whoever reads them, but some
/// are looked at. `metric` and `type` say what the files do not. Throws
/// InvalidArgument where the type or the metric cannot be told, Corrupt for what is wrong in a file.
MicrosoftDiskSet open_microsoft_disk_set(const std::filesystem::path& index, std::optional<Distance> metric,
                                         std::optional<VectorType> type);

/// Codes of all nodes, a byte a chunk, packed. Throws Corrupt where they do not fit the set, Cancelled.
base::RowStore read_microsoft_codes(const MicrosoftDiskSet& set, const Execution& execution);

/// What a set is written of. Rows are vectors as their sets for SSDs hold them: by cosine of length 1, by inner product
/// over the length of the longest, with one component more that fills them up to 1.
struct MicrosoftDiskSource {
  Distance metric = Distance::L2;
  std::size_t dimension = 0;  ///< of the vectors as they were given
  base::RowsView rows;
  const base::Adjacency* graph = nullptr;
  base::Slot start = 0;
  const MicrosoftPivots* pivots = nullptr;
  base::RowsView codes;
  float longest = 1;  ///< by inner product
};
/// Writes the set: `P_disk.index`, `P_pq_pivots.bin`, `P_pq_compressed.bin`, `P_metadata.bin`, a sample for caches, and
/// by inner product `P_disk.index_max_base_norm.bin`. As write_microsoft_memory_set() does.
void write_microsoft_disk_set(const std::filesystem::path& prefix, const MicrosoftDiskSource& source, bool overwrite,
                              const Execution& execution = {});

}  // namespace diskann::formats
