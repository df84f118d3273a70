#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "distance/centroids.hpp"
#include "distance/kernels.hpp"
#include "distance/merge.hpp"
#include "distance/nibbles.hpp"
#include "distance/planes.hpp"
#include "distance/row_codes.hpp"
#include "distance/selection.hpp"
#include "distance/tiles.hpp"

namespace diskann::distance {

/// Instruction sets compiled in that this processor has, best first. The last one always runs.
std::vector<std::string> available_isas();

/// The name among available_isas() that `requested` (in any case) stands for; the best where it is null or empty.
/// Throws Unsupported with the list.
std::string choose_isa(const char* requested);

/// The kernels of a named instruction set, so that tests and benchmarks reach all of them in one process.
const KernelTable& kernels_for(std::string_view isa, Distance metric, VectorType rows, VectorType query_form);
const TileKernels& tiles_for(std::string_view isa, Distance metric, VectorType rows, VectorType form);
const SelectionKernels& selection_for(std::string_view isa);
Merge merge_for(std::string_view isa, std::size_t capacity);
NibbleKernel nibble_kernel_for(std::string_view isa, NibbleEnding ending);
PlaneKernel plane_kernel_for(std::string_view isa);
const CentroidKernels& centroid_kernels_for(std::string_view isa);
const CodeKernels& code_kernels_for(std::string_view isa, VectorType rows);

}  // namespace diskann::distance
