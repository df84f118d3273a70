#include "io/container.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "base/checked.hpp"
#include "diskann/error.hpp"
#include "io/checksum.hpp"
#include "io/container_layout.hpp"

namespace diskann::io {
namespace {

constexpr std::uint64_t kChunkBytes = std::uint64_t{1} << 20;  // read and hashed while it is in the cache
constexpr std::uint64_t kSmallSectionBytes = std::uint64_t{64} << 20;

/// The newest layout of a section that this reader knows; 0 for an unknown kind.
constexpr std::uint32_t known_version(SectionKind kind) noexcept {
  switch (kind) {
    case SectionKind::Meta:
    case SectionKind::Vectors:
    case SectionKind::Graph:
    case SectionKind::EntryPoints:
    case SectionKind::Ids:
    case SectionKind::Twins:
    case SectionKind::Norms:
    case SectionKind::CodeMeans:
    case SectionKind::CodeDirections:
    case SectionKind::Visited: return 1;
    case SectionKind::NodePages:
    case SectionKind::EdgePages:
    case SectionKind::RowPages:
    case SectionKind::Codes:
    case SectionKind::CodeNorms:
    case SectionKind::CodeCentroids: return 2;
  }
  return 0;
}

/// What the first page says, with the words for errors about it.
class FirstPage {
 public:
  FirstPage(const std::filesystem::path& path, const ReadableFile& file) : path_(path.string()), size_(file.size()) {
    const std::uint64_t present = std::min(size_, kSectionAlignment);
    file.read(0, {page_.data(), static_cast<std::size_t>(present)});
    check_magic(present);
    if (present < sizeof(ContainerHeader)) corrupt("truncated: the header has 64 bytes, the file", size_);
    std::memcpy(&header_, page_.data(), sizeof header_);
  }

  /// The header alone; throws where the rest of the file cannot be what it says.
  const ContainerHeader& check_header() const {
    const std::uint64_t sum = checksum({page_.data(), offsetof(ContainerHeader, checksum)});
    expect("the header's checksum at offset 56", header_.checksum, sum);
    if (header_.version > kContainerVersion)
      unsupported("format version " + std::to_string(header_.version) + ", this library reads up to " +
                  std::to_string(kContainerVersion));
    if (header_.version == 0) corrupt("format version 0 at offset 8; the first is 1");
    if (header_.flags != 0) unsupported("unknown flags " + std::to_string(header_.flags) + " at offset 12");
    expect("the file size at offset 16", header_.file_size, size_);
    if (header_.section_count > kMaxSections)
      corrupt("the section count at offset 24 is over " + std::to_string(kMaxSections) + ":", header_.section_count);
    expect("the reserved field at offset 28", header_.reserved0, 0);
    expect("the table offset at offset 32", header_.table_offset, sizeof(ContainerHeader));
    expect("the reserved field at offset 40", header_.reserved1[0], 0);
    expect("the reserved field at offset 48", header_.reserved1[1], 0);
    return header_;
  }

  /// The sections, after check_header().
  std::vector<Section> check_table() const {
    const std::size_t table_end = sizeof(ContainerHeader) + header_.section_count * sizeof(ContainerEntry);
    std::uint64_t sum;
    std::memcpy(&sum, page_.data() + table_end, sizeof sum);
    const std::span<const std::byte> page(page_);
    expect("the section table's checksum at offset " + std::to_string(table_end), sum,
           checksum(page.subspan(sizeof(ContainerHeader), table_end - sizeof(ContainerHeader))));
    const auto padding = page.subspan(table_end + sizeof sum);
    const auto garbage = std::find_if(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{}; });
    if (garbage != padding.end())
      corrupt("a byte that is not zero behind the section table, at offset",
              static_cast<std::uint64_t>(garbage - padding.begin()) + table_end + sizeof sum);

    std::vector<Section> sections;
    std::uint64_t next = kSectionAlignment;
    for (std::uint32_t i = 0; i < header_.section_count; ++i) {
      sections.push_back(check_entry(i, next));
      const Section& section = sections.back();
      next = base::round_up(section.offset + section.length, kSectionAlignment);  // at most size_: cannot wrap
      for (std::uint32_t j = 0; j < i; ++j)
        if (sections[j].kind == section.kind) corrupt("section " + to_string(section.kind) + " is there twice");
    }
    if (next != size_) corrupt("the last section ends at " + std::to_string(next) + ", but the file at", size_);
    return sections;
  }

