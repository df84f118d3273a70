#include "formats/microsoft_disk.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>

#include "base/checked.hpp"
#include "base/threads.hpp"
#include "formats/bin_file.hpp"
#include "formats/microsoft_files.hpp"
#include "formats/rows_reader.hpp"
#include "io/file_system.hpp"

namespace diskann::formats {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::uint32_t kCentroids = 256;
constexpr std::size_t kMostChunks = 512, kMostDegree = 2048;

std::filesystem::path beside(const std::filesystem::path& index, const char* suffix) {
  std::string name = index.filename().string();
  name.resize(name.size() - std::string_view("_disk.index").size());
  return index.parent_path() / (name + suffix);
}

std::filesystem::path with(std::filesystem::path index, const char* suffix) { return index += suffix; }

bool is_there(const std::filesystem::path& path) { return io::file_system().exists(path); }

/// A matrix with a header of its own, at an offset; it must have this shape.
template <class T>
std::vector<T> read_part(const InputFile& file, std::uint64_t offset, std::uint64_t rows, std::uint64_t columns,
                         const char* what) {
  const auto found_rows = file.value<std::uint32_t>(offset, what);
  const auto found_columns = file.value<std::uint32_t>(offset + 4, what);
  if (found_rows != rows || found_columns != columns) {
    file.corrupt(std::string(what) + " are " + std::to_string(found_rows) + " x " + std::to_string(found_columns) +
                 ", expected " + std::to_string(rows) + " x " + std::to_string(columns));
  }
  const std::uint64_t bytes = base::checked_multiply(base::checked_multiply(rows, columns, what), sizeof(T), what);
  if (bytes > file.size() || offset + BinHeader::kBytes > file.size() - bytes)
    file.corrupt(std::string(what) + " at offset " + std::to_string(offset) + " lie beyond the end of the file");
  std::vector<T> values(rows * columns);
  file.read(offset + BinHeader::kBytes, values.data(), bytes);
  return values;
}

void check_numbers(const InputFile& file, const std::vector<float>& values, const char* what) {
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    file.corrupt(std::string(what) + " hold NaN or infinity");
}

MicrosoftPivots read_pivots(const std::filesystem::path& path) {
  const InputFile file(path);
  const BinHeader header = read_bin_header(file);
  if ((header.rows != 4 && header.rows != 5) || header.columns != 1)
    file.corrupt("a file of pivots begins with 4 or 5 offsets, this one with " + std::to_string(header.rows) + " x " +
                 std::to_string(header.columns) + " numbers");
  std::vector<std::uint64_t> offsets;
  for (std::uint32_t i = 0; i < header.rows; ++i)
    offsets.push_back(file.value<std::uint64_t>(BinHeader::kBytes + 8 * i, "an offset"));
  if (offsets.front() != kBlock || !std::is_sorted(offsets.begin(), offsets.end()) || offsets.back() != file.size())
    file.corrupt("its parts do not stand at 4096 and behind, up to the end of the file");
  MicrosoftPivots pivots;
  const auto dimension = file.value<std::uint32_t>(kBlock + 4, "the pivots");
  check_dimension(file, dimension);
  if (dimension > base::kMaxDimension + 1)  // one is added by inner product
    file.fail(ErrorCode::Unsupported,
              std::to_string(dimension) + " components; the limit is " + std::to_string(base::kMaxDimension));
  pivots.dimension = dimension;
  pivots.values = read_part<float>(file, kBlock, kCentroids, dimension, "the pivots");
  pivots.mean = read_part<float>(file, offsets[1], dimension, 1, "the means");
  const std::uint64_t table = offsets[header.rows - 2];  // in the old form an order of components stands before it
  const auto entries = file.value<std::uint32_t>(table, "the chunks");
  if (entries < 2 || entries > kMostChunks + 1 || entries > dimension + 1)
    file.corrupt(std::to_string(entries) + " offsets of chunks for " + std::to_string(dimension) + " components");
  pivots.starts = read_part<std::uint32_t>(file, table, entries, 1, "the chunks");
  if (pivots.starts.front() != 0 || pivots.starts.back() != dimension ||
      !std::is_sorted(pivots.starts.begin(), pivots.starts.end()))
    file.corrupt("chunks do not go from the first component to the last");
  check_numbers(file, pivots.values, "the pivots");
  check_numbers(file, pivots.mean, "the means");
  const std::filesystem::path rotation = with(path, "_rotation_matrix.bin");
  if (is_there(rotation)) {
    const InputFile turned(rotation);
    pivots.rotation = read_part<float>(turned, 0, dimension, dimension, "the rotation");
    check_numbers(turned, pivots.rotation, "the rotation");
  }
  return pivots;
}

/// The numbers of the first block.
struct DiskHeader {
  std::uint64_t nodes, coordinates, medoid, node_bytes, in_block, frozen, frozen_at, has_vectors;
  std::uint64_t vectors_at = 0, vector_dimension = 0, vectors_in_block = 0, file_bytes = 0;
};

DiskHeader read_header(const InputFile& file) {
  const BinHeader shape = read_bin_header(file);
  if ((shape.rows != 9 && shape.rows != 12) || shape.columns != 1) {
    file.corrupt("the index begins with " + std::to_string(shape.rows) + " x " + std::to_string(shape.columns) +
                     " numbers, expected 9 or 12",
                 "it is no disk index of Microsoft's");
  }
  std::array<std::uint64_t, 12> fields{};
  for (std::uint32_t i = 0; i < shape.rows; ++i)
    fields[i] = file.value<std::uint64_t>(BinHeader::kBytes + 8 * i, "a number of the header");
  DiskHeader header{fields[0], fields[1], fields[2], fields[3], fields[4], fields[5], fields[6], fields[7]};
  if (shape.rows == 12) {
    header.vectors_at = fields[8];
    header.vector_dimension = fields[9];
    header.vectors_in_block = fields[10];
    header.file_bytes = fields[11];
  } else {
    header.file_bytes = fields[8];
  }
  if (header.nodes == 0 || header.nodes > base::kMaxSlots)
    file.fail(header.nodes == 0 ? ErrorCode::Corrupt : ErrorCode::Unsupported,
              std::to_string(header.nodes) + " points; there may be 1 to " + std::to_string(base::kMaxSlots));
  if (header.has_vectors != (shape.rows == 12 ? 1u : 0u))
    file.corrupt("the header has " + std::to_string(shape.rows) + " numbers and says " +
                 std::to_string(header.has_vectors) + " where 1 stands for vectors behind the nodes");
  if (header.medoid >= header.nodes)
    file.corrupt("the medoid is node " + std::to_string(header.medoid) + " of " + std::to_string(header.nodes));
  if (header.frozen > 1 || header.frozen_at != (header.frozen == 1 ? header.medoid : 0))
    file.corrupt(std::to_string(header.frozen) + " frozen points at node " + std::to_string(header.frozen_at));
  return header;
}

/// Blocks that so many records take, some of which stand in each or each in some.
std::uint64_t blocks_of(std::uint64_t records, std::uint64_t record_bytes) {
  const std::uint64_t in_block = kBlock / record_bytes;
  return in_block > 0 ? (records + in_block - 1) / in_block
                      : base::checked_multiply(records, (record_bytes + kBlock - 1) / kBlock, "the nodes");
}

/// Of records as the header has them; what the file must be, it is.
void check_layout(const InputFile& file, const DiskHeader& header, MicrosoftDiskSet& set) {
  const std::uint64_t most = set.coordinate_bytes + 4 * (kMostDegree + 1);
  if (header.node_bytes < set.coordinate_bytes + 8 || header.node_bytes > most ||
      (header.node_bytes - set.coordinate_bytes) % 4 != 0) {
    file.corrupt("records of " + std::to_string(header.node_bytes) + " bytes have no room for " +
                     std::to_string(set.coordinate_bytes) + " bytes of coordinates and a list of neighbours",
                 "give the type of the vectors, if it is another one: --dtype");
  }
  set.max_degree = static_cast<std::uint32_t>((header.node_bytes - set.coordinate_bytes) / 4 - 1);
  if (header.in_block != kBlock / header.node_bytes)
    file.corrupt(std::to_string(header.in_block) + " records of " + std::to_string(header.node_bytes) +
                 " bytes in a block of 4096");
  std::uint64_t blocks = 1 + blocks_of(header.nodes, header.node_bytes);
  if (header.has_vectors != 0) {
    const std::uint64_t components = set.pivots.dimension, bytes = 4 * components;
    if (!set.coded || header.vector_dimension != components || bytes > kBlock ||
        header.vectors_in_block != kBlock / bytes || header.vectors_at != blocks)
      file.corrupt("the vectors behind the nodes do not fit the rest");
    set.vectors_at = blocks;
    blocks += blocks_of(header.nodes, bytes);
  }
  if (header.file_bytes != file.size() || blocks != file.size() / kBlock || file.size() % kBlock != 0)
    file.corrupt("the file has " + std::to_string(file.size()) + " bytes, its header says " +
                     std::to_string(header.file_bytes) + ", its counts " + std::to_string(blocks) + " x 4096",
                 "the file is cut, or --dtype says another type than it has");
}

std::vector<base::Slot> read_medoids(const std::filesystem::path& index, const DiskHeader& header) {
  std::vector<base::Slot> found{static_cast<base::Slot>(header.medoid)};
  const std::filesystem::path path = with(index, "_medoids.bin");
  if (!is_there(path)) return found;
  const InputFile file(path);
  const BinHeader shape = read_bin_header(file);
  constexpr std::uint32_t kMost = 1024;
  if (shape.rows == 0 || shape.rows > kMost || shape.columns != 1)
    file.corrupt(std::to_string(shape.rows) + " x " + std::to_string(shape.columns) + " medoids, expected 1 to " +
                 std::to_string(kMost) + " x 1");
  for (const std::uint32_t medoid : read_part<std::uint32_t>(file, 0, shape.rows, 1, "the medoids")) {
    if (medoid >= header.nodes)
      file.corrupt("medoid " + std::to_string(medoid) + " of " + std::to_string(header.nodes) + " nodes");
    if (std::find(found.begin(), found.end(), medoid) == found.end() && found.size() < kMost) found.push_back(medoid);
  }
  return found;
}

/// A wrong type shows where lists begin: some nodes, the medoid first.
void check_some_lists(const InputFile& file, const MicrosoftDiskSet& set) {
  constexpr std::uint64_t kLooked = 64;
  const std::uint64_t record = set.coordinate_bytes + 4 * (std::uint64_t{set.max_degree} + 1),
                      in_block = kBlock / record;
  std::vector<std::uint32_t> list(set.max_degree);
  for (std::uint64_t i = 0; i <= std::min(kLooked, set.nodes); ++i) {
    const std::uint64_t node = i == 0 ? set.entry_points.front() : (i - 1) * set.nodes / std::min(kLooked, set.nodes);
    const std::uint64_t at = in_block > 0 ? (1 + node / in_block) * kBlock + node % in_block * record
                                          : (1 + node * ((record + kBlock - 1) / kBlock)) * kBlock;
    const auto degree = file.value<std::uint32_t>(at + set.coordinate_bytes, "a list of neighbours");
    const bool fits = degree <= set.max_degree;
    if (fits) file.read(at + set.coordinate_bytes + 4, list.data(), 4 * std::size_t{degree});
    if (fits && std::all_of(list.begin(), list.begin() + degree, [&](std::uint32_t to) { return to < set.nodes; }))
      continue;
    file.corrupt("the list of node " + std::to_string(node) + " is none",
                 "give the type of the vectors, if it is another one: --dtype");
  }
}

template <class Value>
void check_agreement(const InputFile& file, const std::optional<Value>& asked, Value found) {
  if (asked && *asked != found)
    file.fail(ErrorCode::InvalidArgument, "the set is " + std::string(to_string(found)) + ", not " +
                                              std::string(to_string(*asked)) + " as asked for");
}

/// By inner product: what the vectors were divided by.
float read_longest(const InputFile& file, std::size_t components) {
  const float longest = read_part<float>(file, 0, 1, 1, "the length of the longest vector").front();
  if (!(std::isfinite(longest) && longest > 0) || components < 2)
    file.corrupt("the longest vector of " + std::to_string(components) + " coordinates has the length " +
                 std::to_string(longest));
  return longest;
}

/// Metric and types of a set whose pivots are read, by what is said and what the files beside it tell.
void tell_kind(const InputFile& file, const std::optional<SetMetadata>& metadata, std::optional<Distance> metric,
               std::optional<VectorType> type, MicrosoftDiskSet& set) {
  const std::size_t components = set.pivots.dimension;
  const std::filesystem::path norm_path = with(set.index, "_max_base_norm.bin");
  const bool products = is_there(norm_path);
  if (metadata) {
    const InputFile named(beside(set.index, "_metadata.bin"));
    check_agreement(named, type, metadata->type);
    check_agreement(named, metric, metadata->metric);
    type = metadata->type;
    metric = metadata->metric;
  }
  if (products) {
    const InputFile norm(norm_path);
    if (metadata && (*metric != Distance::InnerProduct || *type != VectorType::F32))
      norm.corrupt("it is there, and the metadata says that the set is " + std::string(to_string(*metric)) + " of " +
                       std::string(to_string(*type)),
                   "a file may be left from an older set");
    check_agreement(norm, metric, Distance::InnerProduct);
    check_agreement(norm, type, VectorType::F32);
    set.longest = read_longest(norm, components);
    metric = Distance::InnerProduct;
    type = VectorType::F32;
  } else if (metric == Distance::InnerProduct) {
    file.fail(metadata ? ErrorCode::Corrupt : ErrorCode::InvalidArgument,
              "the set is not by inner product: " + norm_path.filename().string() + " would stand beside it");
  }
  if (!metric || *metric == Distance::Custom)
    file.fail(ErrorCode::InvalidArgument, "the metric of the set cannot be told from its files",
              "give the metric: -m l2 or cosine");
  if (const std::filesystem::path path = beside(set.index, "_sample_data.bin"); !type && is_there(path)) {
    const InputFile sample(path);
    const BinHeader shape = read_bin_header(sample);
    if (shape.columns != components)
      sample.corrupt("the sample has " + std::to_string(shape.columns) + " components, the set " +
                     std::to_string(components));
    type = bin_type(sample, shape, type);
  }
  if (!type)
    file.fail(ErrorCode::InvalidArgument, "the type of the vectors cannot be told from the files",
              "give the type: --dtype f32, i8 or u8");
  if (*type == VectorType::F16) file.fail(ErrorCode::InvalidArgument, "Microsoft's sets have no f16 vectors");
  if (*metric == Distance::Cosine && *type != VectorType::F32)
    file.fail(ErrorCode::InvalidArgument, "Microsoft's disk sets know cosine of f32 vectors only");
  set.metric = *metric;
  set.given = *type;
  set.type = set.coded ? VectorType::F32 : *type;
  set.dimension = components - (products ? 1 : 0);
}

}  // namespace

