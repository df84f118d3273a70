#include "formats/bin_file.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/checked.hpp"
#include "formats/rows_reader.hpp"

namespace diskann::formats {

namespace {

std::string describe(const BinHeader& header) {
  return std::to_string(header.rows) + " rows of " + std::to_string(header.columns) + " values";
}

/// Whether the first values are whole numbers below 2^29, as ids are: as f32 they would all be 0 or below 1.1e-19.
bool looks_like_ids(const InputFile& file, const BinHeader& header) {
  constexpr std::uint64_t kLooked = 1024;
  constexpr std::uint32_t kTinyFloat = 0x20000000, kMissing = 0xFFFFFFFF;
  ValueStream<std::uint32_t> values(file, BinHeader::kBytes,
                                    BinHeader::kBytes + 4 * std::min<std::uint64_t>(kLooked, header.cells()));
  bool some = false;
  while (values.left() != 0) {
    const std::uint32_t value = values.next();
    if (value >= kTinyFloat && value != kMissing) return false;
    some |= value != 0;
  }
  return some;
}

class BinReader final : public RowsReader {
 public:
  using RowsReader::RowsReader;
  void read(std::uint64_t first, std::uint64_t count, std::byte* out, std::size_t stride) const override {
    read_plain_rows(file_, BinHeader::kBytes + file_row(first) * row_bytes(), row_bytes(), count, out, stride);
  }
};

}  // namespace

BinHeader read_bin_header(const InputFile& file) {
  return {file.value<std::uint32_t>(0, "the number of rows"),
          file.value<std::uint32_t>(4, "the number of values a row")};
}

void check_bin_size(const InputFile& file, const BinHeader& header, std::uint64_t width) {
  const std::uint64_t expected = base::checked_add(
      BinHeader::kBytes, base::checked_multiply(header.cells(), width, file.name().c_str()), file.name().c_str());
  if (file.size() == expected) return;
  std::string hint;
  const std::uint64_t body = file.size() - BinHeader::kBytes, row_bytes = header.columns * width;
  if (file.size() < expected && row_bytes != 0 && body % row_bytes == 0 && body != 0)
    hint = "the file holds " + std::to_string(body / row_bytes) +
           " whole rows, as a partial download does: fetch the rest, or write that number over the first four bytes";
  else if (file.size() < expected)
    hint = "the file is cut, or holds another type";
  file.corrupt("the header says " + describe(header) + " of " + std::to_string(width) + " bytes, which takes " +
                   std::to_string(expected) + " bytes; the file has " + std::to_string(file.size()),
               std::move(hint));
}

VectorType bin_type(const InputFile& file, const BinHeader& header, std::optional<VectorType> asked) {
  if (asked) return *asked;
  const std::uint64_t body = file.size() - BinHeader::kBytes, cells = header.cells();
  // Compared by division, since cells * 4 can wrap.
  const std::uint64_t width = cells != 0 && body % cells == 0 ? body / cells : 0;
  if (width == 4) return VectorType::F32;
  if (width == 2) return VectorType::F16;
  if (width == 1 || (cells == 0 && body == 0))
    file.fail(ErrorCode::InvalidArgument, "the type of the values cannot be told from the file",
              "give the type: --dtype f32, f16, i8 or u8; where that says what to store, --input-dtype");
  file.corrupt("the header says " + describe(header) + ", and the " + std::to_string(body) +
                   " bytes behind it fit no type of 1, 2 or 4 bytes",
               "the file is cut or is not of this format; --dtype f32, f16, i8 or u8 tells more about it");
}

std::unique_ptr<RowsReader> open_bin(InputFile file, VectorFormat format, const ReadOptions& options) {
  const BinHeader header = read_bin_header(file);
  check_dimension(file, header.columns);
  const std::optional<VectorType> told = type_told_by(format);
  const VectorType type = told ? *told : bin_type(file, header, options.type);
  check_bin_size(file, header, size_of(type));
  if (!told && !options.type && type == VectorType::F32 && looks_like_ids(file, header))
    file.fail(
        ErrorCode::InvalidArgument,
        "the type of the values cannot be told: they look like ids of 32 bits, as search results and ground truth "
        "hold, not like f32",
        "if they are vectors, give the type: --dtype f32");
  return std::make_unique<BinReader>(std::move(file), format, type, header.rows, header.columns, options);
}

}  // namespace diskann::formats
