#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "base/adjacency.hpp"
#include "base/row_store.hpp"
#include "diskann/types.hpp"

namespace diskann::formats {

/// Microsoft's in-memory index set `prefix`, `prefix.data`, `prefix.tags`, `prefix.del`, `prefix_metadata.bin`.
struct MicrosoftMemorySet {
  Distance metric = Distance::L2;
  base::RowStore vectors;  ///< frozen points included, as the last rows
  base::Adjacency graph;   ///< one row a vector, stride a multiple of 16
  std::uint32_t max_degree = 0;
  base::Slot start = 0;
  std::uint64_t frozen_points = 0;
  std::vector<std::uint64_t> ids;  ///< tags of the points that are not frozen; empty where ids are locations
  std::vector<bool> hidden;        ///< locations never returned: frozen or deleted; empty where there are none
  bool normalized = false;         ///< f32 cosine sets hold unit rows, the norms are lost
};

/// True where `prefix.data` exists beside a graph file `prefix`.
bool is_microsoft_memory_set(const std::filesystem::path& prefix);

/// `P_disk.index` where `named` is the prefix P or one of the files of such a set, which is for SSDs: P_disk.index,
/// P_pq_pivots.bin, ...
std::optional<std::filesystem::path> microsoft_disk_index(const std::filesystem::path& named);

/// `metric` and `type` say what the files do not; they are checked against `prefix_metadata.bin` where that exists.
/// Throws InvalidArgument where the type cannot be told, Corrupt for what is wrong in a file.
MicrosoftMemorySet read_microsoft_memory_set(const std::filesystem::path& prefix, std::optional<Distance> metric,
                                             std::optional<VectorType> type);

/// Header only: counts and types, for `info`.
struct MicrosoftMemorySetInfo {
  Distance metric = Distance::L2;
  VectorType type = VectorType::F32;
  std::uint64_t points = 0, frozen_points = 0, dimension = 0, bytes = 0;
  std::uint32_t max_degree = 0;
  bool has_tags = false;
  std::uint64_t deleted = 0;  ///< of the points
};
MicrosoftMemorySetInfo inspect_microsoft_memory_set(const std::filesystem::path& prefix, std::optional<Distance> metric,
                                                    std::optional<VectorType> type);

/// Writes a static set of `vectors.rows` points (f32, i8 or u8; f32 cosine rows are normalised as theirs are). On
/// failure or cancellation an older set is untouched. Where the power fails meanwhile there may be no set, but never
/// a mixture of two.
void write_microsoft_memory_set(const std::filesystem::path& prefix, const base::RowsView& vectors,
                                const base::Adjacency& graph, base::Slot start, Distance metric, bool overwrite,
                                const Execution& execution = {});

}  // namespace diskann::formats