MicrosoftDiskSet open_microsoft_disk_set(const std::filesystem::path& index, std::optional<Distance> metric,
                                         std::optional<VectorType> type) {
  const InputFile file(index);
  const DiskHeader header = read_header(file);
  MicrosoftDiskSet set;
  set.index = index;
  set.first_block.resize(std::min<std::uint64_t>(kBlock, file.size()));
  file.read(0, set.first_block);
  set.nodes = header.nodes;
  set.coordinates = header.coordinates;
  set.pivots = read_pivots(beside(index, "_pq_pivots.bin"));
  if (const std::filesystem::path path = with(index, "_pq_pivots.bin"); is_there(path)) set.coded = read_pivots(path);
  const std::size_t components = set.coded ? set.coded->dimension : set.coordinates;
  if (set.pivots.dimension != components || (set.coded && set.coded->chunks() != set.coordinates)) {
    file.corrupt("records have " + std::to_string(set.coordinates) + " coordinates, the pivots are of " +
                     std::to_string(set.pivots.dimension) + " components",
                 "a file beside it may be left from an older set");
  }
  std::optional<SetMetadata> metadata;
  if (const std::filesystem::path path = beside(index, "_metadata.bin"); is_there(path))
    metadata = read_metadata(InputFile(path));
  tell_kind(file, metadata, metric, type, set);
  check_dimension(file, set.dimension);
  if (set.dimension > base::kMaxDimension)
    file.fail(ErrorCode::Unsupported,
              std::to_string(set.dimension) + " dimensions; the limit is " + std::to_string(base::kMaxDimension));
  if (metadata && (metadata->dimension != set.dimension || metadata->points != set.nodes - header.frozen)) {
    file.corrupt("the metadata says " + std::to_string(metadata->points) + " points of dimension " +
                     std::to_string(metadata->dimension) + "; the set has " + std::to_string(set.nodes) + " of " +
                     std::to_string(set.dimension),
                 "the file may be left from an older set");
  }
  set.coordinate_bytes = set.coded ? set.coordinates : set.coordinates * size_of(set.type);
  check_layout(file, header, set);
  set.entry_points = read_medoids(index, header);
  if (header.frozen == 1) set.frozen = static_cast<base::Slot>(header.frozen_at);
  check_some_lists(file, set);
  return set;
}

base::RowStore read_microsoft_codes(const MicrosoftDiskSet& set, const Execution& execution) {
  const InputFile file(beside(set.index, "_pq_compressed.bin"));
  const BinHeader shape = read_bin_header(file);
  if (shape.rows != set.nodes || shape.columns != set.pivots.chunks())
    file.corrupt(std::to_string(shape.rows) + " codes of " + std::to_string(shape.columns) + " bytes for " +
                 std::to_string(set.nodes) + " points and " + std::to_string(set.pivots.chunks()) + " chunks");
  check_bin_size(file, shape, 1);
  base::RowStore codes = base::RowStore::packed(shape.rows, shape.columns);
  base::ProgressMeter progress(execution, "read index", shape.rows);
  const std::uint64_t part = block_rows(shape.columns);
  for (std::uint64_t row = 0; row < shape.rows; row += part) {
    base::check_cancelled(execution.cancel);
    const std::uint64_t count = std::min<std::uint64_t>(part, shape.rows - row);
    file.read(BinHeader::kBytes + row * shape.columns, codes.row(row), count * shape.columns);
    progress.add(count);
  }
  return codes;
}

}  // namespace diskann::formats
