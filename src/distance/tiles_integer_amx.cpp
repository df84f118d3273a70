// tiles_integer.cpp once more, for the tile registers of AMX with the vectors of AVX3_DL.
#include "distance/targets.hpp"

#if DISKANN_HAS_AMX
#include "distance/amx_registers.hpp"

#undef HWY_TARGET
#define HWY_TARGET HWY_AVX3_DL
#undef DISKANN_AMX
#define DISKANN_AMX 1
#define DISKANN_AMX_REGISTERS AmxRegisters
#define DISKANN_AMX_NAMESPACE N_AMX
#include "distance/tiles_integer.cpp"  // NOLINT(bugprone-suspicious-include)
#endif
