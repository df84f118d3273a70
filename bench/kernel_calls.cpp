// Calls one kernel a number of times, for a tool that counts instructions (tools/instruction_counts); DISKANN_ISA
// chooses the instruction set.
//   kernel_calls near|tile TYPE METRIC DIMENSION CALLS      prints how many distances a call computes
// "near" compares a query with 64 consecutive rows; "tile" multiplies 48 rows with 240, both laid out before.
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/row_store.hpp"
#include "distance/kernels.hpp"
#include "distance/tiles.hpp"

namespace {

using namespace diskann;

int run(char** arguments) {
  constexpr std::size_t kLeft = 48, kRight = 240, kRows = 64;
  const std::string_view kind = arguments[1];
  const VectorType type = parse_vector_type(arguments[2]);
  const Distance metric = parse_distance(arguments[3]);
  const auto dimension = static_cast<std::size_t>(std::atoi(arguments[4]));
  const int calls = std::atoi(arguments[5]);
  if (kind != "near" && kind != "tile") return 2;

  base::RowStore store(type, kLeft + kRight, dimension);
  base::Random random(7);
  for (std::size_t i = 0; i < kLeft + kRight; ++i) {
    for (std::size_t j = 0; j < dimension; ++j) {
      if (type == VectorType::F32)
        reinterpret_cast<float*>(store.row(i))[j] = static_cast<float>(random.below(1000));
      else
        store.row(i)[j] = static_cast<std::byte>(random.next() & 0xFF);
    }
  }
  const std::vector<float> norms(kLeft + kRight, 0.01f);
  std::vector<float> out(kLeft * kRight);
  const distance::KernelTable& kernels = distance::kernels(metric, type, type);
  const distance::TileKernels& tiles = distance::tiles(metric, type, type);
  const distance::Query query{store.row(0), type, 0.01f};
  distance::TileBlock left, right;
  tiles.load({store, norms.data(), nullptr, 0, kLeft}, false, left);
  tiles.load({store, norms.data(), nullptr, kLeft, kRight}, true, right);
  for (int call = 0; call < calls; ++call) {
    if (kind == "near")
      kernels.block(query, store, norms.data(), 0, kRows, out.data());
    else
      tiles.multiply(left, 0, kLeft, right, out.data(), kRight);
  }
  std::printf("%zu\n", kind == "near" ? kRows : kLeft * kRight);
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 6) return run(arguments);
  std::fputs("usage: kernel_calls near|tile f32|u8|i8 l2|ip|cosine DIMENSION CALLS\n", stderr);
  return 2;
}
