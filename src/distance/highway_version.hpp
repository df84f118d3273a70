#pragma once

#include <string>

namespace diskann::distance {

/// Version of the SIMD library that the kernels were compiled with.
std::string highway_version();

}  // namespace diskann::distance
