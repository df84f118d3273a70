#include <charconv>
#include <string>

#include "diskann/vector_file.hpp"
#include "formats/bin_file.hpp"
#include "formats/npy_header.hpp"
#include "formats/tags.hpp"

namespace diskann {

namespace {

using formats::InputFile;

/// Decimal ids, one a line; "\r\n" ends a line too. Nothing else may stand there, not even a blank.
std::vector<std::uint64_t> read_text(const InputFile& file) {
  constexpr std::size_t kLongest = 64;  // a line that long is no id, and is not collected
  std::vector<std::uint64_t> ids;
  std::string line;
  const auto take_line = [&] {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), id);
    if (line.size() == kLongest || error != std::errc() || end != line.data() + line.size())
      file.fail(ErrorCode::InvalidArgument,
                "line " + std::to_string(ids.size() + 1) + ": '" + line.substr(0, 40) + "' is no id",
                "write one number from 0 to 18446744073709551614 on each line");
    ids.push_back(id);
    line.clear();
  };
  for (formats::ValueStream<char> text(file, 0, file.size()); text.left() != 0;) {
    const char c = text.next();
    if (c == '\n')
      take_line();
    else if (line.size() < kLongest)
      line += c;
  }
  if (!line.empty()) take_line();
  return ids;
}

template <class Integer>
std::uint64_t widen(const InputFile& file, const std::byte* from, bool swap, std::uint64_t row) {
  const auto value = formats::npy_value<Integer>(from, swap);
  if (value < 0) file.fail(ErrorCode::InvalidArgument, "row " + std::to_string(row) + ": the id is negative");
  return static_cast<std::uint64_t>(value);
}

using Widen = std::uint64_t (*)(const InputFile&, const std::byte*, bool, std::uint64_t);

Widen widen_of(const InputFile& file, const formats::NpyElement& element) {
  const bool is_signed = element.kind == 'i';
  if (element.kind == 'f')
    file.fail(ErrorCode::InvalidArgument, "ids must be integers; the array holds floating-point numbers",
              "save it as integers: numpy.save(path, array.astype('uint64'))");
  switch (element.width) {
    case 1: return is_signed ? widen<std::int8_t> : widen<std::uint8_t>;
    case 2: return is_signed ? widen<std::int16_t> : widen<std::uint16_t>;
    case 4: return is_signed ? widen<std::int32_t> : widen<std::uint32_t>;
    default: return is_signed ? widen<std::int64_t> : widen<std::uint64_t>;
  }
}

std::vector<std::uint64_t> read_npy(const InputFile& file) {
  const formats::NpyHeader header = formats::read_npy_header(file);
  if (header.shape.size() != 1)
    file.fail(ErrorCode::InvalidArgument,
              "the array has " + std::to_string(header.shape.size()) + " dimensions; ids take one");
  const Widen convert = widen_of(file, header.element);
  const std::size_t width = header.element.width;
  std::vector<std::uint64_t> ids(header.shape[0]);
  const std::size_t rows = formats::kBlockBytes / width;
  const auto block = std::make_unique_for_overwrite<std::byte[]>(std::min(rows, ids.size()) * width);
  for (std::size_t first = 0; first < ids.size(); first += rows) {
    const std::size_t count = std::min(rows, ids.size() - first);
    file.read(header.data_offset + first * width, block.get(), count * width);
    for (std::size_t i = 0; i < count; ++i)
      ids[first + i] = convert(file, block.get() + i * width, header.element.swap, first + i);
  }
  return ids;
}

}  // namespace

std::vector<std::uint64_t> read_ids(const std::filesystem::path& path) {
  const InputFile file(path);
  const std::string suffix = path.extension().string();
  if (suffix != ".txt" && suffix != ".npy" && suffix != ".bin")
    file.fail(ErrorCode::InvalidArgument, "the suffix '" + suffix + "' names no format of id files",
              "name it .txt, .npy or .bin");
  return suffix == ".txt" ? read_text(file) : suffix == ".npy" ? read_npy(file) : formats::read_tags(file);
}

}  // namespace diskann
