#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "diskann/vector_file.hpp"

namespace diskann::formats {

/// Streams the rows of a vector file of any format in its own type, so that nothing is held twice.
class VectorReader {
 public:
  virtual ~VectorReader() = default;
  /// Rows after skip and limit.
  virtual std::uint64_t rows() const noexcept = 0;
  virtual std::size_t dimension() const noexcept = 0;
  virtual VectorType type() const noexcept = 0;
  virtual VectorFormat format() const noexcept = 0;
  /// "FILE: ", for errors about values; empty where there is no file.
  virtual std::string where() const { return {}; }
  /// Row i of the part goes to out + i * stride (stride in bytes, at least a row). first + count <= rows(). Safe from
  /// several threads. Corrupt names the offset and row of what is wrong.
  virtual void read(std::uint64_t first, std::uint64_t count, std::byte* out, std::size_t stride) const = 0;
};

/// Opens and checks the header and the size of the file; fvecs and bvecs rows are checked as they are read.
std::unique_ptr<VectorReader> open_vectors(const std::filesystem::path& path, const ReadOptions& options);

}  // namespace diskann::formats
