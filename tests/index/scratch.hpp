#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "diskann/evaluation.hpp"
#include "diskann/index.hpp"

namespace diskann::index {

/// A file of this process in the folder for temporary ones.
inline std::string scratch_path(const std::string& name) {
  return (std::filesystem::path(::testing::TempDir()) / (std::to_string(::getpid()) + name)).string();
}

inline std::vector<std::byte> bytes_of_file(const std::string& path) {
  std::vector<std::byte> bytes(std::filesystem::file_size(path));
  std::ifstream(path, std::ios::binary)
      .read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return bytes;
}

/// Forty clusters, and queries of the same kind.
inline SyntheticSet clusters(VectorType type, std::uint32_t dimension, std::uint32_t rows) {
  SyntheticOptions options;
  options.rows = rows;
  options.queries = 200;
  options.dimension = dimension;
  options.type = type;
  options.clusters = 40;
  options.spread = 0.1f;
  return generate_clustered(options);
}

}  // namespace diskann::index
