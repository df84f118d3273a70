#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "formats/npy_header.hpp"
#include "formats/rows_reader.hpp"

namespace diskann::formats {

namespace {

/// Converts `count` elements to values of the reader's type, `step` bytes apart; returns the index of the first that
/// f32 cannot hold exactly, or `count`.
using Convert = std::size_t (*)(const std::byte* in, std::size_t count, bool swap, std::byte* out, std::size_t step);

/// Same type in file and memory; only order and place change.
template <class Bits>
std::size_t keep(const std::byte* in, std::size_t count, bool swap, std::byte* out, std::size_t step) {
  for (std::size_t i = 0; i < count; ++i) {
    const Bits value = npy_value<Bits>(in + i * sizeof(Bits), swap);
    std::memcpy(out + i * step, &value, sizeof value);
  }
  return count;
}

bool exact(double value, float rounded) { return static_cast<double>(rounded) == value || std::isnan(value); }
template <class Integer>
bool exact(Integer value, float rounded) {
  // The float nearest to the largest integer is one beyond it, which must not be cast back.
  constexpr float kEnd = 2.0f * static_cast<float>(std::uint64_t{1} << (8 * sizeof(Integer) - 1)) /
                         (std::is_signed_v<Integer> ? 2.0f : 1.0f);
  return rounded < kEnd && static_cast<Integer>(rounded) == value;
}

template <class Source>
std::size_t to_f32(const std::byte* in, std::size_t count, bool swap, std::byte* out, std::size_t step) {
  for (std::size_t i = 0; i < count; ++i) {
    const auto value = npy_value<Source>(in + i * sizeof(Source), swap);
    const auto rounded = static_cast<float>(value);
    if (!exact(value, rounded)) return i;
    std::memcpy(out + i * step, &rounded, sizeof rounded);
  }
  return count;
}

struct Conversion {
  VectorType type;
  Convert convert;
  bool same_type;
};

Conversion conversion_of(const NpyElement& element) {
  const bool is_signed = element.kind == 'i';
  if (element.kind == 'f') {
    if (element.width == 2) return {VectorType::F16, keep<std::uint16_t>, true};
    if (element.width == 4) return {VectorType::F32, keep<std::uint32_t>, true};
    return {VectorType::F32, to_f32<double>, false};
  }
  switch (element.width) {
    case 1: return {is_signed ? VectorType::I8 : VectorType::U8, keep<std::uint8_t>, true};
    case 2: return {VectorType::F32, is_signed ? to_f32<std::int16_t> : to_f32<std::uint16_t>, false};
    case 4: return {VectorType::F32, is_signed ? to_f32<std::int32_t> : to_f32<std::uint32_t>, false};
    default: return {VectorType::F32, is_signed ? to_f32<std::int64_t> : to_f32<std::uint64_t>, false};
  }
}

class NpyReader final : public RowsReader {
 public:
  NpyReader(InputFile file, const NpyHeader& header, const Conversion& conversion, const ReadOptions& options)
      : RowsReader(std::move(file), VectorFormat::Npy, conversion.type, header.shape[0], header.shape[1], options),
        file_rows_(header.shape[0]),
        data_offset_(header.data_offset),
        element_(header.element),
        fortran_order_(header.fortran_order),
        plain_(conversion.same_type && !header.element.swap && !header.fortran_order),
        convert_(conversion.convert) {}

  void read(std::uint64_t first, std::uint64_t count, std::byte* out, std::size_t stride) const override {
    const std::size_t source_bytes = dimension() * element_.width;
    if (plain_)
      return read_plain_rows(file_, data_offset_ + file_row(first) * source_bytes, source_bytes, count, out, stride);
    if (count == 0) return;
    const std::uint64_t rows = std::min(count, block_rows(source_bytes));
    const auto block = std::make_unique_for_overwrite<std::byte[]>(static_cast<std::size_t>(rows) * source_bytes);
    for (std::uint64_t done = 0; done < count; done += rows) {
      const auto now = static_cast<std::size_t>(std::min(rows, count - done));
      if (fortran_order_)
        read_columns(file_row(first + done), now, block.get(), out, stride);
      else
        read_rows(file_row(first + done), now, block.get(), out, stride);
      out += now * stride;
    }
  }

 private:
  void read_rows(std::uint64_t row, std::size_t count, std::byte* block, std::byte* out, std::size_t stride) const {
    const std::size_t source_bytes = dimension() * element_.width;
    file_.read(data_offset_ + row * source_bytes, block, count * source_bytes);
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t done =
          convert_(block + i * source_bytes, dimension(), element_.swap, out + i * stride, size_of(type()));
      if (done != dimension()) inexact(row + i, done);
    }
  }
  /// The columns stand one after the other; a block takes the same few rows of each.
  void read_columns(std::uint64_t row, std::size_t count, std::byte* block, std::byte* out, std::size_t stride) const {
    for (std::size_t column = 0; column < dimension(); ++column) {
      file_.read(data_offset_ + (column * file_rows_ + row) * element_.width, block, count * element_.width);
      const std::size_t done = convert_(block, count, element_.swap, out + column * size_of(type()), stride);
      if (done != count) inexact(row + done, column);
    }
  }
  [[noreturn]] void inexact(std::uint64_t row, std::size_t column) const {
    file_.fail(ErrorCode::InvalidArgument,
               "row " + std::to_string(row) + ", column " + std::to_string(column) +
                   ": the value cannot be held exactly as f32",
               "save the array rounded: numpy.save(path, array.astype('float32'))");
  }

  std::uint64_t file_rows_, data_offset_;
  NpyElement element_;
  bool fortran_order_, plain_;
  Convert convert_;
};

}  // namespace

std::unique_ptr<RowsReader> open_npy(InputFile file, const ReadOptions& options) {
  const NpyHeader header = read_npy_header(file);
  if (header.shape.size() != 2)
    file.fail(
        ErrorCode::InvalidArgument,
        "the array has " + std::to_string(header.shape.size()) + " dimensions; vectors take two, rows and columns",
        "reshape it: numpy.save(path, array.reshape(rows, columns))");
  check_dimension(file, header.shape[1]);
  return std::make_unique<NpyReader>(std::move(file), header, conversion_of(header.element), options);
}

}  // namespace diskann::formats
