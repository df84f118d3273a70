#include "tests/doubles/container_forge.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "index/record_pages.hpp"
#include "io/checksum.hpp"
#include "io/container.hpp"
#include "io/container_layout.hpp"

namespace diskann::doubles {

namespace {

/// f(place in the file, entry), of all that stand within it.
template <class F>
void for_each_section(std::span<std::byte> file, const F& f) {
  io::ContainerHeader header;
  if (file.size() < sizeof header) return;
  std::memcpy(&header, file.data(), sizeof header);
  const std::size_t table_bytes = std::min(header.section_count, io::kMaxSections) * sizeof(io::ContainerEntry);
  if (file.size() < sizeof header + table_bytes + sizeof(std::uint64_t)) return;
  for (std::size_t at = sizeof header; at < sizeof header + table_bytes; at += sizeof(io::ContainerEntry)) {
    io::ContainerEntry entry;
    std::memcpy(&entry, file.data() + at, sizeof entry);
    if (entry.offset <= file.size() && entry.length <= file.size() - entry.offset) f(at, entry);
  }
}

}  // namespace

void repair_checksums(std::vector<std::byte>& file) {
  io::ContainerHeader header;
  if (file.size() < sizeof header) return;
  std::memcpy(&header, file.data(), sizeof header);
  const std::span<std::byte> bytes(file);

  const std::size_t table_bytes = std::min(header.section_count, io::kMaxSections) * sizeof(io::ContainerEntry);
  if (file.size() >= sizeof header + table_bytes + sizeof(std::uint64_t)) {
    for_each_section(bytes, [&](std::size_t at, io::ContainerEntry entry) {
      const std::uint64_t rest = file.size() - entry.offset;
      const std::uint64_t padding =
          (io::kSectionAlignment - entry.length % io::kSectionAlignment) % io::kSectionAlignment;
      entry.checksum = io::checksum(bytes.subspan(entry.offset, std::min(rest, entry.length + padding)));
      std::memcpy(bytes.data() + at, &entry, sizeof entry);
    });
    const std::uint64_t sum = io::checksum(bytes.subspan(sizeof header, table_bytes));
    std::memcpy(bytes.data() + sizeof header + table_bytes, &sum, sizeof sum);
  }
  header.checksum = io::checksum(bytes.first(offsetof(io::ContainerHeader, checksum)));
  std::memcpy(bytes.data(), &header, sizeof header);
}

void seal_pages(std::vector<std::byte>& file) {
  const std::span<std::byte> bytes(file);
  for_each_section(bytes, [&](std::size_t, const io::ContainerEntry& entry) {
    const auto kind = static_cast<io::SectionKind>(entry.kind);
    if (kind != io::SectionKind::NodePages && kind != io::SectionKind::EdgePages && kind != io::SectionKind::RowPages)
      return;
    for (std::uint64_t page = 0; page < entry.length / io::kBlockBytes; ++page)
      index::seal_unit(bytes.subspan(entry.offset + page * io::kBlockBytes, io::kBlockBytes), page);
  });
}

}  // namespace diskann::doubles
