#include "quantization/scalar_codes.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <vector>

#include "base/convert.hpp"
#include "base/random.hpp"
#include "distance/row_codes.hpp"
#include "quantization/row_reader.hpp"

namespace diskann::quantization {
namespace {

constexpr std::size_t kSampleValues = std::size_t{1} << 18;
constexpr std::ptrdiff_t kSpared = 5000;  // one in so many values at each end

template <class Code>
inline constexpr float kLeast = std::is_signed_v<Code> ? -127.0f : 0.0f;
template <class Code>
inline constexpr float kMost = std::is_signed_v<Code> ? 127.0f : 255.0f;

template <class Code>
void encode_rows(const Grid& grid, const RowReader& reader, base::RowStore& codes, base::ThreadTeam& team) {
  team.run(codes.view().rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    std::vector<float> values(reader.dimension());
    for (std::uint64_t i = begin; i < end; ++i) {
      reader.read(i, values.data());
      auto* code = reinterpret_cast<Code*>(codes.row(i));
      clamp_steps(values.data(), grid.zero, grid.step, kLeast<Code>, kMost<Code>, values.size(), values.data());
      round_steps(values.data(), 0, values.size(), code);
    }
  });
}

template <class Code>
bool encode_query(const float* steps, std::size_t dimension, Code* code) {
  // What is cut off, squared, beside what is kept: from a hundredth on ranks would change.
  float lost = 0, kept = 0;
  for (std::size_t i = 0; i < dimension; ++i) {
    code[i] = static_cast<Code>(round_to_whole(std::min(std::max(kLeast<Code>, steps[i]), kMost<Code>)));
    const float place = static_cast<float>(code[i]), away = std::max(std::abs(steps[i] - place) - 0.5f, 0.0f);
    lost += away * away;
    kept += place * place;
  }
  return lost <= 0.01f * kept;
}

}  // namespace

float to_bytes(const float* values, std::size_t count, std::int8_t* bytes, float* scratch) noexcept {
  static const distance::CodeKernels& kernels = distance::code_kernels(VectorType::F32);
  const auto* const row = reinterpret_cast<const std::byte*>(values);
  const float step = kernels.encode(row, count, nullptr, 1.0f, scratch, bytes).step;
  if (step > 0) return step;
  // So small that vectors take them for nothing.
  float most = 0;
  for (std::size_t j = 0; j < count; ++j) most = std::max(most, std::abs(values[j]));
  if (!(most > 0)) return 0;
  for (std::size_t j = 0; j < count; ++j)
    bytes[j] = static_cast<std::int8_t>(round_to_whole(values[j] / most * 127.0f));
  return most / 127.0f;
}

Grid choose_grid(const base::RowsView& rows, const float* inverse_norms, VectorType type) {
  const RowReader reader(rows, inverse_norms);
  const bool symmetric = type == VectorType::I8;
  std::vector<float> values;
  const auto sample = base::sample(rows.rows, kSampleValues / rows.dimension + 1, base::Random(1));
  values.reserve(sample.size() * rows.dimension);
  for (const base::Slot slot : sample) {
    reader.for_each(slot, [&](std::size_t, float value) { values.push_back(symmetric ? std::abs(value) : value); });
  }
  const bool all = symmetric && inverse_norms == nullptr;
  const std::ptrdiff_t spared = all ? 0 : static_cast<std::ptrdiff_t>(values.size()) / kSpared;
  const auto high = values.end() - 1 - spared;
  std::nth_element(values.begin(), high, values.end());
  if (symmetric) return {type, 0, *high / 127.0f};
  const float most = *high;
  const auto low = values.begin() + spared;
  std::nth_element(values.begin(), low, values.end());
  return {type, *low, (most - *low) / 255.0f};
}

base::RowStore encode(const Grid& grid, const base::RowsView& rows, const float* inverse_norms,
                      base::ThreadTeam& team) {
  base::RowStore codes(grid.type, rows.rows, rows.dimension);
  const RowReader reader(rows, inverse_norms);
  if (grid.type == VectorType::I8) {
    encode_rows<std::int8_t>(grid, reader, codes, team);
  } else {
    encode_rows<std::uint8_t>(grid, reader, codes, team);
  }
  return codes;
}

bool encode(VectorType type, const float* steps, std::size_t dimension, std::byte* code) {
  return type == VectorType::I8 ? encode_query(steps, dimension, reinterpret_cast<std::int8_t*>(code))
                                : encode_query(steps, dimension, reinterpret_cast<std::uint8_t*>(code));
}

bool halve(const base::RowsView& rows, base::ThreadTeam& team,
           const std::function<std::byte*(unsigned thread, std::uint64_t row)>& destination) {
  std::atomic<bool> all = true;
  team.run(rows.rows, 256, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::size_t column =
          base::convert_row(rows.row(i), rows.type, destination(thread, i), VectorType::F16, rows.dimension);
      if (column != base::kAllColumns) all.store(false, std::memory_order_relaxed);
    }
  });
  return all;
}

}  // namespace diskann::quantization
