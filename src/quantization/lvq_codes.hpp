#pragma once

#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"

namespace diskann::quantization {

/// Codes of 8 bits, each row on a grid from its least component to its greatest, less the means (LVQ-8, Aguerrebere et
/// al. 2023). A row is about `steps[i] * code + zeros[i]`; codes are of I8.
struct LvqCodes {
  base::RowStore rows;
  std::vector<float> steps, zeros;
  /// Of the row, centred, with what its code says, with itself, and with the direction of the means.
  std::vector<float> products, squares, of_means;
};
LvqCodes encode_lvq(const std::vector<float>& mean, const base::RowsView& rows, const float* inverse_norms,
                    base::ThreadTeam& team);

}  // namespace diskann::quantization
