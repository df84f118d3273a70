#pragma once

// The instruction sets that kernels are compiled for. Every file that includes Highway includes this first, so that all
// of them agree. Ice Lake's set (VNNI) must be asked for; SSSE3 and SVE are left out, since processors that stop there
// are rare and each set costs compile time and code.
#define HWY_WANT_AVX3_DL
#define HWY_DISABLED_TARGETS (~(HWY_AVX3_DL | HWY_AVX3 | HWY_AVX2 | HWY_SSE4 | HWY_NEON | HWY_SCALAR | HWY_EMU128))

#include <cstdint>
#include <span>

#include "distance/centroids.hpp"
#include "distance/kernels.hpp"
#include "distance/merge.hpp"
#include "distance/nibbles.hpp"
#include "distance/planes.hpp"
#include "distance/row_codes.hpp"
#include "distance/selection.hpp"
#include "distance/tiles.hpp"

namespace diskann::distance {

/// The table of a metric among those of all; null for Custom.
template <class Table>
const Table* of_metric(Distance metric, const Table& l2, const Table& cosine, const Table& inner_product) noexcept {
  switch (metric) {
    case Distance::L2: return &l2;
    case Distance::Cosine: return &cosine;
    case Distance::InnerProduct: return &inner_product;
    case Distance::Custom: break;
  }
  return nullptr;
}

/// The kernels of one instruction set.
struct TargetKernels {
  bool (*runs_here)();  ///< whether this processor has it
  const char* name;     ///< as isa() gives it
  /// Null where there is no kernel for the pair.
  const KernelTable* (*find)(Distance metric, VectorType rows);
};

/// One entry for each instruction set compiled in, best first; the same sets in the same order for both forms.
std::span<const TargetKernels> float_targets();    ///< f32 queries against rows of any type
std::span<const TargetKernels> integer_targets();  ///< u8 and i8 queries against rows of their own type

/// The tiles of one instruction set; null where there are none for the pair.
struct TargetTiles {
  const TileKernels* (*find)(Distance metric, VectorType rows);
};

/// As float_targets() and integer_targets(), in the same order.
std::span<const TargetTiles> float_tile_targets();
std::span<const TargetTiles> integer_tile_targets();

/// The selection of one instruction set.
struct TargetSelection {
  const SelectionKernels* (*find)();
};

/// The work on codes of one instruction set.
struct TargetCodes {
  const CodeKernels* (*find)(VectorType rows);
};

/// The products of codes of 4 bits of one instruction set.
struct TargetNibbles {
  NibbleKernel (*find)(NibbleEnding ending);
};

/// The products of codes in planes of one instruction set.
struct TargetPlanes {
  PlaneKernel (*find)();
};

/// Points against centroids of one instruction set.
struct TargetCentroids {
  const CentroidKernels* (*find)();
};

/// The lists of one instruction set.
struct TargetMerge {
  Merge (*find)(std::size_t capacity) noexcept;
};

/// In the same order again.
std::span<const TargetSelection> selection_targets();
std::span<const TargetCodes> code_targets();
std::span<const TargetMerge> merge_targets();
std::span<const TargetNibbles> nibble_targets();
std::span<const TargetPlanes> plane_targets();
std::span<const TargetCentroids> centroid_targets();

}  // namespace diskann::distance

// DISKANN_EACH_TARGET(X) expands to X(floats, kernels, tiles, name, runs_here) for each set compiled in, best first:
// the namespace suffixes of all float kernels, float tiles and the selection, of integer kernels, and of integer tiles.
// Highway's own tables are not used because tests walk over all sets in one process.
#include <hwy/targets.h>

