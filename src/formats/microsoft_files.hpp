#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "base/adjacency.hpp"
#include "diskann/types.hpp"
#include "formats/bin_file.hpp"
#include "formats/input_file.hpp"

namespace diskann::formats {

/// `prefix` with `suffix` appended to its last name.
inline std::filesystem::path set_file(const std::filesystem::path& prefix, const char* suffix) {
  std::filesystem::path path = prefix;
  path += suffix;
  return path;
}

/// Header of the graph file. The number of lists is not in it: they run to the end of the file.
struct GraphHeader {
  static constexpr std::uint64_t kBytes = 24;
  std::uint64_t file_bytes = 0;
  std::uint32_t max_observed_degree = 0;  ///< no list is longer
  std::uint32_t start = 0;
  std::uint64_t frozen_points = 0;
};
/// Checked against the size of the file and the number of `nodes`.
GraphHeader read_graph_header(const InputFile& file, std::uint64_t nodes);

/// All lists, without the self-loops and repeats that other writers may leave. Every length and neighbour is checked
/// before memory is taken.
base::Adjacency read_graph(const InputFile& file, const GraphHeader& header, std::uint64_t nodes,
                           std::uint32_t& max_degree);

/// `prefix_metadata.bin`, written by their Python package: the only file that names type and metric.
struct SetMetadata {
  static constexpr std::uint64_t kBytes = 32;
  VectorType type = VectorType::F32;
  Distance metric = Distance::L2;
  std::uint64_t points = 0;  ///< without frozen ones
  std::uint64_t dimension = 0;
};
SetMetadata read_metadata(const InputFile& file);
/// The numbers that stand for type and metric there.
std::array<std::uint64_t, 2> metadata_codes(VectorType type, Distance metric);

}  // namespace diskann::formats
