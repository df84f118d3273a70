#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace diskann::io {

// The fixed parts of an index file as they stand on disk; docs/format.md is the specification.
static_assert(std::endian::native == std::endian::little, "index files are little endian and are used in place");

inline constexpr std::array<unsigned char, 8> kContainerMagic = {'D', 'A', 'N', 'N', '\r', '\n', 0x1A, '\n'};
inline constexpr std::uint32_t kContainerVersion = 1;
inline constexpr std::uint64_t kSectionAlignment = 4096;
inline constexpr std::uint32_t kSectionRequired = 1;

struct ContainerHeader {
  std::array<unsigned char, 8> magic;
  std::uint32_t version;
  std::uint32_t flags;
  std::uint64_t file_size;
  std::uint32_t section_count;
  std::uint32_t reserved0;
  std::uint64_t table_offset;
  std::array<std::uint64_t, 2> reserved1;
  std::uint64_t checksum;  // of the bytes before it
};
static_assert(sizeof(ContainerHeader) == 64 && offsetof(ContainerHeader, checksum) == 56);

struct ContainerEntry {
  std::uint32_t kind;
  std::uint32_t version;
  std::uint32_t flags;
  std::uint32_t reserved;
  std::uint64_t offset;
  std::uint64_t length;
  std::uint64_t checksum;  // of the section and the zeros up to the next multiple of kSectionAlignment
};
static_assert(sizeof(ContainerEntry) == 40);

/// Header, table and its checksum fit the first page.
inline constexpr std::uint32_t kMaxSections =
    (kSectionAlignment - sizeof(ContainerHeader) - sizeof(std::uint64_t)) / sizeof(ContainerEntry);

}  // namespace diskann::io
