#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "distance/half.hpp"
#include "distance/kernels.hpp"
#include "distance/norms.hpp"

namespace diskann::distance {
namespace {

/// Calls f(i, x) for the components of an unaligned row; halves are floats on the way.
template <class F>
void for_each_component(const std::byte* row, VectorType type, std::size_t dimension, F f) {
  const auto walk = [&]<class T>(T, auto convert) {
    for (std::size_t i = 0; i < dimension; ++i) {
      T value;
      std::memcpy(&value, row + i * sizeof(T), sizeof(T));
      f(i, convert(value));
    }
  };
  const auto same = [](auto x) { return x; };
  switch (type) {
    case VectorType::F32: return walk(float{}, same);
    case VectorType::F16: return walk(std::uint16_t{}, half_to_float);
    case VectorType::I8: return walk(std::int8_t{}, same);
    case VectorType::U8: return walk(std::uint8_t{}, same);
  }
}

/// Whether every component is an integer that `Integer` holds. The row is finite.
template <class Integer>
bool fits(const std::byte* row, VectorType type, std::size_t dimension) {
  bool all = true;
  for_each_component(row, type, dimension, [&](std::size_t, auto x) {
    using Limits = std::numeric_limits<Integer>;
    const auto value = static_cast<float>(x);
    const float inside =
        std::min(std::max(value, static_cast<float>(Limits::min())), static_cast<float>(Limits::max()));
    all &= static_cast<float>(static_cast<std::int32_t>(inside)) == value;
  });
  return all;
}

template <class T>
void convert(const std::byte* row, VectorType type, std::size_t dimension, std::byte* to) {
  auto* const out = reinterpret_cast<T*>(to);
  for_each_component(row, type, dimension, [&](std::size_t i, auto x) { out[i] = static_cast<T>(x); });
}

/// Components of a padded row, which is how long a query against it must be.
constexpr std::size_t padded_components(VectorType row_type, std::size_t dimension) noexcept {
  return base::row_stride(row_type, dimension) / size_of(row_type);
}

}  // namespace

QueryBuffer::QueryBuffer(std::size_t dimension)
    : dimension_(dimension), memory_(padded_components(VectorType::U8, dimension) * sizeof(float)) {}

Query QueryBuffer::prepare(const VectorView& row, VectorType row_type, const char* what) {
  if (row.dimension() != dimension_) {
    throw Error(ErrorCode::DimensionMismatch, std::string(what) + " has " + std::to_string(row.dimension()) +
                                                  " components, expected " + std::to_string(dimension_));
  }
  const std::byte* from = row.row(0);
  const double norm = squared_norm(from, row.type(), dimension_);
  if (!is_usable(from, row.type(), dimension_, norm)) throw_unusable(from, row.type(), dimension_, what);

  VectorType form = VectorType::F32;
  if (row_type == VectorType::U8 && fits<std::uint8_t>(from, row.type(), dimension_)) form = VectorType::U8;
  if (row_type == VectorType::I8 && fits<std::int8_t>(from, row.type(), dimension_)) form = VectorType::I8;
  std::byte* const to = memory_.data();
  switch (form) {
    case VectorType::U8: convert<std::uint8_t>(from, row.type(), dimension_, to); break;
    case VectorType::I8: convert<std::int8_t>(from, row.type(), dimension_, to); break;
    default: convert<float>(from, row.type(), dimension_, to); break;
  }
  const std::size_t used = dimension_ * size_of(form);
  std::fill(to + used, to + padded_components(row_type, dimension_) * size_of(form), std::byte{0});
  return {to, form, inverse_norm(norm), form == VectorType::F32 ? 0 : static_cast<std::uint32_t>(norm)};
}

Query QueryBuffer::prepare_stored(const base::RowsView& rows, base::Slot slot, float norm) {
  const std::byte* from = rows.row(slot);
  // By its metric a kernel takes the one that it is.
  if (rows.type != VectorType::F16) return {from, rows.type, norm, std::bit_cast<std::uint32_t>(norm)};
  // The padding is zeros already, and expands to zeros.
  convert<float>(from, VectorType::F16, padded_components(VectorType::F16, dimension_), memory_.data());
  return {memory_.data(), VectorType::F32, norm};
}

}  // namespace diskann::distance
