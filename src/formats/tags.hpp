#pragma once

#include <cstdint>
#include <vector>

#include "formats/input_file.hpp"

namespace diskann::formats {

/// Microsoft's tags: a .bin of one column, 4 or 8 bytes a value, taken as unsigned. Unsupported for their 128-bit tags.
std::vector<std::uint64_t> read_tags(const InputFile& file);

}  // namespace diskann::formats
