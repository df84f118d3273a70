#include "quantization/lvq_codes.hpp"

#include <algorithm>

#include "quantization/dot.hpp"
#include "quantization/row_reader.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::quantization {

LvqCodes encode_lvq(const std::vector<float>& mean, const base::RowsView& rows, const float* inverse_norms,
                    base::ThreadTeam& team) {
  const RowReader reader(rows, inverse_norms);
  LvqCodes codes;
  codes.rows = base::RowStore(VectorType::I8, rows.rows, rows.dimension);
  for (auto* of_rows : {&codes.steps, &codes.zeros, &codes.products, &codes.squares, &codes.of_means})
    of_rows->resize(rows.rows);
  const std::vector<float> along_means = direction_of(mean, base::round_up(rows.dimension, 8));
  team.run(rows.rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    const std::size_t dimension = rows.dimension, padded = base::round_up(dimension, 8);
    std::vector<float> values(padded), steps(padded), decoded(padded);
    for (std::uint64_t i = begin; i < end; ++i) {
      reader.read(i, values.data());
      centre(mean.data(), dimension, values.data());
      const auto [least, most] =
          std::minmax_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(dimension));
      const float step = (*most - *least) / 255.0f, zero = *least + 128.0f * step;
      auto* const row = reinterpret_cast<std::int8_t*>(codes.rows.row(i));
      clamp_steps(values.data(), zero, step, -128, 127, dimension, steps.data());
      round_steps(steps.data(), 0, dimension, row);
      for (std::size_t j = 0; j < dimension; ++j) decoded[j] = step * static_cast<float>(row[j]) + zero;
      codes.steps[i] = step;
      codes.zeros[i] = zero;
      codes.products[i] = dot(values.data(), decoded.data(), padded);
      codes.of_means[i] = dot(values.data(), along_means.data(), padded);
      codes.squares[i] = dot(values.data(), values.data(), padded);
    }
  });
  return codes;
}

}  // namespace diskann::quantization
