#include "tests/doubles/container_forge.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "io/checksum.hpp"
#include "io/container_layout.hpp"

namespace diskann::doubles {

void repair_checksums(std::vector<std::byte>& file) {
  io::ContainerHeader header;
  if (file.size() < sizeof header) return;
  std::memcpy(&header, file.data(), sizeof header);
  const std::span<std::byte> bytes(file);

  const std::size_t table_bytes = std::min(header.section_count, io::kMaxSections) * sizeof(io::ContainerEntry);
  if (file.size() >= sizeof header + table_bytes + sizeof(std::uint64_t)) {
    for (std::size_t at = sizeof header; at < sizeof header + table_bytes; at += sizeof(io::ContainerEntry)) {
      io::ContainerEntry entry;
      std::memcpy(&entry, bytes.data() + at, sizeof entry);
      if (entry.offset > file.size() || entry.length > file.size() - entry.offset) continue;
      const std::uint64_t rest = file.size() - entry.offset;
      const std::uint64_t padding =
          (io::kSectionAlignment - entry.length % io::kSectionAlignment) % io::kSectionAlignment;
      entry.checksum = io::checksum(bytes.subspan(entry.offset, std::min(rest, entry.length + padding)));
      std::memcpy(bytes.data() + at, &entry, sizeof entry);
    }
    const std::uint64_t sum = io::checksum(bytes.subspan(sizeof header, table_bytes));
    std::memcpy(bytes.data() + sizeof header + table_bytes, &sum, sizeof sum);
  }
  header.checksum = io::checksum(bytes.first(offsetof(io::ContainerHeader, checksum)));
  std::memcpy(bytes.data(), &header, sizeof header);
}

}  // namespace diskann::doubles
