#pragma once

#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "distance/nibbles.hpp"

namespace diskann::quantization {

/// Places for components in 4 bits: a component less its mean, in steps, is rounded to one of 16 places.
struct NibbleGrid {
  std::vector<float> mean;  ///< of each component
  float step = 0;
  distance::NibblePlaces places{};
};

/// Means of the rows, times `inverse_norms` (by row) unless null, and the places that a sample of their components is
/// nearest to (Lloyd and Max). The step is 0 where all are the same. `centred`: false keeps all means at 0.
NibbleGrid train_nibbles(const base::RowsView& rows, const float* inverse_norms, bool centred);

/// Codes of rows; `products[i]` and `squares[i]`: of the row, centred, with its code, and with itself.
struct NibbleCodes {
  base::RowStore rows;
  std::vector<float> products, squares;
};
NibbleCodes encode_nibbles(const NibbleGrid& grid, const base::RowsView& rows, const float* inverse_norms,
                           base::ThreadTeam& team);

}  // namespace diskann::quantization
