#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "distance/amx_configuration.hpp"

namespace diskann::distance::testing {

/// The tile registers of AMX and their instructions, as Intel's manual (Software Developer's Manual, volume 2) defines
/// them, in plain code. Where a processor would fault, `refused` says why and the instruction does nothing. On request
/// it does one thing wrong, so that tests can show that they see it.
class AmxModel {
 public:
  enum class Fault {
    None,
    OtherSign,       ///< signed for unsigned products and the other way round
    OneSideSigned,   ///< the left side alone has the other sign
    KeepsSums,       ///< TILEZERO does nothing
    Saturates,       ///< sums stop at the largest value that is signed
    LosesLastRow,    ///< of the left tile
    LosesLastGroup,  ///< of a step
    SwapsSides,      ///< left for right tile
    SharesTiles,     ///< tile 7 is tile 6
    IgnoresStride,   ///< rows are loaded as if they had no gaps
  };
  /// What all models do wrong from now on.
  static inline Fault fault = Fault::None;
  /// What a processor would have refused, the first time; empty if nothing.
  static inline std::string refused;
  /// Where loads may read; anywhere if empty.
  static inline std::vector<std::pair<const std::byte*, const std::byte*>> readable;
  /// How many products were added, by tiles.
  static inline std::size_t products = 0;
  static void reset() {
    fault = Fault::None;
    refused.clear();
    readable.clear();
    products = 0;
  }

  AmxModel() = default;
  AmxModel(const AmxModel&) = delete;
  AmxModel& operator=(const AmxModel&) = delete;
  ~AmxModel() { require(!configured_, "the tiles were not released"); }

  /// LDTILECFG: checks the shapes, and clears all tiles.
  void configure(const AmxConfiguration& configuration) {
    std::array<std::uint8_t, 64> bytes;
    std::memcpy(bytes.data(), &configuration, 64);
    configured_ = false;
    if (!require(bytes[0] == 1, "LDTILECFG: no such palette")) return;
    const auto zero = [&](std::size_t first, std::size_t end) {
      return std::all_of(bytes.begin() + static_cast<std::ptrdiff_t>(first),
                         bytes.begin() + static_cast<std::ptrdiff_t>(end), [](std::uint8_t b) { return b == 0; });
    };
    if (!require(zero(2, 16) && zero(32, 48) && zero(56, 64), "LDTILECFG: reserved bytes")) return;
    for (std::size_t tile = 0; tile < kTiles; ++tile) {
      const unsigned row_bytes = bytes[16 + 2 * tile] + 256u * bytes[17 + 2 * tile], rows = bytes[48 + tile];
      if (!require(row_bytes <= 64 && rows <= 16 && (row_bytes == 0) == (rows == 0), "LDTILECFG: shape")) return;
      tiles_[tile] = {rows, row_bytes, {}};
    }
    require(bytes[1] == 0, "LDTILECFG: the model begins at row 0 alone");
    configured_ = true;
  }

  /// TILERELEASE.
  void release() { configured_ = false; }

  /// TILEZERO.
  void zero(std::size_t tile) {
    if (usable(tile, "TILEZERO") && fault != Fault::KeepsSums) at(tile).bytes = {};
  }

  /// TILELOADD: row i from rows + i * stride.
  void load(std::size_t tile, const std::byte* rows, std::size_t stride) {
    if (!usable(tile, "TILELOADD")) return;
    Tile& to = at(tile);
    if (fault == Fault::IgnoresStride) stride = to.row_bytes;
    to.bytes = {};
    for (std::size_t row = 0; row < to.rows; ++row) {
      const std::byte* const from = rows + row * stride;
      const auto holds = [&](const auto& range) { return from >= range.first && from + to.row_bytes <= range.second; };
      const bool allowed = readable.empty() || std::any_of(readable.begin(), readable.end(), holds);
      if (require(allowed, "TILELOADD: outside the blocks")) std::memcpy(to.bytes[row].data(), from, to.row_bytes);
    }
  }

