// tiles_integer_sve2.cpp once more, for processors that have matrix products of bytes.
#include "distance/targets.hpp"

#if DISKANN_HAS_SVE2_I8MM
#undef DISKANN_I8MM
#define DISKANN_I8MM 1
#include "distance/tiles_integer_sve2.cpp"
#endif
