#include "distance/highway_version.hpp"

#include <hwy/highway.h>

namespace diskann::distance {

std::string highway_version() {
  return std::to_string(HWY_MAJOR) + "." + std::to_string(HWY_MINOR) + "." + std::to_string(HWY_PATCH);
}

}  // namespace diskann::distance