 private:
  Section check_entry(std::uint32_t index, std::uint64_t expected_offset) const {
    const std::size_t at = sizeof(ContainerHeader) + index * sizeof(ContainerEntry);
    ContainerEntry entry;
    std::memcpy(&entry, page_.data() + at, sizeof entry);
    const auto kind = static_cast<SectionKind>(entry.kind);
    const std::string name =
        "section " + to_string(kind) + " (entry " + std::to_string(index) + " at offset " + std::to_string(at) + ")";
    if (entry.kind == 0) corrupt(name + " has no kind");
    if (entry.version == 0) corrupt(name + " has version 0; the first is 1");
    if ((entry.flags & ~kSectionRequired) != 0) unsupported(name + " has unknown flags " + std::to_string(entry.flags));
    const bool required = entry.flags == kSectionRequired;
    if (required && entry.version > known_version(kind))
      unsupported(name + (known_version(kind) == 0
                              ? " is of an unknown kind"
                              : " has version " + std::to_string(entry.version) + ", this library reads up to " +
                                    std::to_string(known_version(kind))));
    expect(name + ": the reserved field", entry.reserved, 0);
    expect(name + ": the offset", entry.offset, expected_offset);
    if (entry.offset > size_ || entry.length > size_ - entry.offset)
      corrupt(name + " of " + std::to_string(entry.length) + " bytes at " + std::to_string(entry.offset) +
                  " reaches beyond the end of the file at",
              size_);
    return {kind, entry.version, required, entry.offset, entry.length, entry.checksum};
  }

  void check_magic(std::uint64_t present) const {
    const std::uint64_t compared = std::min<std::uint64_t>(present, kContainerMagic.size());
    if (compared != 0 && std::memcmp(page_.data(), kContainerMagic.data(), compared) == 0) return;
    static constexpr std::string_view kLargeFilePointer = "version https://git-lfs";
    const bool is_pointer = present >= kLargeFilePointer.size() &&
                            std::memcmp(page_.data(), kLargeFilePointer.data(), kLargeFilePointer.size()) == 0;
    throw Error(ErrorCode::Corrupt,
                path_ + ": not an index file: " +
                    (size_ == 0 ? "it is empty" : "it does not start with the magic bytes of one"),
                is_pointer ? "this is a Git LFS pointer; fetch the file itself with 'git lfs pull'" : "");
  }

  [[noreturn]] void corrupt(const std::string& what) const { throw Error(ErrorCode::Corrupt, path_ + ": " + what); }
  [[noreturn]] void corrupt(const std::string& what, std::uint64_t value) const {
    corrupt(what + " " + std::to_string(value));
  }
  [[noreturn]] void unsupported(const std::string& what) const {
    throw Error(ErrorCode::UnsupportedVersion, path_ + ": " + what,
                "it was written by a newer version; update diskann");
  }
  void expect(const std::string& what, std::uint64_t found, std::uint64_t expected) const {
    if (found != expected) corrupt(what + " is " + std::to_string(found) + ", expected", expected);
  }

  std::string path_;
  std::uint64_t size_;
  std::array<std::byte, kSectionAlignment> page_{};
  ContainerHeader header_{};
};

std::uint64_t padded(std::uint64_t length) noexcept { return base::round_up(length, kSectionAlignment); }

[[noreturn]] void throw_damaged(const std::filesystem::path& path, const Section& section) {
  throw Error(ErrorCode::Corrupt,
              path.string() + ": section " + to_string(section.kind) + " at offset " + std::to_string(section.offset) +
                  " does not match its checksum",
              "the file is damaged: restore it from a copy, or build it again");
}

}  // namespace

bool is_container(const std::filesystem::path& path) {
  const auto file = file_system().open(path);
  std::array<std::byte, kContainerMagic.size()> start;
  if (file->size() < start.size()) return false;
  file->read(0, start);
  return std::memcmp(start.data(), kContainerMagic.data(), start.size()) == 0;
}

