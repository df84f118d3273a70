#include "diskann/types.hpp"

#include <bit>
#include <string>

#include "base/checked.hpp"

namespace diskann {

std::uint16_t float16::from_float(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = (bits >> 16) & 0x8000u;
  const std::uint32_t magnitude = bits & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return static_cast<std::uint16_t>(sign | 0x7E00u);   // NaN
  if (magnitude >= 0x477FF000u) return static_cast<std::uint16_t>(sign | 0x7C00u);  // rounds beyond 65504
  if (magnitude < 0x38800000u) {
    // Below the smallest normal half: adding 0.5 aligns the last bit of the float with that of the half.
    const float scaled = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<std::uint16_t>(sign | (std::bit_cast<std::uint32_t>(scaled) - 0x3F000000u));
  }
  const std::uint32_t odd = (magnitude >> 13) & 1u;
  return static_cast<std::uint16_t>(sign | ((magnitude - 0x38000000u + 0xFFFu + odd) >> 13));
}

float float16::to_float(std::uint16_t bits) noexcept {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000u) << 16;
  const std::uint32_t magnitude = bits & 0x7FFFu;
  if (magnitude >= 0x7C00u) return std::bit_cast<float>(sign | 0x7F800000u | ((magnitude & 0x3FFu) << 13));
  if (magnitude < 0x0400u) {
    const float value = static_cast<float>(magnitude) * 0x1p-24f;
    return sign != 0 ? -value : value;
  }
  return std::bit_cast<float>(sign | ((magnitude << 13) + 0x38000000u));
}

std::string_view to_string(VectorType type) noexcept {
  switch (type) {
    case VectorType::F32: return "f32";
    case VectorType::F16: return "f16";
    case VectorType::I8: return "i8";
    case VectorType::U8: return "u8";
  }
  return "f32";
}

VectorType parse_vector_type(std::string_view name) {
  if (name == "f32" || name == "float32" || name == "float") return VectorType::F32;
  if (name == "f16" || name == "float16" || name == "half") return VectorType::F16;
  if (name == "i8" || name == "int8") return VectorType::I8;
  if (name == "u8" || name == "uint8") return VectorType::U8;
  throw Error(ErrorCode::InvalidArgument, "unknown vector type '" + std::string(name) + "'", "use f32, f16, i8 or u8");
}

std::string_view to_string(Distance metric) noexcept {
  switch (metric) {
    case Distance::L2: return "l2";
    case Distance::Cosine: return "cosine";
    case Distance::InnerProduct: return "ip";
    case Distance::Custom: return "custom";
  }
  return "l2";
}

Distance parse_distance(std::string_view name) {
  if (name == "l2" || name == "euclidean") return Distance::L2;
  if (name == "cosine") return Distance::Cosine;
  if (name == "ip" || name == "inner_product" || name == "mips") return Distance::InnerProduct;
  throw Error(ErrorCode::InvalidArgument, "unknown metric '" + std::string(name) + "'", "use l2, cosine or ip");
}

VectorSet::VectorSet(VectorType type, std::size_t rows, std::size_t dimension)
    : type_(type), rows_(rows), dimension_(dimension) {
  const std::uint64_t bytes =
      base::checked_multiply(base::checked_multiply(rows, dimension, "vectors", ErrorCode::OutOfMemory), size_of(type),
                             "vectors", ErrorCode::OutOfMemory);
  try {
    bytes_.resize(bytes);
  } catch (const std::exception&) {  // bad_alloc or length_error
    throw Error(ErrorCode::OutOfMemory,
                "cannot allocate " + std::to_string(bytes) + " bytes for " + std::to_string(rows) + " vectors");
  }
}

void VectorSet::truncate(std::size_t rows) {
  if (rows >= rows_) return;
  rows_ = rows;
  bytes_.resize(rows * row_bytes());
  bytes_.shrink_to_fit();
}

void throw_ragged_row(std::size_t row, std::size_t expected, std::size_t found) {
  throw Error(ErrorCode::DimensionMismatch, "row " + std::to_string(row) + " has " + std::to_string(found) +
                                                " components, the rows before it have " + std::to_string(expected));
}

}  // namespace diskann
