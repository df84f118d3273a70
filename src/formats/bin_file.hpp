#pragma once

#include <cstdint>
#include <optional>

#include "diskann/types.hpp"
#include "formats/input_file.hpp"

namespace diskann::formats {

/// Header of Microsoft's .bin and its big-ann kin: u32 rows, u32 values a row; the values follow.
struct BinHeader {
  static constexpr std::uint64_t kBytes = 8;
  std::uint32_t rows = 0, columns = 0;
  std::uint64_t cells() const noexcept { return std::uint64_t{rows} * columns; }
};
BinHeader read_bin_header(const InputFile& file);

/// Corrupt unless the file is exactly the header and `width` bytes for each value.
void check_bin_size(const InputFile& file, const BinHeader& header, std::uint64_t width);

/// `asked` where it is given, else the one type that the size of the file leaves; InvalidArgument where it leaves two.
VectorType bin_type(const InputFile& file, const BinHeader& header, std::optional<VectorType> asked);

}  // namespace diskann::formats
