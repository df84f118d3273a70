#include "base/convert.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>

namespace diskann::base {
namespace {

template <class From, class To>
bool convert(From value, To& result) noexcept {
  if constexpr (std::is_same_v<From, To>) {
    result = value;
    return true;
  } else if constexpr (std::is_same_v<To, float>) {
    result = static_cast<float>(value);
    return true;
  } else if constexpr (std::is_same_v<To, float16>) {  // 8-bit integers are exact in f16
    result = float16(static_cast<float>(value));
    return std::isfinite(static_cast<float>(result));
  } else {
    const auto number = static_cast<float>(value);
    if (!(number >= static_cast<float>(std::numeric_limits<To>::min())) ||
        !(number <= static_cast<float>(std::numeric_limits<To>::max()))) {
      return false;
    }
    result = static_cast<To>(number);
    return static_cast<float>(result) == number;
  }
}

template <class From, class To>
std::size_t convert_all(const std::byte* from, std::byte* to, std::size_t dimension) noexcept {
  for (std::size_t i = 0; i < dimension; ++i) {
    From value;  // rows of files are unaligned
    std::memcpy(&value, from + i * sizeof(From), sizeof(From));
    To result;
    if (!convert(value, result)) return i;
    std::memcpy(to + i * sizeof(To), &result, sizeof(To));
  }
  return kAllColumns;
}

template <class From>
std::size_t convert_from(const std::byte* from, std::byte* to, VectorType to_type, std::size_t dimension) noexcept {
  switch (to_type) {
    case VectorType::F32: return convert_all<From, float>(from, to, dimension);
    case VectorType::F16: return convert_all<From, float16>(from, to, dimension);
    case VectorType::I8: return convert_all<From, std::int8_t>(from, to, dimension);
    case VectorType::U8: return convert_all<From, std::uint8_t>(from, to, dimension);
  }
  return 0;
}

}  // namespace

std::size_t convert_row(const std::byte* from, VectorType from_type, std::byte* to, VectorType to_type,
                        std::size_t dimension) noexcept {
  if (from_type == to_type) {
    std::memcpy(to, from, dimension * size_of(from_type));
    return kAllColumns;
  }
  switch (from_type) {
    case VectorType::F32: return convert_from<float>(from, to, to_type, dimension);
    case VectorType::F16: return convert_from<float16>(from, to, to_type, dimension);
    case VectorType::I8: return convert_from<std::int8_t>(from, to, to_type, dimension);
    case VectorType::U8: return convert_from<std::uint8_t>(from, to, to_type, dimension);
  }
  return 0;
}

}  // namespace diskann::base
