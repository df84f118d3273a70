#include <algorithm>
#include <limits>
#include <string>

#include "diskann/vector_file.hpp"
#include "formats/bin_file.hpp"

namespace diskann {

namespace {

using formats::BinHeader;
using formats::InputFile;
using formats::ValueStream;

constexpr std::uint32_t kNoId32 = 0xFFFFFFFF;
std::uint64_t widen(std::uint32_t id) noexcept { return id == kNoId32 ? kNoId : id; }

/// i32 k, then k ids, for every row.
SearchResults read_ivecs(const InputFile& file) {
  if (file.size() == 0) file.corrupt("the file is empty");
  const auto k = file.value<std::int32_t>(0, "the number of ids of the first row");
  if (k <= 0) file.corrupt("the first row has " + std::to_string(k) + " ids");
  const std::uint64_t step = 4 * (std::uint64_t{1} + static_cast<std::uint32_t>(k));
  SearchResults results;
  results.k = static_cast<std::size_t>(k);
  results.rows = file.size() / step;
  ValueStream<std::uint32_t> values(file, 0, results.rows * step);
  results.ids.reserve(results.rows * results.k);
  for (std::size_t row = 0; row < results.rows; ++row) {
    const auto found = static_cast<std::int32_t>(values.next());
    if (found != k)
      file.corrupt("row " + std::to_string(row) + " (offset " + std::to_string(row * step) + ") has " +
                   std::to_string(found) + " ids, the first row has " + std::to_string(k));
    for (std::int32_t i = 0; i < k; ++i) results.ids.push_back(widen(values.next()));
  }
  if (file.size() % step != 0)
    file.corrupt("row " + std::to_string(results.rows) + " (offset " + std::to_string(results.rows * step) +
                     ") is cut: it has " + std::to_string(file.size() % step) + " of " + std::to_string(step) +
                     " bytes",
                 "the file holds " + std::to_string(results.rows) + " whole rows");
  return results;
}

/// The range form: u32 rows, u32 hits of all rows, the hits of each row, ids, and distances (big-ann) or none
/// (Microsoft).
bool is_range_form(const InputFile& file, const BinHeader& header) {
  const std::uint64_t rows = header.rows, hits = header.columns;
  const std::uint64_t ids = BinHeader::kBytes + 4 * rows + 4 * hits;
  if (rows == 0 || (file.size() != ids && file.size() != ids + 4 * hits)) return false;
  ValueStream<std::uint32_t> counts(file, BinHeader::kBytes, BinHeader::kBytes + 4 * rows);
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < rows; ++i) sum += counts.next();
  return sum == hits;
}

/// Of a small file that could be of both forms: whether the ids of the range form are too small for distances, and its
/// distances no ids. Real distances are 0 or far from the least that f32 holds.
bool is_likelier_range_form(const InputFile& file, const BinHeader& header) {
  if (file.size() < BinHeader::kBytes + 4 * std::uint64_t{header.rows} + 8 * std::uint64_t{header.columns})
    return false;
  constexpr std::uint32_t kTinyFloat = 0x20000000, kSmallestNormal = 0x00800000, kInfinityBits = 0x7F800000;
  const std::uint64_t ids = BinHeader::kBytes + 4 * std::uint64_t{header.rows};
  ValueStream<std::uint32_t> values(file, ids, file.size());
  for (std::uint64_t i = 0; i < 2 * std::uint64_t{header.columns}; ++i) {
    const std::uint32_t value = values.next(), magnitude = value & 0x7FFFFFFFu;
    if (i < header.columns ? value >= kTinyFloat
                           : magnitude != 0 && (magnitude < kSmallestNormal || magnitude > kInfinityBits))
      return false;
  }
  return true;
}

/// u32 rows, u32 k, ids of all rows, then distances of all rows or nothing; or the range form.
ResultFileInfo inspect_truth(const InputFile& file) {
  const BinHeader header = formats::read_bin_header(file);
  const std::uint64_t body = file.size() - BinHeader::kBytes, cells = header.cells();
  // Compared by division, since cells * 8 can wrap.
  const bool ids_only = body % 4 == 0 && body / 4 == cells, both = body % 8 == 0 && body / 8 == cells;
  const bool nearest = header.columns != 0 && (ids_only || both);
  if (is_range_form(file, header) && (!nearest || is_likelier_range_form(file, header)))
    return {ResultKind::Range,
            header.rows,
            0,
            header.columns,
            file.size() != BinHeader::kBytes + 4 * std::uint64_t{header.rows} + 4 * std::uint64_t{header.columns},
            file.size()};
  if (nearest) return {ResultKind::Nearest, header.rows, header.columns, cells, !ids_only, file.size()};
  if (header.columns == 0) file.corrupt("the header says 0 ids a row");
  file.corrupt("the header says " + std::to_string(header.rows) + " rows of " + std::to_string(header.columns) +
                   " ids of 4 bytes, with distances of 4 bytes or without; " + std::to_string(body) +
                   " bytes follow it",
               "this is no ground-truth file, or it is cut");
}

SearchResults read_truth(const InputFile& file) {
  const ResultFileInfo info = inspect_truth(file);
  if (info.kind == ResultKind::Range)
    file.fail(ErrorCode::InvalidArgument,
              "the file holds range results, another number of hits for each query; the k nearest are needed",
              "search without a range");
  SearchResults results;
  results.rows = info.rows;
  results.k = info.k;
  results.ids.reserve(info.hits);
  const std::uint64_t end_of_ids = BinHeader::kBytes + 4 * info.hits;
  ValueStream<std::uint32_t> ids(file, BinHeader::kBytes, end_of_ids);
  for (std::uint64_t i = 0; i < info.hits; ++i) results.ids.push_back(widen(ids.next()));
  if (!info.distances) return results;
  results.distances.resize(info.hits);
  file.read(end_of_ids, results.distances.data(), 4 * info.hits);
  for (std::uint64_t i = 0; i < info.hits; ++i)
    if (results.ids[i] == kNoId)
      results.distances[i] = std::numeric_limits<float>::infinity();  // whatever the writer put beside a missing hit
  return results;
}

/// The file, once its suffix is known to be one of results; that it is not there comes first.
InputFile open_results(const std::filesystem::path& path) {
  InputFile file(path);
  const std::string suffix = path.extension().string();
  if (suffix != ".ivecs" && suffix != ".bin" && suffix != ".ibin")
    file.fail(ErrorCode::InvalidArgument, "the suffix '" + suffix + "' names no format of result or ground-truth files",
              "name it .ivecs, .bin or .ibin");
  return file;
}

}  // namespace

SearchResults read_results(const std::filesystem::path& path) {
  const InputFile file = open_results(path);
  return path.extension() == ".ivecs" ? read_ivecs(file) : read_truth(file);
}

ResultFileInfo inspect_results(const std::filesystem::path& path) {
  const InputFile file = open_results(path);
  if (path.extension() != ".ivecs") return inspect_truth(file);
  const SearchResults results = read_ivecs(file);
  return {ResultKind::Nearest, results.rows, results.k, results.ids.size(), false, file.size()};
}

}  // namespace diskann
