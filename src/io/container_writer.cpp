#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "base/checked.hpp"
#include "diskann/error.hpp"
#include "io/checksum.hpp"
#include "io/container.hpp"
#include "io/container_layout.hpp"

namespace diskann::io {

struct ContainerWriter::Impl {
  AtomicFile file;
  std::vector<ContainerEntry> entries;
  RunningChecksum sum{};

  void append(std::span<const std::byte> bytes) {
    sum.add(bytes);
    file.write(bytes);
  }
  /// Completes the entry of the section that is being written, if there is one.
  void end_section() {
    if (entries.empty()) return;
    static constexpr std::array<std::byte, kSectionAlignment> kZeros{};
    ContainerEntry& entry = entries.back();
    entry.length = file.position() - entry.offset;
    append(std::span(kZeros).first(base::round_up(file.position(), kSectionAlignment) - file.position()));
    entry.checksum = sum.value();
  }
};

ContainerWriter::ContainerWriter(const std::filesystem::path& path, bool overwrite)
    : impl_(new Impl{AtomicFile(path, overwrite), {}}) {
  // The first page is known last; until then zeros, which no reader takes for an index.
  impl_->file.write(std::array<std::byte, kSectionAlignment>{});
}
ContainerWriter::~ContainerWriter() = default;

void ContainerWriter::begin(SectionKind kind, std::uint32_t version, bool required) {
  impl_->end_section();
  assert(std::none_of(impl_->entries.begin(), impl_->entries.end(),
                      [kind](const ContainerEntry& entry) { return entry.kind == static_cast<std::uint32_t>(kind); }));
  assert(impl_->entries.size() < kMaxSections);
  impl_->sum.reset();
  impl_->entries.push_back(
      {static_cast<std::uint32_t>(kind), version, required ? kSectionRequired : 0, 0, impl_->file.position(), 0, 0});
}

void ContainerWriter::write(std::span<const std::byte> bytes) {
  assert(!impl_->entries.empty());
  impl_->append(bytes);
}

void ContainerWriter::commit(const CancelToken* cancel) {
  impl_->end_section();
  ContainerHeader header{};
  header.magic = kContainerMagic;
  header.version = kContainerVersion;
  header.file_size = impl_->file.position();
  header.section_count = static_cast<std::uint32_t>(impl_->entries.size());
  header.table_offset = sizeof header;
  header.checksum = checksum(std::as_bytes(std::span(&header, 1)).first(offsetof(ContainerHeader, checksum)));
  const auto table = std::as_bytes(std::span(impl_->entries));
  const std::uint64_t table_sum = checksum(table);
  std::array<std::byte, kSectionAlignment> page{};
  std::memcpy(page.data(), &header, sizeof header);
  if (!table.empty()) std::memcpy(page.data() + sizeof header, table.data(), table.size());
  std::memcpy(page.data() + sizeof header + table.size(), &table_sum, sizeof table_sum);
  impl_->file.write_at(0, page);
  impl_->file.commit(cancel);
}

}  // namespace diskann::io