std::string to_string(SectionKind kind) {
  switch (kind) {
    case SectionKind::Meta: return "meta";
    case SectionKind::Vectors: return "vectors";
    case SectionKind::Graph: return "graph";
    case SectionKind::EntryPoints: return "entry points";
    case SectionKind::Ids: return "ids";
    case SectionKind::Twins: return "twins";
    case SectionKind::Norms: return "norms";
    case SectionKind::Codes: return "codes";
    case SectionKind::CodeNorms: return "code norms";
    case SectionKind::CodeMeans: return "code means";
    case SectionKind::CodeDirections: return "code directions";
    case SectionKind::CodeCentroids: return "code centroids";
    case SectionKind::NodePages: return "node pages";
    case SectionKind::EdgePages: return "edge pages";
    case SectionKind::RowPages: return "row pages";
    case SectionKind::Visited: return "visited nodes";
  }
  return "kind " + std::to_string(static_cast<std::uint32_t>(kind));
}

Container Container::open(const std::filesystem::path& path) {
  Container container;
  container.path_ = path;
  container.file_ = file_system().open(path);
  const FirstPage page(path, *container.file_);
  const ContainerHeader& header = page.check_header();
  container.format_version_ = header.version;
  container.file_size_ = header.file_size;
  container.sections_ = page.check_table();
  return container;
}

std::vector<std::byte> Container::first_page() const {
  std::vector<std::byte> page(kSectionAlignment);
  file_->read(0, page);
  return page;
}

const Section* Container::find(SectionKind kind) const noexcept {
  for (const Section& section : sections_)
    if (section.kind == kind && section.version <= known_version(kind)) return &section;
  return nullptr;
}

const Section& Container::require(SectionKind kind) const {
  if (const Section* section = find(kind)) return *section;
  throw Error(ErrorCode::Corrupt, path_.string() + ": section " + to_string(kind) + " is missing");
}

std::vector<std::byte> Container::read_small(const Section& section) const {
  if (section.length > kSmallSectionBytes)
    throw Error(ErrorCode::Corrupt, path_.string() + ": section " + to_string(section.kind) + " has " +
                                        std::to_string(section.length) + " bytes, expected at most " +
                                        std::to_string(kSmallSectionBytes));
  std::vector<std::byte> bytes(section.length);
  read_all(section, bytes);
  return bytes;
}

void Container::read(const Section& section, std::uint64_t offset, std::span<std::byte> out) const {
  if (offset > section.length || out.size() > section.length - offset)
    throw Error(ErrorCode::Corrupt, path_.string() + ": expected " + std::to_string(out.size()) + " bytes at " +
                                        std::to_string(offset) + " of section " + to_string(section.kind) +
                                        ", which has " + std::to_string(section.length));
  file_->read(section.offset + offset, out);
}

void Container::read_all(const Section& section, std::span<std::byte> out,
                         const std::function<void(std::size_t)>& after_part) const {
  if (out.size() != section.length)
    throw Error(ErrorCode::Corrupt, path_.string() + ": section " + to_string(section.kind) + " has " +
                                        std::to_string(section.length) + " bytes, expected " +
                                        std::to_string(out.size()));
  RunningChecksum sum;
  for (std::uint64_t done = 0; done < section.length;) {
    const auto part = out.subspan(done, std::min(kChunkBytes, section.length - done));
    file_->read(section.offset + done, part);
    sum.add(part);
    done += part.size();
    if (after_part) after_part(part.size());
  }
  std::array<std::byte, kSectionAlignment> padding;
  const auto tail = std::span(padding).first(padded(section.length) - section.length);
  file_->read(section.offset + section.length, tail);
  sum.add(tail);
  if (sum.value() != section.checksum) throw_damaged(path_, section);
}

std::shared_ptr<const std::byte> Container::map(const Section& section) const {
  const std::shared_ptr<const std::byte> whole = file_->map();
  return {whole, whole.get() + section.offset};
}

bool Container::checksum_ok(const Section& section) const {
  const std::uint64_t length = padded(section.length);
  std::vector<std::byte> buffer(std::min(kChunkBytes, length));
  RunningChecksum sum;
  for (std::uint64_t done = 0; done < length;) {
    const auto part = std::span(buffer).first(std::min(kChunkBytes, length - done));
    file_->read(section.offset + done, part);
    sum.add(part);
    done += part.size();
  }
  return sum.value() == section.checksum;
}

}  // namespace diskann::io
