#pragma once

#include <cstddef>
#include <cstdint>

namespace diskann::distance {

inline constexpr std::size_t kAmxTiles = 8;
inline constexpr std::size_t kAmxRows = 16;      ///< of a tile
inline constexpr std::size_t kAmxRowBytes = 64;  ///< of a row of a tile

/// What LDTILECFG reads: the shape of each tile register.
struct alignas(64) AmxConfiguration {
  std::uint8_t palette = 1;  ///< the only one that there is: eight tiles of at most 16 rows of 64 bytes
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {};
  std::uint8_t rows[16] = {};
};
static_assert(sizeof(AmxConfiguration) == 64);

/// All of them as large as they can be.
constexpr AmxConfiguration full_amx_tiles() noexcept {
  AmxConfiguration configuration;
  for (std::size_t tile = 0; tile < kAmxTiles; ++tile) {
    configuration.row_bytes[tile] = kAmxRowBytes;
    configuration.rows[tile] = kAmxRows;
  }
  return configuration;
}

}  // namespace diskann::distance