// Sets of ours on 64-bit ARM, whose integer kernels and tiles stand in files of their own (*_dotprod.cpp, *_sve2*.cpp)
// while the rest is that of NEON: NEON with dot products of bytes (UDOT, SDOT), which Highway 1.0.3 does not know, and
// SVE2 without and with matrix products of bytes, since Highway's cannot be kept in structs and GCC 12 breaks it. Where
// Highway cannot compile for other processors than the whole library is for (on 64-bit ARM with clang), they are there
// if that one has them.
#if (HWY_TARGETS & HWY_NEON) && HWY_ARCH_ARM_A64 && (HWY_HAVE_RUNTIME_DISPATCH || defined(__ARM_FEATURE_DOTPROD))
#define DISKANN_HAS_NEON_DOTPROD 1
#else
#define DISKANN_HAS_NEON_DOTPROD 0
#endif
#if (HWY_TARGETS & HWY_NEON) && HWY_ARCH_ARM_A64 && (HWY_HAVE_RUNTIME_DISPATCH || defined(__ARM_FEATURE_SVE2))
#define DISKANN_HAS_SVE2 1
#else
#define DISKANN_HAS_SVE2 0
#endif
#if DISKANN_HAS_SVE2 && (HWY_HAVE_RUNTIME_DISPATCH || defined(__ARM_FEATURE_SVE_MATMUL_INT8))
#define DISKANN_HAS_SVE2_I8MM 1
#else
#define DISKANN_HAS_SVE2_I8MM 0
#endif
// FMA4 is a set of ours for queries in f32 against rows in f32; the rest is that of SSE4. On request only, see
// kernels_fma4.cpp.
#ifndef DISKANN_ENABLE_FMA4
#define DISKANN_ENABLE_FMA4 0
#endif
#if DISKANN_ENABLE_FMA4 && (HWY_TARGETS & HWY_SSE4) && (HWY_TARGETS & (HWY_SCALAR | HWY_EMU128))
#define DISKANN_HAS_FMA4 1
#else
#define DISKANN_HAS_FMA4 0
#endif
// 1 in the files that compile for it.
#ifndef DISKANN_FMA4
#define DISKANN_FMA4 0
#endif
#ifndef DISKANN_DOTPROD
#define DISKANN_DOTPROD 0
#endif
#ifndef DISKANN_SVE2
#define DISKANN_SVE2 0
#endif
#ifndef DISKANN_I8MM
#define DISKANN_I8MM 0
#endif

// AMX (tile registers and products of bytes) is a set of ours as well: integer tiles are compiled once more for it
// (tiles_integer_amx.cpp), with the vectors of AVX3_DL; all else is that of AVX3_DL.
#if (HWY_TARGETS & HWY_AVX3_DL) && HWY_ARCH_X86_64 && (HWY_COMPILER_GCC_ACTUAL >= 1100 || HWY_COMPILER_CLANG >= 1200)
#define DISKANN_HAS_AMX 1
#else
#define DISKANN_HAS_AMX 0
#endif
// 1 in the files that compile for it. They say which type stands for the registers, DISKANN_AMX_REGISTERS, and in which
// namespace the code goes, DISKANN_AMX_NAMESPACE: tests compile it with a model of the registers.
#ifndef DISKANN_AMX
#define DISKANN_AMX 0
#endif

namespace diskann::distance {

template <std::int64_t kTarget>
bool has_target() {
  return (hwy::SupportedTargets() & kTarget) != 0;
}

#if HWY_TARGETS & HWY_SSE4
namespace N_SSE4 {  // NOLINT(readability-identifier-naming): as Highway names its sets
const KernelTable* find_float(Distance metric, VectorType rows);
const TileKernels* find_float_tiles(Distance metric, VectorType rows);
const SelectionKernels* find_selection();
const CodeKernels* find_code_kernels(VectorType rows);
Merge find_merge(std::size_t capacity) noexcept;
NibbleKernel find_nibbles(NibbleEnding ending);
PlaneKernel find_planes();
const CentroidKernels* find_centroids();
}  // namespace N_SSE4
#endif

#if DISKANN_HAS_FMA4
bool has_fma4();

namespace N_FMA4 {  // NOLINT(readability-identifier-naming)
const KernelTable* find_float(Distance metric, VectorType rows);
using N_SSE4::find_centroids;
using N_SSE4::find_code_kernels;
using N_SSE4::find_float_tiles;
using N_SSE4::find_merge;
using N_SSE4::find_nibbles;
using N_SSE4::find_planes;
using N_SSE4::find_selection;
}  // namespace N_FMA4
#endif

#if DISKANN_HAS_NEON_DOTPROD
bool has_neon_dotprod();

namespace N_NEON_DOTPROD {
const KernelTable* find_integer(Distance metric, VectorType rows);
const TileKernels* find_integer_tiles(Distance metric, VectorType rows);
}  // namespace N_NEON_DOTPROD
#endif

#if DISKANN_HAS_AMX
/// The first call asks the system to let the process use the tile registers; see docs/instruction-sets.md.
bool has_amx();

namespace N_AMX {  // NOLINT(readability-identifier-naming): as Highway names its sets
const TileKernels* find_integer_tiles(Distance metric, VectorType rows);
}  // namespace N_AMX
#endif

#if DISKANN_HAS_SVE2
bool has_sve2();

namespace N_SVE2 {
const KernelTable* find_integer(Distance metric, VectorType rows);
const TileKernels* find_integer_tiles(Distance metric, VectorType rows);
}  // namespace N_SVE2
#endif

#if DISKANN_HAS_SVE2_I8MM
bool has_sve2_i8mm();

namespace N_SVE2_I8MM {
const TileKernels* find_integer_tiles(Distance metric, VectorType rows);
}  // namespace N_SVE2_I8MM
#endif

}  // namespace diskann::distance