  /// TILESTORED.
  void store(std::size_t tile, std::byte* rows, std::size_t stride) const {
    if (!usable(tile, "TILESTORED")) return;
    const Tile& from = tiles_[tile];
    for (std::size_t row = 0; row < from.rows; ++row)
      std::memcpy(rows + row * stride, from.bytes[row].data(), from.row_bytes);
  }

  /// TDPBUUD, and TDPBSSD if signed. The sum in row m and column n gains, for each k, the four products of group k of
  /// left row m with those in column n of right row k; modulo 2^32.
  void add_products(std::size_t sums, std::size_t left, std::size_t right, bool is_signed) {
    if (!require(sums != left && sums != right && left != right, "products: the same tile twice")) return;
    if (!usable(sums, "products") || !usable(left, "products") || !usable(right, "products")) return;
    if (fault == Fault::SwapsSides) std::swap(left, right);
    if (fault == Fault::OtherSign) is_signed = !is_signed;
    Tile& to = at(sums);
    const Tile &a = at(left), &b = at(right);
    const bool shapes = a.rows == to.rows && b.row_bytes == to.row_bytes && a.row_bytes % 4 == 0 &&
                        b.row_bytes % 4 == 0 && a.row_bytes / 4 == b.rows;
    if (!require(shapes, "products: shapes")) return;
    ++products;
    const bool left_signed = fault == Fault::OneSideSigned ? !is_signed : is_signed;
    const std::size_t rows = to.rows - (fault == Fault::LosesLastRow ? 1 : 0);
    const std::size_t groups = b.rows - (fault == Fault::LosesLastGroup ? 1 : 0);
    for (std::size_t m = 0; m < rows; ++m) {
      std::array<std::uint32_t, 16> row = {};
      std::memcpy(row.data(), to.bytes[m].data(), to.row_bytes);
      for (std::size_t k = 0; k < groups; ++k) {
        for (std::size_t n = 0; n < to.row_bytes / 4; ++n) {
          std::int32_t four = 0;
          for (std::size_t i = 0; i < 4; ++i)
            four += value(a.bytes[m][4 * k + i], left_signed) * value(b.bytes[k][4 * n + i], is_signed);
          const std::uint32_t sum = row[n] + static_cast<std::uint32_t>(four);
          row[n] = fault == Fault::Saturates ? std::min(sum, 0x7FFFFFFFu) : sum;
        }
      }
      std::memcpy(to.bytes[m].data(), row.data(), to.row_bytes);
    }
  }

  // As AmxRegisters has them.
  template <int kTile>
  void zero() {
    zero(kTile);
  }
  template <int kTile>
  void load(const std::byte* rows, std::size_t stride) {
    load(kTile, rows, stride);
  }
  template <int kTile>
  void store(std::int32_t* rows, std::size_t stride) const {
    store(kTile, reinterpret_cast<std::byte*>(rows), stride);
  }
  template <int kSums, int kLeft, int kRight>
  void add_unsigned_products() {
    add_products(kSums, kLeft, kRight, false);
  }
  template <int kSums, int kLeft, int kRight>
  void add_signed_products() {
    add_products(kSums, kLeft, kRight, true);
  }

 private:
  static constexpr std::size_t kTiles = 8;

  struct Tile {
    std::size_t rows = 0, row_bytes = 0;
    std::array<std::array<std::uint8_t, 64>, 16> bytes = {};
  };

  static bool require(bool holds, const char* what) {
    if (!holds && refused.empty()) refused = what;
    return holds;
  }

  Tile& at(std::size_t tile) { return tiles_[fault == Fault::SharesTiles && tile == 7 ? 6 : tile]; }

  bool usable(std::size_t tile, const char* what) const {
    return require(configured_ && tile < kTiles && tiles_[tile].rows > 0, what);
  }

  static std::int32_t value(std::uint8_t byte, bool is_signed) {
    return is_signed ? static_cast<std::int8_t>(byte) : static_cast<std::int32_t>(byte);
  }

  bool configured_ = false;
  std::array<Tile, kTiles> tiles_;
};

}  // namespace diskann::distance::testing
