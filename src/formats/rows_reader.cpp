#include "formats/rows_reader.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace diskann::formats {

void check_dimension(const InputFile& file, std::uint64_t dimension) {
  if (dimension == 0) file.corrupt("the rows have no components (dimension 0)");
  if (dimension > kMaxFileDimension)
    file.corrupt(
        "dimension " + std::to_string(dimension) + " is above the limit of " + std::to_string(kMaxFileDimension),
        "check that the suffix names the format of the file");
}

RowsReader::RowsReader(InputFile file, VectorFormat format, VectorType type, std::uint64_t file_rows,
                       std::uint64_t dimension, const ReadOptions& options)
    : file_(std::move(file)),
      format_(format),
      type_(type),
      skip_(options.skip),
      rows_(0),
      dimension_(static_cast<std::size_t>(dimension)) {
  if (options.type && *options.type != type)
    file_.fail(ErrorCode::InvalidArgument, "the file holds " + std::string(to_string(type)) + ", not " +
                                               std::string(to_string(*options.type)) + " as asked for");
  if (skip_ > file_rows)
    file_.fail(ErrorCode::InvalidArgument,
               "cannot skip " + std::to_string(skip_) + " rows of " + std::to_string(file_rows));
  rows_ = std::min(file_rows - skip_, options.limit);
}

void read_plain_rows(const InputFile& file, std::uint64_t offset, std::size_t row_bytes, std::uint64_t count,
                     std::byte* out, std::size_t stride) {
  if (count == 0) return;
  if (stride == row_bytes) return file.read(offset, out, static_cast<std::size_t>(count) * row_bytes);
  const std::uint64_t rows = std::min(count, block_rows(row_bytes));
  const auto block = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(rows) * row_bytes);
  for (std::uint64_t done = 0; done < count; done += rows) {
    const auto now = static_cast<std::size_t>(std::min(rows, count - done));
    file.read(offset + done * row_bytes, block.get(), now * row_bytes);
    for (std::size_t i = 0; i < now; ++i, out += stride) std::copy_n(block.get() + i * row_bytes, row_bytes, out);
  }
}

std::unique_ptr<RowsReader> open_rows(const std::filesystem::path& path, const ReadOptions& options) {
  InputFile file(path);  // first: that it is not there matters more than its suffix
  const VectorFormat format = options.format ? *options.format : vector_format_of(path);
  switch (format) {
    case VectorFormat::Fvecs:
    case VectorFormat::Bvecs: return open_xvecs(std::move(file), format, options);
    case VectorFormat::Ivecs:
      file.fail(ErrorCode::InvalidArgument, "an .ivecs file holds ids, not vectors",
                "read it as a result or ground-truth file");
    case VectorFormat::Npy: return open_npy(std::move(file), options);
    default: return open_bin(std::move(file), format, options);
  }
}

std::unique_ptr<VectorReader> open_vectors(const std::filesystem::path& path, const ReadOptions& options) {
  return open_rows(path, options);
}

}  // namespace diskann::formats
