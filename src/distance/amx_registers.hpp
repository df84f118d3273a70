#pragma once

#include <hwy/base.h>

#include <cstddef>
#include <cstdint>

#include "distance/amx_configuration.hpp"

namespace diskann::distance {

/// The tile registers of the processor that runs this; it must have AMX (has_amx). What the instructions do is written
/// out in tests/distance/amx_model.hpp. Not by the intrinsics: those of GCC 12 do not tell the compiler that a load
/// reads memory, so that what was stored there before may come after it. Inlined always, so that no copy is left where
/// the linker could take it for other code.
struct AmxRegisters {
  HWY_INLINE void configure(const AmxConfiguration& configuration) {
    asm volatile("ldtilecfg %0" ::"m"(configuration));
  }
  HWY_INLINE void release() { asm volatile("tilerelease" ::: "memory"); }

  template <int kTile>
  HWY_INLINE void zero() {
    asm volatile("tilezero %%tmm%c0" ::"i"(kTile));
  }
  template <int kTile>
  HWY_INLINE void load(const std::byte* rows, std::size_t stride) {
    asm volatile("tileloadd (%0,%1), %%tmm%c2" ::"r"(rows), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  HWY_INLINE void store(std::int32_t* rows, std::size_t stride) const {
    asm volatile("tilestored %%tmm%c2, (%0,%1)" ::"r"(rows), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kSums, int kLeft, int kRight>
  HWY_INLINE void add_unsigned_products() {
    asm volatile("tdpbuud %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kLeft), "i"(kRight));
  }
  template <int kSums, int kLeft, int kRight>
  HWY_INLINE void add_signed_products() {
    asm volatile("tdpbssd %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(kSums), "i"(kLeft), "i"(kRight));
  }
};

}  // namespace diskann::distance
