#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/threads.hpp"
#include "formats/microsoft_disk.hpp"
#include "formats/microsoft_files.hpp"
#include "formats/set_writer.hpp"

namespace diskann::formats {
namespace {

constexpr std::uint64_t kBlock = 4096;
constexpr std::size_t kMostSampled = 10'000;

// Files of an older set that change what the new one means, or what their tools make of it.
constexpr std::array kOptionalFiles = {
    "_disk.index_pq_pivots.bin",       "_disk.index_pq_compressed.bin", "_disk.index_medoids.bin",
    "_disk.index_centroids.bin",       "_disk.index_max_base_norm.bin", "_pq_pivots.bin_rotation_matrix.bin",
    "_disk.index_labels.txt",          "_disk.index_labels_map.txt",    "_disk.index_labels_to_medoids.txt",
    "_disk.index_universal_label.txt", "_disk.index_dummy_map.txt"};
constexpr std::array kFiles = {"_pq_compressed.bin", "_pq_pivots.bin",  "_metadata.bin",
                               "_sample_data.bin",   "_sample_ids.bin", "_disk.index"};

void put_shape(OutputFile& file, std::uint64_t rows, std::uint64_t columns) {
  file.put_value(static_cast<std::uint32_t>(rows));
  file.put_value(static_cast<std::uint32_t>(columns));
}
void put_zeros(OutputFile& file, std::uint64_t count) {
  const std::vector<std::byte> zeros(count);
  file.put(zeros.data(), zeros.size());
}
template <class T>
void put_all(OutputFile& file, const std::vector<T>& values) {
  file.put(values.data(), values.size() * sizeof(T));
}

void put_pivots(OutputFile& file, const MicrosoftPivots& pivots) {
  const std::uint64_t values = kBlock + BinHeader::kBytes + pivots.values.size() * sizeof(float);
  const std::uint64_t chunks = values + BinHeader::kBytes + pivots.mean.size() * sizeof(float);
  const std::uint64_t end = chunks + BinHeader::kBytes + pivots.starts.size() * sizeof(std::uint32_t);
  put_shape(file, 4, 1);
  for (const std::uint64_t offset : {kBlock, values, chunks, end}) file.put_value(offset);
  put_zeros(file, kBlock - BinHeader::kBytes - 4 * sizeof(std::uint64_t));
  put_shape(file, pivots.values.size() / pivots.dimension, pivots.dimension);
  put_all(file, pivots.values);
  put_shape(file, pivots.mean.size(), 1);
  put_all(file, pivots.mean);
  put_shape(file, pivots.starts.size(), 1);
  put_all(file, pivots.starts);
}

/// Header and nodes: records as many as a block holds, or each in as many blocks as it takes.
void put_nodes(OutputFile& file, const MicrosoftDiskSource& source, const Execution& execution,
               base::ProgressMeter& progress) {
  const base::RowsView& rows = source.rows;
  std::uint32_t most = 1;  // readers want room for one
  for (std::size_t i = 0; i < rows.rows; ++i) most = std::max(most, source.graph->degree(static_cast<base::Slot>(i)));
  const std::uint64_t row_bytes = rows.dimension * size_of(rows.type);
  const std::uint64_t record = row_bytes + 4 * (std::uint64_t{most} + 1), in_block = kBlock / record;
  const std::uint64_t blocks =
      in_block > 0 ? (rows.rows + in_block - 1) / in_block : rows.rows * ((record + kBlock - 1) / kBlock);
  put_shape(file, 9, 1);
  const std::uint64_t fields[] = {rows.rows, rows.dimension,       source.start, record, in_block, 0, 0,
                                  0,         kBlock * (1 + blocks)};
  for (const std::uint64_t field : fields) file.put_value(field);
  put_zeros(file, kBlock - BinHeader::kBytes - sizeof fields);
  std::uint64_t left = kBlock;  // of the block, or of the blocks of a node
  for (std::size_t i = 0; i < rows.rows; ++i) {
    if (i % 4096 == 0) base::check_cancelled(execution.cancel);
    const std::span<const base::Slot> neighbors = source.graph->neighbors(static_cast<base::Slot>(i));
    file.put(rows.row(i), row_bytes);
    file.put_value(static_cast<std::uint32_t>(neighbors.size()));
    file.put(neighbors.data(), neighbors.size_bytes());
    put_zeros(file, 4 * (most - neighbors.size()));
    progress.add(1);
    if (in_block == 0) {
      put_zeros(file, (kBlock - record % kBlock) % kBlock);
    } else {
      left -= record;
      if ((i + 1) % in_block != 0 && i + 1 != rows.rows) continue;
      put_zeros(file, left);
      left = kBlock;
    }
  }
}

/// Rows from everywhere, by which their readers choose what to keep in memory.
std::vector<std::uint32_t> sampled(std::size_t rows) {
  const std::size_t count = std::min((rows + 9) / 10, kMostSampled);
  std::vector<std::uint32_t> chosen;
  for (std::size_t i = 0; i < count; ++i) chosen.push_back(static_cast<std::uint32_t>(i * rows / count));
  return chosen;
}

}  // namespace

void write_microsoft_disk_set(const std::filesystem::path& prefix, const MicrosoftDiskSource& source, bool overwrite,
                              const Execution& execution) {
  SetWriter writer(prefix, kFiles, kOptionalFiles, overwrite);
  const base::RowsView& rows = source.rows;
  base::ProgressMeter progress(execution, "write index", rows.rows);
  writer.stage("_pq_pivots.bin", [&](OutputFile& file) { put_pivots(file, *source.pivots); });
  writer.stage("_pq_compressed.bin", [&](OutputFile& file) {
    put_shape(file, source.codes.rows, source.codes.dimension);
    for (std::size_t i = 0; i < source.codes.rows; ++i) file.put(source.codes.row(i), source.codes.dimension);
  });
  writer.stage("_metadata.bin", [&](OutputFile& file) {
    for (const std::uint64_t code : metadata_codes(rows.type, source.metric)) file.put_value(code);
    file.put_value(std::uint64_t{rows.rows});
    file.put_value(std::uint64_t{source.dimension});
  });
  const std::vector<std::uint32_t> sample = sampled(rows.rows);
  writer.stage("_sample_data.bin", [&](OutputFile& file) {
    put_shape(file, sample.size(), rows.dimension);
    for (const std::uint32_t i : sample) file.put(rows.row(i), rows.dimension * size_of(rows.type));
  });
  writer.stage("_sample_ids.bin", [&](OutputFile& file) {
    put_shape(file, sample.size(), 1);
    put_all(file, sample);
  });
  if (source.metric == Distance::InnerProduct) {
    writer.stage("_disk.index_max_base_norm.bin", [&](OutputFile& file) {
      put_shape(file, 1, 1);
      file.put_value(source.longest);
    });
  }
  // The nodes are the key: without them the prefix names no set.
  writer.stage("_disk.index", [&](OutputFile& file) { put_nodes(file, source, execution, progress); });
  writer.commit(execution);
}

}  // namespace diskann::formats
