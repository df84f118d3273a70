#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "diskann/error.hpp"

namespace diskann::base {

/// Sizes from files are hostile until they went through these: the result, or an Error of `code` that names `what`.
inline std::uint64_t checked_multiply(std::uint64_t a, std::uint64_t b, const char* what,
                                      ErrorCode code = ErrorCode::Corrupt) {
  std::uint64_t result;
  if (__builtin_mul_overflow(a, b, &result)) throw Error(code, std::string(what) + ": the size overflows 64 bits");
  return result;
}
inline std::uint64_t checked_add(std::uint64_t a, std::uint64_t b, const char* what,
                                 ErrorCode code = ErrorCode::Corrupt) {
  std::uint64_t result;
  if (__builtin_add_overflow(a, b, &result)) throw Error(code, std::string(what) + ": the size overflows 64 bits");
  return result;
}

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) noexcept {
  return (value + multiple - 1) / multiple * multiple;
}

}  // namespace diskann::base
