#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diskann/index.hpp"

namespace diskann {

/// How pages are read from a drive.
enum class DiskIo : std::uint8_t {
  Auto,     ///< io_uring where it works, else threads
  Uring,    ///< Linux's io_uring
  Threads,  ///< a thread for each read under way, up to 64
  Mapped,   ///< the file in memory: reads go through the system's cache, and hold the search up
};
DISKANN_EXPORT std::string_view to_string(DiskIo io) noexcept;
/// "auto", "io_uring", "threads" or "mapped"; InvalidArgument for anything else.
DISKANN_EXPORT DiskIo parse_disk_io(std::string_view name);

/// A drive whose reads take so long to land, and of which so many begin in a second at most; what they bring comes from
/// the file in memory. For measurements that do not depend on the drive of a machine.
struct SimulatedDrive {
  double latency_us = 80;         ///< 0 to a million
  double reads_per_second = 1e6;  ///< 1 to 10^9
};

/// How an index on a drive is opened.
struct DiskOpenOptions {
  DiskIo io = DiskIo::Auto;
  bool direct = true;  ///< past the system's cache, where the file system can
  /// For the edges of nodes that searches go through most often; an eighth of what the codes take where nothing is
  /// said. Files name an eighth of the nodes so, 4,096 at least: more than those it never holds. Of Microsoft's sets
  /// those around the entry points.
  std::optional<std::uint64_t> cache_bytes = {};
  std::optional<SimulatedDrive> simulated = {};
  /// Microsoft's sets do not name them; ignored for our own files.
  std::optional<Distance> metric = {};
  std::optional<VectorType> type = {};
  Execution execution;  ///< progress and cancel of the reading of codes
};

/// How it is built.
struct DiskConfig {
  std::size_t dimension = 0;  ///< that the vectors must have; 0: any
  Distance metric = Distance::L2;
  std::uint32_t max_degree = 64;
  std::uint32_t search_list_size = 100;
  std::optional<float> alpha = {};   ///< 1.5 where nothing is said, by inner product 2
  std::uint32_t num_chunks = 0;      ///< of the codes in memory; 0: 2 bits a component
  std::uint32_t bits_per_chunk = 8;  ///< or 4
  /// Nodes, an eighth of all at most, whose edges are kept in memory by the index that building returns;
  /// DiskOpenOptions::cache_bytes says so for others. 0: as many as fit an eighth of what the codes take.
  std::uint64_t search_cache_size = 0;
  std::uint32_t page_bytes = 0;  ///< as of BuildParameters
  bool reorder_data = true;      ///< puts nodes that have edges between them into the same page: a fifth fewer reads
};
/// The name of Microsoft's library.
using PQFlashConfig = DiskConfig;

/// How it is searched.
struct DiskSearchParameters {
  std::uint32_t search_list_size = 100;  ///< L, candidate list; k is used where it is larger
  /// Reads of a query under way at most, up to 64; 0: of a single query as many as prove useful while it walks, up to
  /// 32, and 4 in a batch, then all that it compares candidates with.
  std::uint32_t beam_width = 0;
  /// A walk goes on, and candidates are compared with rows, as long as the next ones could be nearer if they were off
  /// by so many spreads of what codes are off by: fewer take fewer reads, and find less. 0 to 100. With a beam_width of
  /// 1 walks go on to the end of the list, as in memory, and so they do by inner product where nobody measured what
  /// else is lost, as of Microsoft's sets.
  float spreads = 3.5f;
  /// Takes the list size and the spreads that DiskIndex::parameters_for() gives in place of those above.
  std::optional<float> target_recall = {};
};

/// What searches did; summed over the queries of a batch.
struct DiskStatistics {
  SearchStatistics walk;
  std::uint64_t reads = 0;  ///< sent to the drive
  std::uint64_t bytes = 0;  ///< of those
  std::uint64_t waits = 0;  ///< times that a search had nothing to do before one landed
};

/// A Vamana graph whose edges and vectors stay on a drive, while codes in memory say where to go (DiskANN, Subramanya
/// et al., NeurIPS 2019; pipelined as in PipeANN, Guo and Lu, OSDI 2025). Distances of hits are exact. Immutable; const
/// calls are safe from any number of threads.
class DISKANN_EXPORT DiskIndex {
 public:
  DiskIndex(DiskIndex&&) noexcept;
  DiskIndex& operator=(DiskIndex&&) noexcept;
  ~DiskIndex();

  /// Opens an index file, or Microsoft's set for SSDs by its prefix P or by `P_disk.index`, where it is: 256 centroids
  /// a chunk, all metrics, coordinates that are coded (distances are then what the codes say, unless vectors stand
  /// behind them), medoids. Its files have no checksums. InvalidArgument where they do not tell the metric or the type.
  static DiskIndex open(const std::filesystem::path& path, const DiskOpenOptions& options = {});

  /// Builds in memory, writes the file and opens it. Throws as IndexBuilder and Index::save; InvalidArgument for other
  /// bits than 4 and 8.
  static DiskIndex build_from_vectors(const std::filesystem::path& path, VectorView vectors,
                                      const DiskConfig& config = {}, bool overwrite = false,
                                      const Execution& execution = {});
  static DiskIndex build_from_file(const std::filesystem::path& path, const std::filesystem::path& vectors,
                                   const DiskConfig& config = {}, bool overwrite = false,
                                   const Execution& execution = {});

  /// The min(k, size()) nearest points, sorted by (distance, id). Throws as Index::search, Io for a read that fails,
  /// and Corrupt for a page that is not what was written.
  std::vector<Hit> search(VectorView query, std::size_t k, const DiskSearchParameters& parameters = {},
                          DiskStatistics* statistics = nullptr) const;
  SearchResults search_batch(VectorView queries, std::size_t k, const DiskSearchParameters& parameters = {},
                             const Execution& execution = {}, DiskStatistics* statistics = nullptr) const;

  /// The list size and the spreads that a target_recall stands for: those that were measured to find the k nearest with
  /// this recall (0 < recall <= 1) by the fewest reads or, where none did, the list of Index::list_size_for, 100 at
  /// least, and 6 spreads. Throws as that.
  DiskSearchParameters parameters_for(float recall, std::size_t k) const;

  /// As of Index.
  const Calibration& calibration() const noexcept;
  std::size_t size() const noexcept;
  std::size_t dimension() const noexcept;
  Distance metric() const noexcept;
  VectorType type() const noexcept;
  VectorType source_type() const noexcept;
  Codec codec() const noexcept;
  MemoryUsage memory_usage() const noexcept;
  /// The same in 10^6 bytes.
  double memory_usage_mb() const noexcept { return static_cast<double>(memory_usage().total()) * 1e-6; }
  /// How it reads: "io_uring, direct" and the like.
  std::string io() const;
  /// Whether rows stand apart from edges: where both would take more than 2 KiB.
  bool split() const noexcept;

  struct State;
  explicit DiskIndex(std::unique_ptr<State> state) noexcept;

 private:
  std::unique_ptr<State> state_;
};

/// The name of Microsoft's library.
using PQFlashIndex = DiskIndex;

}  // namespace diskann
