#include "vector_figures.hpp"

#include <fmt/format.h>

#include <cstring>

#include "figures.hpp"
#include "json_row.hpp"

namespace diskann::cli {
namespace {

template <class T>
float component(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<float>(value);
}

float component(VectorView vectors, std::size_t row, std::size_t column) {
  const std::byte* at = vectors.row(row) + column * size_of(vectors.type());
  switch (vectors.type()) {
    case VectorType::F32: return component<float>(at);
    case VectorType::F16: return component<float16>(at);
    case VectorType::I8: return component<std::int8_t>(at);
    case VectorType::U8: return component<std::uint8_t>(at);
  }
  return 0;
}

}  // namespace

std::vector<std::string> statistics_lines(const VectorStatistics& found) {
  return {fmt::format("values   {:.6g} to {:.6g} · mean {:.6g} · standard deviation {:.6g}{}", found.smallest,
                      found.largest, found.mean, found.standard_deviation, found.integral ? " · all integers" : ""),
          fmt::format("norms    {:.6g} to {:.6g} · mean {:.6g} · {}", found.smallest_norm, found.largest_norm,
                      found.mean_norm, counted(found.zero_vectors, "zero vector", "zero vectors"))};
}

void add_statistics(JsonRow& row, const VectorStatistics& found) {
  row.add("smallest", found.smallest).add("largest", found.largest).add("mean", found.mean);
  row.add("standard_deviation", found.standard_deviation).add("integral", found.integral);
  row.add("smallest_norm", found.smallest_norm).add("largest_norm", found.largest_norm);
  row.add("mean_norm", found.mean_norm).add("zero_vectors", found.zero_vectors);
}

std::vector<float> components(VectorView vectors, std::size_t row) {
  std::vector<float> values(vectors.dimension());
  for (std::size_t c = 0; c < values.size(); ++c) values[c] = component(vectors, row, c);
  return values;
}

std::string preview_text(std::span<const float> values) {
  constexpr std::size_t kShown = 12;
  std::string text = "[";
  for (std::size_t c = 0; c < values.size() && c < kShown; ++c) {
    text += fmt::format("{}{:g}", c == 0 ? "" : " ", values[c]);
  }
  return text + (values.size() > kShown ? " …]" : "]");
}

}  // namespace diskann::cli
