#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/atomic_file.hpp"
#include "io/file_system.hpp"

namespace diskann::io {

/// Sections of an index file; the numbers are part of the format (docs/format.md).
enum class SectionKind : std::uint32_t {
  Meta = 1,             ///< JSON: parameters, counts, versions
  Vectors = 2,          ///< padded rows
  Graph = 3,            ///< rows of slots
  EntryPoints = 4,      ///< slots, the medoid first
  Ids = 5,              ///< u64 id of every point, where ids are not row numbers
  Twins = 6,            ///< which points share a node
  Norms = 7,            ///< of every node: f32 inverse norm (cosine), u32 squared norm (L2 over integers)
  Codes = 8,            ///< what walks compare in place of vectors: rows; version 2: there are no vectors
  CodeNorms = 9,        ///< floats beside each of them; version 2: two in place of one
  CodeMeans = 10,       ///< f32 mean of every component, which codes are relative to
  CodeDirections = 11,  ///< padded i8 rows along which codes see vectors, then the f32 scale of each
  CodeCentroids = 12,   ///< f32 centroids of every chunk of components, component after component
  NodePages = 13,       ///< pages of rows with their edges, where they stay on a drive
  EdgePages = 14,       ///< of edges alone
  RowPages = 15,        ///< of rows alone
  Visited = 16,         ///< u32 slots of the nodes that walks expand most often, most first
};
std::string to_string(SectionKind kind);

/// Whether a file begins as index files do.
bool is_container(const std::filesystem::path& path);

/// An entry of the section table.
struct Section {
  SectionKind kind;
  std::uint32_t version;
  bool required;  ///< a reader that does not know it must refuse the file
  std::uint64_t offset, length, checksum;
};

/// Writes an index file: sections in the order of begin(), header and table last. Atomic as AtomicFile is.
class ContainerWriter {
 public:
  ContainerWriter(const std::filesystem::path& path, bool overwrite);
  ~ContainerWriter();
  /// Starts a section, aligned to 4,096 bytes; ends the one before. A kind may come once.
  void begin(SectionKind kind, std::uint32_t version, bool required);
  void write(std::span<const std::byte> bytes);
  /// Cancelled as AtomicFile::commit() is.
  void commit(const CancelToken* cancel = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// An open index file whose header and table are checked: magic, version, sizes, bounds, overlap, checksums of both.
/// Its sections are checksummed with their padding, so that checksum_ok() of all of them covers the rest of the file.
/// Small sections are checksummed when read; large ones on request.
class Container {
 public:
  /// Throws Corrupt (with the offset and what was expected), UnsupportedVersion, or IoError.
  static Container open(const std::filesystem::path& path);

  const std::filesystem::path& path() const noexcept { return path_; }
  std::uint32_t format_version() const noexcept { return format_version_; }
  std::uint64_t file_size() const noexcept { return file_size_; }
  /// Header and table, with the checksums of all sections.
  std::vector<std::byte> first_page() const;
  const std::vector<Section>& sections() const noexcept { return sections_; }
  /// Null where it is missing, or optional and of a version newer than this reader.
  const Section* find(SectionKind kind) const noexcept;
  /// Throws Corrupt where it is missing.
  const Section& require(SectionKind kind) const;

  /// A whole small section (at most 64 MiB, else Corrupt), checksum verified.
  std::vector<std::byte> read_small(const Section& section) const;
  /// Reads [offset, offset + out.size()) of a section, without a checksum. Corrupt where that is not inside it.
  void read(const Section& section, std::uint64_t offset, std::span<std::byte> out) const;
  /// The whole section in parts, its checksum verified on the way; `after_part` is told the bytes of each part and may
  /// throw. Corrupt where out.size() is not the section's length.
  void read_all(const Section& section, std::span<std::byte> out,
                const std::function<void(std::size_t)>& after_part = {}) const;
  /// The section in place, valid as long as the pointer lives.
  std::shared_ptr<const std::byte> map(const Section& section) const;
  /// Reads the section and the padding behind it through a small buffer and compares; false where it differs.
  bool checksum_ok(const Section& section) const;

 private:
  Container() = default;
  std::filesystem::path path_;
  std::shared_ptr<ReadableFile> file_;
  std::uint32_t format_version_ = 0;
  std::uint64_t file_size_ = 0;
  std::vector<Section> sections_;
};

}  // namespace diskann::io
