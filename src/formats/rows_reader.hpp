#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "formats/input_file.hpp"
#include "formats/vector_reader.hpp"

namespace diskann::formats {

/// No file of vectors has rows longer than this; a longer one is a misread header.
inline constexpr std::uint64_t kMaxFileDimension = std::uint64_t{1} << 20;
void check_dimension(const InputFile& file, std::uint64_t dimension);

/// What the readers of all formats share: the file, and the part of it that was asked for.
class RowsReader : public VectorReader {
 public:
  /// InvalidArgument where options ask for another type than `type` or skip more than `file_rows`.
  RowsReader(InputFile file, VectorFormat format, VectorType type, std::uint64_t file_rows, std::uint64_t dimension,
             const ReadOptions& options);

  std::uint64_t rows() const noexcept override { return rows_; }
  std::size_t dimension() const noexcept override { return dimension_; }
  VectorType type() const noexcept override { return type_; }
  VectorFormat format() const noexcept override { return format_; }
  std::string where() const override { return file_.name() + ": "; }
  std::uint64_t file_bytes() const noexcept { return file_.size(); }

 protected:
  /// Row of the file that is row `i` of the part.
  std::uint64_t file_row(std::uint64_t i) const noexcept { return skip_ + i; }
  std::size_t row_bytes() const noexcept { return dimension_ * size_of(type_); }

  InputFile file_;

 private:
  VectorFormat format_;
  VectorType type_;
  std::uint64_t skip_, rows_;
  std::size_t dimension_;
};

/// Rows of a block of `bytes` or less, at least one.
constexpr std::uint64_t block_rows(std::uint64_t row_bytes, std::uint64_t bytes = kBlockBytes) noexcept {
  return row_bytes >= bytes ? 1 : bytes / row_bytes;
}

/// Reads `count` rows that stand one after the other from `offset` on, to rows `stride` bytes apart.
void read_plain_rows(const InputFile& file, std::uint64_t offset, std::size_t row_bytes, std::uint64_t count,
                     std::byte* out, std::size_t stride);

/// open_vectors(), for those who ask for the file as well.
std::unique_ptr<RowsReader> open_rows(const std::filesystem::path& path, const ReadOptions& options);

std::unique_ptr<RowsReader> open_xvecs(InputFile file, VectorFormat format, const ReadOptions& options);
std::unique_ptr<RowsReader> open_bin(InputFile file, VectorFormat format, const ReadOptions& options);
std::unique_ptr<RowsReader> open_npy(InputFile file, const ReadOptions& options);

}  // namespace diskann::formats
