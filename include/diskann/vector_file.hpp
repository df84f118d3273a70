#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "diskann/types.hpp"

namespace diskann {

/// Formats of vector files, told by suffix and checked by content.
enum class VectorFormat : std::uint8_t {
  Fvecs,  ///< texmex: i32 dimension before every row
  Bvecs,
  Ivecs,  ///< ids; read by read_results, not as vectors
  Fbin,   ///< big-ann: u32 rows, u32 dimension, then the rows
  F16bin,
  U8bin,
  I8bin,
  Bin,  ///< Microsoft's, the same bytes without a type
  Npy,
};

/// "fvecs" … "npy", as in the suffix.
DISKANN_EXPORT std::string_view to_string(VectorFormat format) noexcept;
/// Throws InvalidArgument with the list of formats.
DISKANN_EXPORT VectorFormat parse_vector_format(std::string_view name);
/// By suffix (`.data` counts as Bin). Throws InvalidArgument with the list of suffixes.
DISKANN_EXPORT VectorFormat vector_format_of(const std::filesystem::path& path);
/// The type that a format holds, where it holds only one.
DISKANN_EXPORT std::optional<VectorType> type_told_by(VectorFormat format) noexcept;

/// Which part of a file, and what it is taken for.
struct ReadOptions {
  std::optional<VectorFormat> format;  ///< default: by suffix
  std::optional<VectorType> type;      ///< needed for Bin unless its size tells; checked where the file says it
  std::uint64_t skip = 0;              ///< rows to leave out at the start
  std::uint64_t limit = kNoId;         ///< rows to read at most
};

/// Header of a vector file.
struct VectorFileInfo {
  VectorFormat format = VectorFormat::Fbin;
  VectorType type = VectorType::F32;
  std::uint64_t rows = 0;
  std::uint64_t dimension = 0;
  std::uint64_t file_bytes = 0;
};

/// Checks header and size, without reading the rows.
DISKANN_EXPORT VectorFileInfo inspect_vectors(const std::filesystem::path& path, const ReadOptions& options = {});
DISKANN_EXPORT VectorSet read_vectors(const std::filesystem::path& path, const ReadOptions& options = {},
                                      const Execution& execution = {});

struct WriteOptions {
  std::optional<VectorFormat> format;  ///< default: by suffix
};
/// Replaces an older file, atomically: on failure or cancellation it is untouched. InvalidArgument where the format
/// cannot hold the type.
DISKANN_EXPORT void write_vectors(const std::filesystem::path& path, VectorView vectors,
                                  const WriteOptions& options = {}, const Execution& execution = {});

/// Changes the type. Integers become f32/f16 exactly or, where f16 cannot hold a value, InvalidArgument with row and
/// column; f32 to f16 rounds and refuses what overflows; f32/f16 to 8 bits takes integers in range only.
DISKANN_EXPORT VectorSet convert_vectors(VectorView vectors, VectorType type, const Execution& execution = {});

/// Result or truth file: `.ivecs` (ids), `.bin` / `.gt.bin` / `.ibin` (Microsoft's truth: ids, then distances or not).
/// Ids of 0xFFFFFFFF read as kNoId.
DISKANN_EXPORT SearchResults read_results(const std::filesystem::path& path);
/// What a result file holds.
enum class ResultKind : std::uint8_t { Nearest, Range };
struct ResultFileInfo {
  ResultKind kind = ResultKind::Nearest;
  std::uint64_t rows = 0;
  std::uint64_t k = 0;     ///< hits of each row; 0 for range results, which have another number for each
  std::uint64_t hits = 0;  ///< of all rows, missing ones among them
  bool distances = false;
  std::uint64_t file_bytes = 0;
};
/// The files that read_results reads, and range results as write_range_results writes them to `.bin`. Corrupt where the
/// file is neither.
DISKANN_EXPORT ResultFileInfo inspect_results(const std::filesystem::path& path);
/// Throws InvalidArgument where the suffix names no format that write_results or write_range_results knows: for a
/// caller who wants to hear of it before the search.
DISKANN_EXPORT void check_result_suffix(const std::filesystem::path& path, ResultKind kind);
/// By suffix: `.txt` one line a query "id id …" or "id:distance …" with `with_distances`; `.json` one array of objects;
/// `.ivecs` ids; `.bin` Microsoft's truth form, ids then distances. Ids above 2^32 - 2 do not fit the last two
/// (InvalidArgument). Replaces an older file, atomically.
DISKANN_EXPORT void write_results(const std::filesystem::path& path, const SearchResults& results,
                                  bool with_distances = false);
/// Range results have another number of hits for each query: `.txt` and `.json` as above, `.bin` big-ann's range form.
DISKANN_EXPORT void write_range_results(const std::filesystem::path& path, std::span<const std::vector<Hit>> results,
                                        bool with_distances = false);
/// u64 ids of rows: `.txt` (one a line), `.npy` (1-d integers) or Microsoft's tags `.bin` (n x 1 of 4 or 8 bytes).
DISKANN_EXPORT std::vector<std::uint64_t> read_ids(const std::filesystem::path& path);

}  // namespace diskann