#if DISKANN_HAS_AMX
#define DISKANN_TARGET_AMX(X) X(AVX3_DL, AVX3_DL, AMX, "AMX", has_amx)
#else
#define DISKANN_TARGET_AMX(X)
#endif
#if HWY_TARGETS & HWY_AVX3_DL
#define DISKANN_TARGET_AVX3_DL(X) X(AVX3_DL, AVX3_DL, AVX3_DL, "AVX3_DL", has_target<HWY_AVX3_DL>)
#else
#define DISKANN_TARGET_AVX3_DL(X)
#endif
#if HWY_TARGETS & HWY_AVX3
#define DISKANN_TARGET_AVX3(X) X(AVX3, AVX3, AVX3, "AVX3", has_target<HWY_AVX3>)
#else
#define DISKANN_TARGET_AVX3(X)
#endif
#if HWY_TARGETS & HWY_AVX2
#define DISKANN_TARGET_AVX2(X) X(AVX2, AVX2, AVX2, "AVX2", has_target<HWY_AVX2>)
#else
#define DISKANN_TARGET_AVX2(X)
#endif
#if HWY_TARGETS & HWY_SSE4
#define DISKANN_TARGET_SSE4(X) X(SSE4, SSE4, SSE4, "SSE4", has_target<HWY_SSE4>)
#else
#define DISKANN_TARGET_SSE4(X)
#endif
// Behind a set that its processors have as well, so that it is never the first of what can run and only its name
// chooses it.
#if DISKANN_HAS_FMA4
#define DISKANN_TARGET_FMA4(X) X(FMA4, SSE4, SSE4, "FMA4", has_fma4)
#else
#define DISKANN_TARGET_FMA4(X)
#endif
#if DISKANN_HAS_SVE2_I8MM
#define DISKANN_TARGET_SVE2_I8MM(X) X(NEON, SVE2, SVE2_I8MM, "SVE2_I8MM", has_sve2_i8mm)
#else
#define DISKANN_TARGET_SVE2_I8MM(X)
#endif
#if DISKANN_HAS_SVE2
#define DISKANN_TARGET_SVE2(X) X(NEON, SVE2, SVE2, "SVE2", has_sve2)
#else
#define DISKANN_TARGET_SVE2(X)
#endif
#if DISKANN_HAS_NEON_DOTPROD
#define DISKANN_TARGET_NEON_DOTPROD(X) X(NEON, NEON_DOTPROD, NEON_DOTPROD, "NEON_DOTPROD", has_neon_dotprod)
#else
#define DISKANN_TARGET_NEON_DOTPROD(X)
#endif
#if HWY_TARGETS & HWY_NEON
#define DISKANN_TARGET_NEON(X) X(NEON, NEON, NEON, "NEON", has_target<HWY_NEON>)
#else
#define DISKANN_TARGET_NEON(X)
#endif
#if HWY_TARGETS & HWY_SCALAR
#define DISKANN_TARGET_SCALAR(X) X(SCALAR, SCALAR, SCALAR, "SCALAR", has_target<HWY_SCALAR>)
#elif HWY_TARGETS & HWY_EMU128
#define DISKANN_TARGET_SCALAR(X) X(EMU128, EMU128, EMU128, "SCALAR", has_target<HWY_EMU128>)
#else
#define DISKANN_TARGET_SCALAR(X)
#endif
#define DISKANN_EACH_TARGET(X)   \
  DISKANN_TARGET_AMX(X)          \
  DISKANN_TARGET_AVX3_DL(X)      \
  DISKANN_TARGET_AVX3(X)         \
  DISKANN_TARGET_AVX2(X)         \
  DISKANN_TARGET_SSE4(X)         \
  DISKANN_TARGET_FMA4(X)         \
  DISKANN_TARGET_SVE2_I8MM(X)    \
  DISKANN_TARGET_SVE2(X)         \
  DISKANN_TARGET_NEON_DOTPROD(X) \
  DISKANN_TARGET_NEON(X)         \
  DISKANN_TARGET_SCALAR(X)
