// Whether the tiles of AMX may be used: the processor has it, the system allows it, and the products are right.
#include "distance/amx.hpp"

#include <algorithm>
#include <vector>

#include "base/random.hpp"
#include "base/row_store.hpp"
#include "distance/targets.hpp"

#if DISKANN_HAS_AMX && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace diskann::distance {

bool same_integer_tiles(const TileKernels& found, const TileKernels& expected, VectorType type) {
  constexpr std::size_t kRows = 41;        // three tiles of rows, the last not full
  constexpr std::size_t kDimension = 100;  // two steps, the last not full
  base::RowStore rows(type, kRows, kDimension);
  base::Random random(1);
  for (std::size_t i = 0; i < kRows; ++i)
    std::generate_n(rows.row(i), kDimension, [&] { return static_cast<std::byte>(random.next()); });
  for (const std::size_t i : {std::size_t{0}, kRows - 1}) std::fill_n(rows.row(i), kDimension, std::byte{0xFF});
  std::fill_n(rows.row(1), kDimension, std::byte{0x80});
  const auto products = [&](const TileKernels& kernels) {
    TileBlock block;
    kernels.load({rows, nullptr, nullptr, 0, kRows}, true, block);
    std::vector<float> out(block.padded_rows() * block.padded_rows());
    kernels.multiply(block, 0, kRows, block, out.data(), block.padded_rows());
    out.resize(kRows * block.padded_rows());  // what stands in rows behind them is nobody's business
    return out;
  };
  return products(found) == products(expected);
}

#if DISKANN_HAS_AMX

namespace N_AVX3_DL {  // NOLINT(readability-identifier-naming): Highway's name
const TileKernels* find_integer_tiles(Distance metric, VectorType rows);
}  // namespace N_AVX3_DL

#if defined(__linux__)
namespace {

constexpr unsigned bit(int i) { return 1u << i; }

/// By what the processor says of itself, and of what the system saves of its state.
bool processor_has_amx() noexcept {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kSavesState = bit(27);
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kSavesState) == 0) return false;
  constexpr unsigned kTiles = bit(24), kByteProducts = bit(25);
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) == 0 || (d & kByteProducts) == 0) return false;
  constexpr unsigned kTileShapes = 0x1D;  // of palette 1: 8 registers of 1024 bytes, 16 rows of 64
  if (__get_cpuid_count(kTileShapes, 1, &a, &b, &c, &d) == 0) return false;
  if (a >> 16 != 1024 || b != (8u << 16 | 64) || (c & 0xFFFF) != 16) return false;
  unsigned saved = 0, upper = 0;
  asm volatile("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
  constexpr unsigned kConfiguration = bit(17), kData = bit(18);
  return (saved & kConfiguration) != 0 && (saved & kData) != 0;
}

/// Linux wants to be asked before the first use. It answers for the whole process, threads that run already included,
/// and says no where one of them has a stack for signals that is too small for the larger state.
bool system_allows_amx() noexcept {
  constexpr long kRequest = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM; headers older than the kernel lack it
  return syscall(SYS_arch_prctl, kRequest, kTileData) == 0;
}

/// No machine that the library was tested on has AMX. So wherever it runs it must first agree with code that was.
bool amx_is_right() {
  return std::ranges::all_of(std::initializer_list<VectorType>{VectorType::U8, VectorType::I8}, [](VectorType type) {
    return same_integer_tiles(*N_AMX::find_integer_tiles(Distance::L2, type),
                              *N_AVX3_DL::find_integer_tiles(Distance::L2, type), type);
  });
}

}  // namespace

bool has_amx() {
  static const bool has = has_target<HWY_AVX3_DL>() && processor_has_amx() && system_allows_amx() && amx_is_right();
  return has;
}
#else
bool has_amx() { return false; }  // how other systems are asked is not written yet
#endif

#endif  // DISKANN_HAS_AMX

}  // namespace diskann::distance
