#pragma once

#include <cstdint>
#include <vector>

#include "formats/input_file.hpp"

namespace diskann::formats {

/// Element of an array: kind 'f', 'i' or 'u' of `width` bytes.
struct NpyElement {
  char kind = 'f';
  std::uint8_t width = 4;
  bool swap = false;  ///< big endian
};

/// What the header of an .npy file (version 1 to 3) says; the size of the file is exactly what it takes.
struct NpyHeader {
  NpyElement element;
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
  std::uint64_t data_offset = 0;
};

/// Corrupt for what is not an .npy file or breaks its grammar; Unsupported for elements that are not numbers of 1 to 8
/// bytes (pickled objects are never loaded).
NpyHeader read_npy_header(const InputFile& file);

/// The element at `from`, with its bytes in the order of the host.
template <class T>
T npy_value(const std::byte* from, bool swap) noexcept {
  std::byte bytes[sizeof(T)];
  for (std::size_t i = 0; i < sizeof(T); ++i) bytes[i] = from[swap ? sizeof(T) - 1 - i : i];
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

}  // namespace diskann::formats
