#include <algorithm>
#include <string>
#include <utility>

#include "formats/rows_reader.hpp"

namespace diskann::formats {

namespace {

constexpr std::size_t kPrefix = 4;  // i32 dimension before every row

/// `found` stands before a row. What can be a dimension makes a file of rows that do not go together, the rest is rot.
void check_row(const InputFile& file, std::int32_t found, std::uint32_t dimension, std::uint64_t row,
               std::uint64_t offset) {
  if (found == static_cast<std::int32_t>(dimension)) return;
  const bool plausible = found > 0 && static_cast<std::uint64_t>(found) <= kMaxFileDimension;
  file.fail(plausible ? ErrorCode::DimensionMismatch : ErrorCode::Corrupt,
            "row " + std::to_string(row) + " (offset " + std::to_string(offset) + ") has dimension " +
                std::to_string(found) + ", the first row has " + std::to_string(dimension),
            "all rows of a vector file must have the same dimension");
}

/// Reads rows through a block and gives each to `use(row, bytes)`, its dimension checked.
template <class Use>
void walk(const InputFile& file, std::size_t row_bytes, std::uint32_t dimension, std::uint64_t first,
          std::uint64_t count, const Use& use) {
  const std::size_t step = kPrefix + row_bytes;
  if (count == 0) return;
  const std::uint64_t rows = std::min(count, block_rows(step));
  const auto block = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(rows) * step);
  for (std::uint64_t done = 0; done < count; done += rows) {
    const auto now = static_cast<std::size_t>(std::min(rows, count - done));
    const std::uint64_t offset = (first + done) * step;
    file.read(offset, block.get(), now * step);
    for (std::size_t i = 0; i < now; ++i) {
      const std::byte* row = block.get() + i * step;
      std::int32_t found;
      std::memcpy(&found, row, sizeof found);
      check_row(file, found, dimension, first + done + i, offset + i * step);
      use(done + i, row + kPrefix);
    }
  }
}

class XvecsReader final : public RowsReader {
 public:
  using RowsReader::RowsReader;
  void read(std::uint64_t first, std::uint64_t count, std::byte* out, std::size_t stride) const override {
    walk(file_, row_bytes(), static_cast<std::uint32_t>(dimension()), file_row(first), count,
         [&](std::uint64_t i, const std::byte* row) { std::copy_n(row, row_bytes(), out + i * stride); });
  }
};

}  // namespace

std::unique_ptr<RowsReader> open_xvecs(InputFile file, VectorFormat format, const ReadOptions& options) {
  const VectorType type = format == VectorFormat::Fvecs ? VectorType::F32 : VectorType::U8;
  if (file.size() == 0) file.corrupt("the file is empty");
  const auto dimension = file.value<std::uint32_t>(0, "the dimension of the first row");
  check_dimension(file, dimension);
  const std::size_t row_bytes = dimension * size_of(type), step = kPrefix + row_bytes;
  const std::uint64_t rows = file.size() / step;
  if (file.size() % step != 0) {
    // Either a row of another length, which is worth finding, or an end that is missing.
    walk(file, row_bytes, dimension, 0, rows, [](std::uint64_t, const std::byte*) {});
    if (file.size() % step >= kPrefix)
      check_row(file, file.value<std::int32_t>(rows * step, "the dimension of a row"), dimension, rows, rows * step);
    file.corrupt("row " + std::to_string(rows) + " (offset " + std::to_string(rows * step) + ") is cut: it has " +
                     std::to_string(file.size() % step) + " of " + std::to_string(step) + " bytes",
                 "the file holds " + std::to_string(rows) + " whole rows");
  }
  return std::make_unique<XvecsReader>(std::move(file), format, type, rows, dimension, options);
}

}  // namespace diskann::formats
