#include "tests/doubles/container_forge.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "diskann/error.hpp"
#include "index/index_file.hpp"
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
  index::NodePages pages;
  for_each_section(bytes, [&](std::size_t, const io::ContainerEntry& entry) {
    if (static_cast<io::SectionKind>(entry.kind) != io::SectionKind::Meta) return;
    try {
      const index::IndexMeta meta = index::meta_from_json(
          {reinterpret_cast<const char*>(bytes.data() + entry.offset), entry.length}, "a forged file");
      pages = {meta.type, meta.dimension, meta.parameters.max_degree, meta.parameters.page_bytes};
    } catch (const Error&) {  // then nobody comes as far as its pages
    }
  });
  for_each_section(bytes, [&](std::size_t, const io::ContainerEntry& entry) {
    const auto kind = static_cast<io::SectionKind>(entry.kind);
    if (kind != io::SectionKind::NodePages && kind != io::SectionKind::EdgePages && kind != io::SectionKind::RowPages)
      return;
    const std::size_t unit_bytes = (kind == io::SectionKind::RowPages ? pages.rows : pages.edges).unit_bytes();
    for (std::uint64_t unit = 0; unit < entry.length / unit_bytes; ++unit)
      index::seal_unit(bytes.subspan(entry.offset + unit * unit_bytes, unit_bytes), unit);
  });
}

}  // namespace diskann::doubles
