#include "formats/tags.hpp"

#include <string>

#include "formats/bin_file.hpp"

namespace diskann::formats {

namespace {

template <class Tag>
std::vector<std::uint64_t> read_as(const InputFile& file, std::uint32_t rows) {
  std::vector<std::uint64_t> tags;
  tags.reserve(rows);
  ValueStream<Tag> values(file, BinHeader::kBytes, file.size());
  for (std::uint32_t i = 0; i < rows; ++i) tags.push_back(values.next());
  return tags;
}

}  // namespace

std::vector<std::uint64_t> read_tags(const InputFile& file) {
  const BinHeader header = read_bin_header(file);
  if (header.columns != 1) file.corrupt("ids take one column; the header says " + std::to_string(header.columns));
  const std::uint64_t body = file.size() - BinHeader::kBytes;
  if (header.rows == 0 && body == 0) return {};
  if (header.rows != 0 && body == std::uint64_t{header.rows} * 4) return read_as<std::uint32_t>(file, header.rows);
  if (header.rows != 0 && body == std::uint64_t{header.rows} * 8) return read_as<std::uint64_t>(file, header.rows);
  if (header.rows != 0 && body == std::uint64_t{header.rows} * 16)
    file.fail(ErrorCode::Unsupported, "the ids have 128 bits; 32 and 64 are supported");
  file.corrupt("the header says " + std::to_string(header.rows) + " ids of 4 or 8 bytes; " + std::to_string(body) +
               " bytes follow it");
}

}  // namespace diskann::formats
