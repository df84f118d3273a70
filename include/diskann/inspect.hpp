#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "diskann/index.hpp"

namespace diskann {

/// What a file is, told by its content; of Microsoft's sets also by their prefix.
enum class FileKind : std::uint8_t { Index, MicrosoftMemoryIndex, MicrosoftDiskIndex, Vectors, Unknown };
DISKANN_EXPORT FileKind file_kind(const std::filesystem::path& path);

/// One section of an index file.
struct SectionInfo {
  std::string name;
  std::uint64_t offset = 0, bytes = 0, checksum = 0;
  std::uint32_t version = 0;
};

/// How nodes stand in the pages of an index on a drive.
struct DriveLayout {
  /// Whether vectors stand apart from edges, since both together would take more than 2 KiB: a walk then reads
  /// edges, and at the end the vectors of the nearest.
  bool split = false;
  std::uint64_t record_bytes = 0;    ///< of a node: edges and, where it is not apart, the vector
  std::uint64_t records_a_page = 1;  ///< 1 also where one takes more than BuildParameters::page_bytes
  std::uint64_t vector_bytes = 0;
  std::uint64_t page_bytes = 0;  ///< that are read at once
};

/// Header and metadata of an index file or of Microsoft's sets, read without its rows.
struct IndexFileInfo {
  FileKind kind = FileKind::Index;
  std::uint32_t format_version = 0;
  std::string library_version;  ///< that wrote it; empty for Microsoft's
  std::uint64_t file_bytes = 0;
  std::uint64_t points = 0, nodes = 0, dimension = 0;
  Distance metric = Distance::L2;
  VectorType type = VectorType::F32, source_type = VectorType::F32;
  std::string distance_name;  ///< of a user's distance, else empty
  BuildParameters parameters;
  Codec codec = Codec::None;
  bool has_vectors = true;           ///< or codes alone
  std::optional<DriveLayout> drive;  ///< of an index for DiskIndex
  Calibration calibration;
  bool custom_ids = false;
  std::vector<SectionInfo> sections;
};
DISKANN_EXPORT IndexFileInfo inspect_index(const std::filesystem::path& path, const OpenOptions& options = {});

/// Outcome of verify(): `checks` lists what was looked at, `problems` what was found wrong, `warnings` what is as its
/// builder made it and costs recall: nodes of a Microsoft set that no search reaches.
struct VerifyReport {
  std::vector<std::string> checks;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
  GraphStatistics graph;
  bool ok() const noexcept { return problems.empty(); }
};
/// Every checksum, every edge (in range, no self-edge, no repeat), every degree, every id, and reachability of all
/// points. Throws only where the file cannot be read as an index at all.
DISKANN_EXPORT VerifyReport verify(const std::filesystem::path& path, const OpenOptions& options = {},
                                   const Execution& execution = {});

/// This build on this machine.
struct SystemInfo {
  std::string version;                     ///< of the library
  std::string compiler;                    ///< that built it
  std::string highway;                     ///< version of the SIMD library
  std::string isa;                         ///< instruction set chosen for the kernels
  std::vector<std::string> compiled_isas;  ///< instruction sets compiled in, best first
  std::vector<std::string> io_backends;
  std::vector<std::string> accelerators;
  std::string processor;
  unsigned threads = 0;  ///< that this process may use
  std::uint64_t memory_bytes = 0;
};
DISKANN_EXPORT SystemInfo system_info();
/// Largest resident size of this process so far; 0 where the system does not tell.
DISKANN_EXPORT std::uint64_t peak_resident_bytes() noexcept;

}  // namespace diskann
