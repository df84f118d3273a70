#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "formats/microsoft.hpp"
#include "formats/microsoft_files.hpp"
#include "formats/rows_reader.hpp"
#include "formats/tags.hpp"
#include "io/container.hpp"
#include "io/file_system.hpp"

namespace diskann::formats {

namespace {

constexpr std::array<VectorType, 3> kTypes = {VectorType::F32, VectorType::I8, VectorType::U8};
constexpr std::array<Distance, 3> kMetrics = {Distance::L2, Distance::InnerProduct, Distance::Cosine};

bool exists(const std::filesystem::path& prefix, const char* suffix) {
  return io::file_system().exists(set_file(prefix, suffix));
}

/// The files that every set has, open, their headers checked against each other and against what the caller says.
struct OpenSet {
  InputFile data, graph;
  BinHeader shape;
  GraphHeader header;
  VectorType type;
  Distance metric;
  std::uint64_t points() const noexcept { return shape.rows - header.frozen_points; }
};

template <class Value>
void check_agreement(const InputFile& file, const std::optional<Value>& asked, Value found) {
  if (asked && *asked != found)
    file.fail(ErrorCode::InvalidArgument, "the set is " + std::string(to_string(found)) + ", not " +
                                              std::string(to_string(*asked)) + " as asked for");
}

OpenSet open_set(const std::filesystem::path& prefix, std::optional<Distance> metric, std::optional<VectorType> type) {
  InputFile data(set_file(prefix, ".data")), graph(prefix);
  const BinHeader shape = read_bin_header(data);
  check_dimension(data, shape.columns);
  const GraphHeader header = read_graph_header(graph, shape.rows);
  if (shape.rows > base::kMaxSlots)
    data.fail(ErrorCode::Unsupported,
              std::to_string(shape.rows) + " points; the limit is " + std::to_string(base::kMaxSlots));
  if (exists(prefix, "_metadata.bin")) {
    const InputFile file(set_file(prefix, "_metadata.bin"));
    const SetMetadata metadata = read_metadata(file);
    check_agreement(file, metric, metadata.metric);
    check_agreement(file, type, metadata.type);
    const std::uint64_t points = shape.rows - header.frozen_points;
    if (metadata.points != points || metadata.dimension != shape.columns)
      file.corrupt("the metadata says " + std::to_string(metadata.points) + " points of dimension " +
                       std::to_string(metadata.dimension) + "; the set has " + std::to_string(points) + " of " +
                       std::to_string(shape.columns),
                   "the file may be left from an older set");
    metric = metadata.metric;
    type = metadata.type;
  }
  type = bin_type(data, shape, type);
  check_bin_size(data, shape, size_of(*type));
  if (!metric || *metric == Distance::Custom)
    graph.fail(ErrorCode::InvalidArgument, "the metric of the set cannot be told from its files",
               "give the metric: -m l2, cosine or ip");
  return {std::move(data), std::move(graph), shape, header, *type, *metric};
}

/// Checks f32 or f16 rows: NaN and infinity are refused, but for rows all of NaN, which is how their cosine sets hold
/// a zero vector (they divide by its norm).
template <class T>
void check_rows(const InputFile& file, base::RowStore& rows, std::uint64_t first, std::uint64_t count, bool cosine) {
  const std::size_t dimension = rows.view().dimension;
  for (std::uint64_t i = first; i < first + count; ++i) {
    auto* row = reinterpret_cast<T*>(rows.row(i));  // rows are aligned
    const auto is_nan = [](T value) { return std::isnan(static_cast<float>(value)); };
    const auto is_finite = [](T value) { return std::isfinite(static_cast<float>(value)); };
    const T* bad = std::find_if_not(row, row + dimension, is_finite);
    if (bad == row + dimension) continue;
    if (cosine && std::all_of(row, row + dimension, is_nan))
      std::fill(row, row + dimension, T(0.0f));
    else
      file.corrupt("row " + std::to_string(i) + ", column " + std::to_string(bad - row) + " is NaN or infinite");
  }
}

base::RowStore read_rows(const OpenSet& set) {
  base::RowStore rows(set.type, set.shape.rows, set.shape.columns);
  const std::size_t row_bytes = set.shape.columns * size_of(set.type);
  const std::uint64_t block = block_rows(row_bytes);
  for (std::uint64_t first = 0; first < set.shape.rows; first += block) {
    const std::uint64_t count = std::min<std::uint64_t>(block, set.shape.rows - first);
    read_plain_rows(set.data, BinHeader::kBytes + first * row_bytes, row_bytes, count, rows.row(first),
                    rows.view().stride);
    const bool cosine = set.metric == Distance::Cosine;
    if (set.type == VectorType::F32) check_rows<float>(set.data, rows, first, count, cosine);
    if (set.type == VectorType::F16) check_rows<float16>(set.data, rows, first, count, cosine);
  }
  return rows;
}

/// True where every row has length 1 or 0, as their f32 cosine sets do.
bool unit_rows(const base::RowsView& rows) {
  for (std::size_t i = 0; i < rows.rows; ++i) {
    const auto* row = reinterpret_cast<const float*>(rows.row(i));
    double squared = 0;
    for (std::size_t j = 0; j < rows.dimension; ++j) squared += double{row[j]} * double{row[j]};
    if (squared != 0 && std::abs(squared - 1) > 1e-3) return false;
  }
  return true;
}

/// Locations that are listed as deleted.
void hide_deleted(const InputFile& file, std::uint64_t points, std::vector<bool>& hidden) {
  const BinHeader header = read_bin_header(file);
  if (header.columns != 1)
    file.corrupt("a delete list takes one column; the header says " + std::to_string(header.columns));
  check_bin_size(file, header, 4);
  ValueStream<std::uint32_t> locations(file, BinHeader::kBytes, file.size());
  for (std::uint32_t i = 0; i < header.rows; ++i) {
    const std::uint32_t location = locations.next();
    if (location >= points)
      file.corrupt("entry " + std::to_string(i) + " is location " + std::to_string(location) + " of " +
                   std::to_string(points));
    if (hidden[location]) file.corrupt("location " + std::to_string(location) + " stands twice");
    hidden[location] = true;
  }
}

/// Tags of the points; those of frozen points are zeros without meaning. Two visible points cannot share a tag.
std::vector<std::uint64_t> read_point_tags(const InputFile& file, const OpenSet& set, const std::vector<bool>& hidden) {
  std::vector<std::uint64_t> tags = read_tags(file);
  if (tags.size() != set.shape.rows)
    file.corrupt(std::to_string(tags.size()) + " tags for " + std::to_string(set.shape.rows) + " rows of data");
  tags.resize(set.points());
  std::vector<std::uint64_t> visible;
  visible.reserve(tags.size());
  for (std::size_t i = 0; i < tags.size(); ++i)
    if (hidden.empty() || !hidden[i]) visible.push_back(tags[i]);
  std::sort(visible.begin(), visible.end());
  const auto twice = std::adjacent_find(visible.begin(), visible.end());
  if (twice != visible.end()) file.corrupt("tag " + std::to_string(*twice) + " stands twice");
  return tags;
}

}  // namespace

SetMetadata read_metadata(const InputFile& file) {
  if (file.size() != SetMetadata::kBytes)
    file.corrupt("the metadata has " + std::to_string(file.size()) + " bytes; 32 are expected");
  const auto fields = file.value<std::array<std::uint64_t, 4>>(0, "the metadata");
  if (fields[0] >= kTypes.size() || fields[1] >= kMetrics.size())
    file.corrupt("type " + std::to_string(fields[0]) + " or metric " + std::to_string(fields[1]) +
                 " in the metadata is not known; both are 0 to 2");
  return {kTypes[fields[0]], kMetrics[fields[1]], fields[2], fields[3]};
}

std::array<std::uint64_t, 2> metadata_codes(VectorType type, Distance metric) {
  const auto place = [](const auto& list, auto value) {
    return static_cast<std::uint64_t>(std::find(list.begin(), list.end(), value) - list.begin());
  };
  return {place(kTypes, type), place(kMetrics, metric)};
}

bool is_microsoft_memory_set(const std::filesystem::path& prefix) {
  // An index of ours may stand beside vectors of that name.
  return exists(prefix, "") && exists(prefix, ".data") && !io::is_container(prefix);
}

std::optional<std::filesystem::path> microsoft_disk_index(const std::filesystem::path& named) {
  constexpr std::string_view kSuffix = "_disk.index";
  constexpr std::string_view kParts[] = {"_disk.index",
                                         "_disk.index_pq_pivots.bin",
                                         "_disk.index_centroids.bin",
                                         "_disk.index_medoids.bin",
                                         "_disk.index_max_base_norm.bin",
                                         "_pq_compressed.bin",
                                         "_pq_pivots.bin"};
  if (!exists(named, "")) {
    const std::filesystem::path index = set_file(named, kSuffix.data());
    if (exists(index, "") && !io::is_container(index)) return index;
    return std::nullopt;
  }
  const std::string name = named.filename().string();
  for (const std::string_view part : kParts) {
    if (!name.ends_with(part)) continue;
    const std::filesystem::path index = named.parent_path() / name.substr(0, name.size() - part.size()).append(kSuffix);
    if (exists(index, "") && !io::is_container(index)) return index;
  }
  return std::nullopt;
}

MicrosoftMemorySet read_microsoft_memory_set(const std::filesystem::path& prefix, std::optional<Distance> metric,
                                             std::optional<VectorType> type) {
  const OpenSet open = open_set(prefix, metric, type);
  MicrosoftMemorySet set;
  set.metric = open.metric;
  set.start = open.header.start;
  set.frozen_points = open.header.frozen_points;
  const bool deletes = exists(prefix, ".del");
  if (deletes || set.frozen_points != 0) {
    set.hidden.assign(open.shape.rows, false);
    std::fill(set.hidden.begin() + static_cast<std::ptrdiff_t>(open.points()), set.hidden.end(), true);
  }
  if (deletes) hide_deleted(InputFile(set_file(prefix, ".del")), open.points(), set.hidden);
  if (exists(prefix, ".tags"))
    set.ids = read_point_tags(InputFile(set_file(prefix, ".tags")), open, set.hidden);
  else if (set.frozen_points != 0)
    open.graph.corrupt("the set has frozen points, as dynamic ones do, but no .tags file beside it",
                       "its ids are in that file: copy it as well");
  set.graph = read_graph(open.graph, open.header, open.shape.rows, set.max_degree);
  set.vectors = read_rows(open);
  set.normalized = open.metric == Distance::Cosine && open.type == VectorType::F32 && unit_rows(set.vectors);
  return set;
}

MicrosoftMemorySetInfo inspect_microsoft_memory_set(const std::filesystem::path& prefix, std::optional<Distance> metric,
                                                    std::optional<VectorType> type) {
  const OpenSet open = open_set(prefix, metric, type);
  MicrosoftMemorySetInfo info;
  info.metric = open.metric;
  info.type = open.type;
  info.points = open.points();
  info.frozen_points = open.header.frozen_points;
  info.dimension = open.shape.columns;
  info.bytes = open.data.size() + open.graph.size();
  info.max_degree = open.header.max_observed_degree;
  info.has_tags = exists(prefix, ".tags");
  if (exists(prefix, ".del")) {
    std::vector<bool> hidden(open.points());
    hide_deleted(InputFile(set_file(prefix, ".del")), open.points(), hidden);
    info.deleted = static_cast<std::uint64_t>(std::count(hidden.begin(), hidden.end(), true));
  }
  return info;
}

}  // namespace diskann::formats
