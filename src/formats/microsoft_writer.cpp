#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "formats/microsoft.hpp"
#include "formats/microsoft_files.hpp"
#include "formats/output_file.hpp"

namespace diskann::formats {

namespace {

constexpr std::uint64_t kMaxBinCount = 0x7FFFFFFF;  // their readers take the counts as signed

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

/// Files that are written whole under other names first and then put in place together.
class StagedFiles {
 public:
  ~StagedFiles() {
    for (const auto& file : files_) {
      try {
        if (io::file_system().exists(file.staged)) io::file_system().remove(file.staged);
      } catch (const Error&) {  // the error that led here matters more
      }
    }
  }
  template <class Write>
  void add(const std::filesystem::path& path, const Write& write) {
    files_.push_back({path, io::temporary_name(path)});
    OutputFile file(files_.back().staged, true, path);
    write(file);
    file.commit();
  }
  /// In the order they were added; the last one only when the others are in place for good.
  void put_in_place(const std::filesystem::path& directory) {
    io::FileSystem& files = io::file_system();
    for (const auto& file : files_) {
      if (&file == &files_.back()) files.sync_directory(directory);
      files.rename(file.staged, file.path);
    }
    files.sync_directory(directory);
    files_.clear();
  }

 private:
  struct File {
    std::filesystem::path path, staged;
  };
  std::vector<File> files_;
};

/// Unit length, as their f32 cosine sets are; a zero vector stays one (theirs becomes NaN).
void put_normalized(OutputFile& file, const float* row, std::size_t dimension) {
  double squared = 0;
  for (std::size_t j = 0; j < dimension; ++j) squared += double{row[j]} * double{row[j]};
  const double scale = squared == 0 ? 0 : 1 / std::sqrt(squared);
  for (std::size_t j = 0; j < dimension; ++j) file.put_value(static_cast<float>(double{row[j]} * scale));
}

void put_data(OutputFile& file, const base::RowsView& vectors, bool normalize) {
  file.put_value(static_cast<std::uint32_t>(vectors.rows));
  file.put_value(static_cast<std::uint32_t>(vectors.dimension));
  for (std::size_t i = 0; i < vectors.rows; ++i) {
    if (normalize)
      put_normalized(file, reinterpret_cast<const float*>(vectors.row(i)), vectors.dimension);
    else
      file.put(vectors.row(i), vectors.dimension * size_of(vectors.type));
  }
}

void put_graph(OutputFile& file, const base::Adjacency& graph, base::Slot start) {
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
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const auto neighbors = graph.neighbors(static_cast<base::Slot>(i));
    file.put_value(static_cast<std::uint32_t>(neighbors.size()));
    file.put(neighbors.data(), neighbors.size_bytes());
  }
}

/// Files of an older set that must go. Throws AlreadyExists where there is a set and it may not be replaced.
std::vector<std::filesystem::path> stale_files(const std::filesystem::path& prefix, bool overwrite) {
  std::vector<std::filesystem::path> stale;
  const auto look = [&](const char* suffix) {
    if (io::file_system().exists(set_file(prefix, suffix))) stale.push_back(set_file(prefix, suffix));
  };
  for (const char* suffix : kOptionalFiles) look(suffix);
  if (overwrite) return stale;
  for (const char* suffix : {"", ".data", "_metadata.bin"}) look(suffix);
  if (!stale.empty())
    refuse(ErrorCode::AlreadyExists, stale.front(), "a file of this set exists already", "--force overwrites it");
  return stale;
}

}  // namespace

void write_microsoft_memory_set(const std::filesystem::path& prefix, const base::RowsView& vectors,
                                const base::Adjacency& graph, base::Slot start, Distance metric, bool overwrite) {
  check_writable(prefix, vectors, graph, start, metric);
  stale_files(prefix, overwrite);  // refused before the work
  StagedFiles staged;
  staged.add(set_file(prefix, ".data"), [&](OutputFile& file) {
    put_data(file, vectors, metric == Distance::Cosine && vectors.type == VectorType::F32);
  });
  staged.add(set_file(prefix, "_metadata.bin"), [&](OutputFile& file) {
    for (const std::uint64_t code : metadata_codes(vectors.type, metric)) file.put_value(code);
    file.put_value(std::uint64_t{vectors.rows});
    file.put_value(std::uint64_t{vectors.dimension});
  });
  staged.add(prefix, [&](OutputFile& file) { put_graph(file, graph, start); });

  // Two processes may write the same set: the later one replaces that of the other whole.
  io::FileSystem& files = io::file_system();
  const std::filesystem::path directory = prefix.has_parent_path() ? prefix.parent_path() : ".";
  const std::shared_ptr<const void> lock = files.lock_directory(directory);
  const std::vector<std::filesystem::path> stale = stale_files(prefix, overwrite);

  // Without its graph the prefix names no set, so whoever opens it while it changes finds nothing rather than the new
  // vectors under the old graph.
  if (files.exists(prefix)) {
    files.remove(prefix);
    files.sync_directory(directory);
  }
  for (const auto& path : stale) files.remove(path);
  staged.put_in_place(directory);
}

}  // namespace diskann::formats
