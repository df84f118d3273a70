#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "base/threads.hpp"
#include "formats/microsoft.hpp"
#include "formats/microsoft_files.hpp"
#include "formats/set_writer.hpp"

namespace diskann::formats {

namespace {

constexpr std::uint64_t kMaxBinCount = 0x7FFFFFFF;  // their readers take the counts as signed

constexpr std::array kFiles = {"", ".data", "_metadata.bin"};
// Files of an older set that change what the new one means, or what their tools make of it.
constexpr std::array kOptionalFiles = {".tags",
                                       ".del",
                                       "_labels.txt",
                                       "_labels_map.txt",
                                       "_labels_to_medoids.txt",
                                       "_universal_label.txt",
                                       "_label_formatted.txt",
                                       "_raw_labels.txt",
                                       "_pylabels.txt",
                                       "_label_metadata.json"};

[[noreturn]] void refuse(ErrorCode code, const std::filesystem::path& prefix, const std::string& what,
                         std::string hint = {}) {
  throw Error(code, prefix.string() + ": " + what, std::move(hint));
}

void check_writable(const std::filesystem::path& prefix, const base::RowsView& vectors, const base::Adjacency& graph,
                    base::Slot start, Distance metric) {
  if (vectors.type == VectorType::F16)
    refuse(ErrorCode::Unsupported, prefix, "Microsoft's sets have no f16 vectors", "convert the vectors to f32");
  if (metric == Distance::Custom)
    refuse(ErrorCode::Unsupported, prefix, "Microsoft's sets know l2, cosine and ip only");
  if (metric == Distance::InnerProduct && vectors.type != VectorType::F32)
    refuse(ErrorCode::Unsupported, prefix, "Microsoft's sets know the inner product of f32 vectors only",
           "convert the vectors to f32");
  if (vectors.rows == 0 || vectors.rows > kMaxBinCount || vectors.dimension == 0 || vectors.rows != graph.nodes() ||
      start >= vectors.rows)
    refuse(ErrorCode::InvalidArgument, prefix,
           std::to_string(vectors.rows) + " vectors of dimension " + std::to_string(vectors.dimension) +
               " with a graph of " + std::to_string(graph.nodes()) + " nodes that starts at " + std::to_string(start) +
               " cannot be written");
}

/// Runs `body` for each row, hearing and telling how far it is.
template <class Body>
void for_rows(std::size_t rows, const Execution& execution, base::ProgressMeter& progress, const Body& body) {
  constexpr std::size_t kPart = 4096;
  for (std::size_t first = 0; first < rows; first += kPart) {
    base::check_cancelled(execution.cancel);
    const std::size_t end = std::min(rows, first + kPart);
    for (std::size_t i = first; i < end; ++i) body(i);
    progress.add(end - first);
  }
}

/// Unit length, as their f32 cosine sets are; a zero vector stays one (theirs becomes NaN).
void put_normalized(OutputFile& file, const float* row, std::size_t dimension) {
  double squared = 0;
  for (std::size_t j = 0; j < dimension; ++j) squared += double{row[j]} * double{row[j]};
  const double scale = squared == 0 ? 0 : 1 / std::sqrt(squared);
  for (std::size_t j = 0; j < dimension; ++j) file.put_value(static_cast<float>(double{row[j]} * scale));
}

void put_data(OutputFile& file, const base::RowsView& vectors, bool normalize, const Execution& execution,
              base::ProgressMeter& progress) {
  file.put_value(static_cast<std::uint32_t>(vectors.rows));
  file.put_value(static_cast<std::uint32_t>(vectors.dimension));
  for_rows(vectors.rows, execution, progress, [&](std::size_t i) {
    if (normalize)
      put_normalized(file, reinterpret_cast<const float*>(vectors.row(i)), vectors.dimension);
    else
      file.put(vectors.row(i), vectors.dimension * size_of(vectors.type));
  });
}

void put_graph(OutputFile& file, const base::Adjacency& graph, base::Slot start, const Execution& execution,
               base::ProgressMeter& progress) {
  std::uint64_t bytes = GraphHeader::kBytes;
  std::uint32_t longest = 0;
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const std::uint32_t degree = graph.degree(static_cast<base::Slot>(i));
    bytes += 4 * (std::uint64_t{degree} + 1);
    longest = std::max(longest, degree);
  }
  file.put_value(bytes);
  file.put_value(longest);
  file.put_value(start);
  file.put_value(std::uint64_t{0});  // frozen points
  for_rows(graph.nodes(), execution, progress, [&](std::size_t i) {
    const auto neighbors = graph.neighbors(static_cast<base::Slot>(i));
    file.put_value(static_cast<std::uint32_t>(neighbors.size()));
    file.put(neighbors.data(), neighbors.size_bytes());
  });
}

}  // namespace

void write_microsoft_memory_set(const std::filesystem::path& prefix, const base::RowsView& vectors,
                                const base::Adjacency& graph, base::Slot start, Distance metric, bool overwrite,
                                const Execution& execution) {
  check_writable(prefix, vectors, graph, start, metric);
  SetWriter writer(prefix, kFiles, kOptionalFiles, overwrite);
  base::ProgressMeter progress(execution, "write index", vectors.rows + graph.nodes());
  writer.stage(".data", [&](OutputFile& file) {
    const bool normalize = metric == Distance::Cosine && vectors.type == VectorType::F32;
    put_data(file, vectors, normalize, execution, progress);
  });
  writer.stage("_metadata.bin", [&](OutputFile& file) {
    for (const std::uint64_t code : metadata_codes(vectors.type, metric)) file.put_value(code);
    file.put_value(std::uint64_t{vectors.rows});
    file.put_value(std::uint64_t{vectors.dimension});
  });
  // The graph is the key: without it the prefix names no set.
  writer.stage("", [&](OutputFile& file) { put_graph(file, graph, start, execution, progress); });
  writer.commit(execution);
}

}  // namespace diskann::formats
