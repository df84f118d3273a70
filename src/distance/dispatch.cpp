#include "distance/dispatch.hpp"

#include <algorithm>
#include <cstdlib>

#include "distance/targets.hpp"

#if HWY_ARCH_ARM_A64 && HWY_HAVE_RUNTIME_DISPATCH
#include <sys/auxv.h>
#endif

namespace diskann::distance {
namespace {

bool same_name(std::string_view a, std::string_view b) noexcept {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return upper(x) == upper(y); });
}

/// Whether an entry of the target lists can run here.
bool runs(std::size_t index) {
  const auto targets = float_targets();
  return index + 1 == targets.size() || targets[index].runs_here();  // the whole library is compiled for the last
}

/// Asks no more sets than it must whether they run: an answer may take a change of the process (has_amx).
std::size_t index_of(std::string_view requested) {
  const auto targets = float_targets();
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if ((requested.empty() || same_name(targets[i].name, requested)) && runs(i)) return i;
  }
  std::string list;
  for (const std::string& name : available_isas()) list += (list.empty() ? "" : ", ") + name;
  throw Error(ErrorCode::Unsupported, "instruction set '" + std::string(requested) + "' is not available here",
              "set DISKANN_ISA to one of " + list + " that this processor has, or unset it");
}

std::string_view requested_isa() noexcept {
  const char* const value = std::getenv("DISKANN_ISA");
  return value == nullptr ? std::string_view() : value;
}

/// Chosen at the first call; a name that is refused is looked at again at the next.
std::size_t chosen() {
  static const std::size_t index = index_of(requested_isa());
  return index;
}

/// The entry of a target for a metric, rows, and the form that they are compared in: their own integers or f32.
template <class Target>
const auto& find(const Target& floats, const Target& integers, Distance metric, VectorType rows, VectorType form) {
  const bool integer = form == VectorType::U8 || form == VectorType::I8;
  if (integer && form == rows) {
    if (const auto* table = integers.find(metric, rows)) return *table;
  }
  if (form == VectorType::F32) {
    if (const auto* table = floats.find(metric, rows)) return *table;
  }
  throw Error(ErrorCode::Internal, "no kernel for metric " + std::string(to_string(metric)) + ", rows of " +
                                       std::string(to_string(rows)) + " and the form " + std::string(to_string(form)));
}

const KernelTable& find_kernels(std::size_t index, Distance metric, VectorType rows, VectorType form) {
  return find(float_targets()[index], integer_targets()[index], metric, rows, form);
}
const TileKernels& find_tiles(std::size_t index, Distance metric, VectorType rows, VectorType form) {
  return find(float_tile_targets()[index], integer_tile_targets()[index], metric, rows, form);
}

}  // namespace

#if DISKANN_HAS_FMA4
bool has_fma4() {
  // Which asks, too, whether the system keeps YMM registers.
  return has_target<HWY_SSE4>() && __builtin_cpu_supports("fma4");
}
#endif

#if DISKANN_HAS_NEON_DOTPROD
bool has_neon_dotprod() {
#if defined(__ARM_FEATURE_DOTPROD)
  return true;  // the whole library is compiled for it, as for Macs
#else
  constexpr unsigned long kDotProducts = 1UL << 20;  // HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & kDotProducts) != 0;
#endif
}
#endif

#if DISKANN_HAS_SVE2
bool has_sve2() {
#if defined(__ARM_FEATURE_SVE2)
  return true;
#else
  constexpr unsigned long kSve2 = 1UL << 1;  // HWCAP2_SVE2
  return (getauxval(AT_HWCAP2) & kSve2) != 0;
#endif
}
#endif

#if DISKANN_HAS_SVE2_I8MM
bool has_sve2_i8mm() {
#if defined(__ARM_FEATURE_SVE_MATMUL_INT8)
  return has_sve2();
#else
  constexpr unsigned long kMatrixProducts = 1UL << 9;  // HWCAP2_SVEI8MM
  return has_sve2() && (getauxval(AT_HWCAP2) & kMatrixProducts) != 0;
#endif
}
#endif

std::vector<std::string> available_isas() {
  const auto targets = float_targets();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < targets.size(); ++i) {
    if (runs(i)) names.emplace_back(targets[i].name);
  }
  return names;
}

std::string choose_isa(const char* requested) {
  return float_targets()[index_of(requested == nullptr ? "" : requested)].name;
}

const KernelTable& kernels_for(std::string_view isa, Distance metric, VectorType rows, VectorType query_form) {
  return find_kernels(index_of(isa), metric, rows, query_form);
}
const TileKernels& tiles_for(std::string_view isa, Distance metric, VectorType rows, VectorType form) {
  return find_tiles(index_of(isa), metric, rows, form);
}
const SelectionKernels& selection_for(std::string_view isa) { return *selection_targets()[index_of(isa)].find(); }
Merge merge_for(std::string_view isa, std::size_t capacity) { return merge_targets()[index_of(isa)].find(capacity); }
NibbleKernel nibble_kernel_for(std::string_view isa, NibbleEnding ending) {
  return nibble_targets()[index_of(isa)].find(ending);
}
PlaneKernel plane_kernel_for(std::string_view isa) { return plane_targets()[index_of(isa)].find(); }
const CentroidKernels& centroid_kernels_for(std::string_view isa) { return *centroid_targets()[index_of(isa)].find(); }
const CodeKernels& code_kernels_for(std::string_view isa, VectorType rows) {
  return *code_targets()[index_of(isa)].find(rows);
}

const KernelTable& kernels(Distance metric, VectorType rows, VectorType query_form) {
  return find_kernels(chosen(), metric, rows, query_form);
}
const TileKernels& tiles(Distance metric, VectorType rows, VectorType form) {
  return find_tiles(chosen(), metric, rows, form);
}
Merge merge_for(std::size_t capacity) noexcept { return merge_targets()[chosen()].find(capacity); }
NibbleKernel nibble_kernel(NibbleEnding ending) { return nibble_targets()[chosen()].find(ending); }
PlaneKernel plane_kernel() { return plane_targets()[chosen()].find(); }
const CentroidKernels& centroid_kernels() { return *centroid_targets()[chosen()].find(); }
const SelectionKernels& selection() { return *selection_targets()[chosen()].find(); }
const CodeKernels& code_kernels(VectorType rows) { return *code_targets()[chosen()].find(rows); }

std::string isa() { return float_targets()[chosen()].name; }

std::vector<std::string> compiled_isas() {
  std::vector<std::string> names;
  for (const TargetKernels& target : float_targets()) names.emplace_back(target.name);
  return names;
}

}  // namespace diskann::distance
