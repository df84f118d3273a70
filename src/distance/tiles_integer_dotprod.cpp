// tiles_integer.cpp once more, for NEON with dot products of bytes.
#include "distance/targets.hpp"

#if DISKANN_HAS_NEON_DOTPROD
#undef DISKANN_DOTPROD
#define DISKANN_DOTPROD 1
#include "distance/tiles_integer.cpp"
#endif
