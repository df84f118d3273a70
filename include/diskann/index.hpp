#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "diskann/calibration.hpp"
#include "diskann/distance.hpp"
#include "diskann/types.hpp"

namespace diskann {

/// How a graph is built. Recorded in the index file.
struct BuildParameters {
  std::uint32_t max_degree = 64;         ///< R, largest number of out-neighbours: 2 to 1024
  std::uint32_t search_list_size = 100;  ///< L, candidate list of the incremental builder: 1 to 100,000
  float alpha = 1.2f;                    ///< pruning slack on distances (squared; inner products): 1 to 10
  std::uint64_t seed = 42;               ///< order of insertion
  /// What is read at once from an index on a drive: 4,096 to 65,536 bytes, a power of two. Nodes that have edges
  /// between them share pages, so that larger ones take fewer reads and bring more bytes. 0: the smallest page that
  /// eight nodes fit, up to 16,384.
  std::uint32_t page_bytes = 0;
  static constexpr std::uint32_t kLeastPageBytes = 4096, kMostPageBytes = 65'536;
};

/// How a graph is built. The graph of either is a value like any other: searched, saved and verified alike.
enum class GraphBuilder : std::uint8_t {
  Auto,  ///< Partitioned from 4,096 rows on, where the memory limit allows and the distance is not Custom; else
         ///< Incremental
  /// Dense products over overlapping partitions: several times faster; not for Distance::Custom. Where walks over its
  /// graph do not come where they should, it is built incrementally after all.
  Partitioned,
  Incremental,  ///< searches for each point in the graph of those before
};

DISKANN_EXPORT std::string_view to_string(GraphBuilder builder) noexcept;
/// "auto", "partitioned" or "incremental"; InvalidArgument for anything else.
DISKANN_EXPORT GraphBuilder parse_graph_builder(std::string_view name);

/// What a walk compares in place of the stored rows. Where there are codes, the candidates of the list are compared
/// with the rows themselves at the end, so that hits and their distances are exact; where the rows were dropped
/// (IndexBuilder::drop_vectors) they are what codes say.
enum class Codec : std::uint8_t {
  None,     ///< the rows themselves
  F16,      ///< half the bytes of f32; InvalidArgument for values beyond its range
  SQ8,      ///< 8 bits on one grid for all components: a quarter of the bytes of f32
  LVQ8,     ///< 8 bits, each row on a grid of its own between its least component and its greatest
  SQ4,      ///< 4 bits: 16 places for all components, each less its mean; of rows of any type
  Mix,      ///< the directions in which rows vary most, 64 in 7 bits and 128 in 4 (128 bytes), 128 more for each 512
            ///< dimensions from 1,024 on; up to 4,096 dimensions
  RaBitQ1,  ///< 1 bit a component, of rows that were turned at random, and a length for each row; up to 32,768
            ///< dimensions
  RaBitQ2,  ///< 2 bits, and so on
  RaBitQ3,
  RaBitQ4,
  RaBitQ5,
  RaBitQ6,
  RaBitQ7,
  RaBitQ8,
  PQ4,   ///< 2 components in 4 bits: which of 16 centroids is nearest (product quantization)
  PQ8,   ///< 4 components in 8 bits: which of 256
  Auto,  ///< the smallest by which searches are expected to be faster than by rows, as trials on the finished graph
         ///< say, or none: no index says so
};

DISKANN_EXPORT std::string_view to_string(Codec codec) noexcept;
/// "auto", "none", "f16", "sq8", "lvq8", "sq4", "mix", "rabitq1" to "rabitq8", "pq4" or "pq8"; InvalidArgument for
/// anything else.
DISKANN_EXPORT Codec parse_codec(std::string_view name);

/// How an index is searched.
struct SearchParameters {
  std::uint32_t search_list_size = 100;  ///< L, candidate list; k is used where it is larger
  /// Takes the list size that Index::list_size_for() gives in place of search_list_size.
  std::optional<float> target_recall = {};
};

/// What a search did; summed over the queries of a batch.
struct SearchStatistics {
  std::uint64_t hops = 0;                   ///< nodes expanded
  std::uint64_t distance_computations = 0;  ///< vectors or codes compared with the query
};

/// Bytes by component. Mapped components count, whether they are resident or not.
struct MemoryUsage {
  std::uint64_t vectors = 0;
  std::uint64_t graph = 0;
  std::uint64_t ids = 0;    ///< user ids and twin lists; 0 where ids are row numbers
  std::uint64_t norms = 0;  ///< by cosine, and by L2 over i8 and u8
  std::uint64_t codes = 0;  ///< with their norms
  std::uint64_t total() const noexcept { return vectors + graph + ids + norms + codes; }
};

/// Shape of a graph.
struct GraphStatistics {
  std::uint64_t nodes = 0;
  std::uint64_t edges = 0;
  std::uint32_t smallest_degree = 0;
  std::uint32_t largest_degree = 0;
  std::uint64_t unreachable = 0;  ///< nodes that no walk from the entry points reaches: 0 in every index we build
};

/// How an index file is opened.
struct OpenOptions {
  bool map = false;         ///< use the file in place (memory-mapped); Unsupported for Microsoft's sets
  bool verify_all = false;  ///< check every checksum, row and edge before use
  /// Needed for an index built with a user's distance; its name() must be the recorded one.
  std::shared_ptr<const DistanceFunction> distance_function;
  /// Microsoft's sets do not name them; ignored for our own files.
  std::optional<Distance> metric;
  std::optional<VectorType> type;
  Execution execution;  ///< progress and cancel of the reading
};

/// A Vamana graph over vectors in memory. Immutable but for calibrate(); const calls are safe from any number of
/// threads.
class DISKANN_EXPORT Index {
 public:
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

  /// Opens an index file, or Microsoft's in-memory set by its prefix (where `prefix.data` exists), or their set for
  /// SSDs (where `prefix_disk.index` does), whole and without its codes.
  static Index open(const std::filesystem::path& path, const OpenOptions& options = {});

  /// Writes one file, atomically: on failure or cancellation an older file is untouched.
  /// AlreadyExists unless `overwrite`. A graph of Microsoft's becomes one as ours are, in memory of its own: deleted
  /// points are gone, equal ones share a node, and all can be reached. InvalidArgument where no point is left.
  void save(const std::filesystem::path& path, bool overwrite = false, const Execution& execution = {}) const;

  /// Writes an index for a drive, which DiskIndex searches where it is and open() reads into memory: codes, and pages
  /// of rows and edges. It must have vectors (else Unsupported); where it has no codes, product codes (pq8) are made.
  /// Otherwise as save().
  void save_for_disk(const std::filesystem::path& path, bool overwrite = false, const Execution& execution = {}) const;

  /// Writes Microsoft's in-memory set `prefix`, `prefix.data` and `prefix_metadata.bin`; of an index that was read from
  /// one for a drive (save_for_disk) their set for SSDs, `prefix_disk.index` and what belongs to it, with product codes
  /// learnt for it: by cosine and inner product of f32 whatever the type is. Unsupported there for more than 512
  /// neighbours of a point, and for vectors that are all zero by inner product. Ids must be row numbers (else
  /// Unsupported); f16 is not a type of theirs, and codes alone are no vectors (Unsupported). By cosine theirs hold f32
  /// rows normalised: lengths are lost. AlreadyExists unless `overwrite`. On failure or cancellation an older set is
  /// untouched. Io where another program keeps the directory locked for ten seconds.
  void save_microsoft(const std::filesystem::path& prefix, bool overwrite = false,
                      const Execution& execution = {}) const;

  /// The min(k, size()) nearest points, sorted by (distance, id). `query` is one row of any vector type.
  /// Throws DimensionMismatch, or InvalidArgument for NaN and infinity.
  std::vector<Hit> search(VectorView query, std::size_t k, const SearchParameters& parameters = {}) const;
  /// Same, without allocating once the calling thread's scratch is warm. Fills `hits` and returns how many.
  std::size_t search_into(VectorView query, std::span<Hit> hits, const SearchParameters& parameters = {},
                          SearchStatistics* statistics = nullptr) const;
  /// Every row of `queries`, on all threads. Hits are those of search(), whatever the batch and the thread count.
  SearchResults search_batch(VectorView queries, std::size_t k, const SearchParameters& parameters = {},
                             const Execution& execution = {}, SearchStatistics* statistics = nullptr) const;
  /// All points found at distance <= radius, sorted by (distance, id). The list grows until it holds a point outside.
  std::vector<Hit> range_search(VectorView query, float radius, const SearchParameters& parameters = {}) const;

  /// Distances of `query` to stored points, exact where has_vectors(). NotFound names the first id that is not there.
  void distances(VectorView query, std::span<const std::uint64_t> ids, std::span<float> out) const;

  /// What is known of the recall of searches. Nothing (queries is 0) for Distance::Custom, sets of Microsoft's and
  /// files of older writers.
  const Calibration& calibration() const noexcept;
  /// Measures it anew, on queries like those to come (up to 4,096 of them are used), or on stored rows where none are
  /// given. Not safe beside other calls; save() writes it, but for sets of Microsoft's, whose graph it changes.
  /// Unsupported for Distance::Custom, for codes alone (measured when they were built), and where deleted points are
  /// among the nodes (sets of Microsoft's); DimensionMismatch; InvalidArgument for NaN and infinity.
  void calibrate(VectorView queries = {}, const Execution& execution = {});
  /// The smallest list size, k at least, whose searches find the k nearest with this recall on average, as far as is
  /// known. InvalidArgument unless 0 < recall <= 1, and where no list that was measured reaches it; Unsupported where
  /// nothing is known.
  std::uint32_t list_size_for(float recall, std::size_t k) const;

  std::size_t size() const noexcept;  ///< points, twins counted each
  std::size_t dimension() const noexcept;
  Distance metric() const noexcept;
  VectorType type() const noexcept;         ///< of the stored rows
  VectorType source_type() const noexcept;  ///< of the rows as given; differs where f32 was stored losslessly as 8 bits
  const BuildParameters& build_parameters() const noexcept;
  /// Name of what built the graph: "partitioned", "incremental", or another of a file's.
  const std::string& builder() const noexcept;
  Codec codec() const noexcept;  ///< that walks go by
  /// Whether it holds the vectors, or codes alone (IndexBuilder::drop_vectors): then distances are what those say.
  bool has_vectors() const noexcept;
  MemoryUsage memory_usage() const noexcept;
  GraphStatistics graph_statistics() const;

  struct State;
  /// For the library's own builders and readers.
  explicit Index(std::unique_ptr<State> state) noexcept;
  const State& state() const noexcept { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

/// Peak memory of a build and the size of its index, stated before it starts.
struct BuildEstimate {
  GraphBuilder builder = GraphBuilder::Incremental;  ///< that would be used: never Auto
  // Bytes when most are held. Rows that are coded in 8 bits for the builder leave memory while it works.
  std::uint64_t vectors = 0;      ///< rows, padded, or their codes
  std::uint64_t graph = 0;        ///< with the slack it has while it grows
  std::uint64_t scratch = 0;      ///< all else
  std::uint64_t index_bytes = 0;  ///< of the index file, where no two rows are equal
  double comparisons = 0;  ///< distances that Partitioned is expected to compute, with which its time grows; else 0
  std::uint64_t total() const noexcept { return vectors + graph + scratch; }
  MemoryUsage searched;  ///< what the index then takes in memory, at most; for_drive() with the cache of edges
  /// In all where 8-bit codes, which only the rows themselves can tell, turn out too coarse; else as total().
  std::uint64_t uncoded = 0;
};

/// How IndexBuilder::build_on_drive() goes about it.
struct DriveBuild {
  std::uint64_t memory = 0;  ///< bytes that the process may take at its peak
  /// Goes on where a build that was killed stopped, or begins; what is there then stays for the next try on errors too.
  bool resume = false;
  bool overwrite = false;  ///< as of Index::save
  std::optional<VectorType> file_type = {};
};

/// What that takes.
struct DriveBuildEstimate {
  GraphBuilder builder = GraphBuilder::Incremental;
  float alpha = 1.5f;           ///< with which the graph is pruned
  std::uint64_t memory = 0;     ///< bytes that the process takes at its peak, no more than it was granted
  std::uint64_t beside = 0;     ///< bytes on the drive while it is built, beside the new index; 0 in one go
  std::size_t parts = 1;        ///< that are built one after the other, to begin with: more where rows lie unevenly
  std::uint64_t part_rows = 0;  ///< of each, on average
  unsigned threads = 1;
};

/// Collects parameters and builds an Index. Each setter returns the builder.
class DISKANN_EXPORT IndexBuilder {
 public:
  IndexBuilder();
  IndexBuilder(IndexBuilder&&) noexcept;
  IndexBuilder& operator=(IndexBuilder&&) noexcept;
  ~IndexBuilder();

  /// Checked against the data where given; else taken from it.
  IndexBuilder& dimensions(std::size_t dimension);
  IndexBuilder& metric(Distance metric);
  /// A distance of the user's own; replaces metric().
  IndexBuilder& distance_function(std::shared_ptr<const DistanceFunction> function);
  IndexBuilder& max_degree(std::uint32_t max_degree);
  IndexBuilder& search_list_size(std::uint32_t search_list_size);
  /// Default: 1.2, and 2 for Distance::InnerProduct.
  IndexBuilder& alpha(float alpha);
  IndexBuilder& seed(std::uint64_t seed);
  /// Default: GraphBuilder::Auto. Partitioned does not search, so that search_list_size is without effect.
  IndexBuilder& builder(GraphBuilder builder);
  /// Type to store. Without it, f32 data that holds only integers of 8 bits is stored as such, losslessly, and all
  /// else as it comes. A conversion that would change a value (beyond rounding to f16) is InvalidArgument.
  IndexBuilder& store_as(VectorType type);
  /// Default: Codec::Auto, which a memory limit may leave no room for. Rows that are as small themselves, and those by
  /// whose codes walks find less, have no codes, and the index says None: where recall@10 of stored rows with a list of
  /// 100 is half a point below that by rows, or with a short list even when it is twice as long. InvalidArgument for
  /// Distance::Custom, unless Auto.
  /// `chunks`: of product codes (pq4 and pq8), each of 4 or 8 bits; 0: 2 bits a component. InvalidArgument with another
  /// codec, and for more than there are components.
  IndexBuilder& quantize(Codec codec, std::uint32_t chunks = 0);
  /// The index is to stay on a drive (Index::save_for_disk). The codes that quantize() names are kept whatever searches
  /// by them lose, since longer lists make up for that; and where nothing else is said the graph is built so that
  /// searches take few hops, by the incremental builder with alpha 1.5 (2 by inner product).
  IndexBuilder& for_drive(bool drive = true);
  /// With for_drive(): BuildParameters::page_bytes.
  IndexBuilder& page_bytes(std::uint32_t bytes);
  /// Keeps codes alone, which must be named by quantize(): the index takes a fraction of the memory and of the file,
  /// and hits and their distances are what codes say; how many are right, calibration() tells. Such codes are kept
  /// whatever they lose.
  IndexBuilder& drop_vectors(bool drop = true);
  /// Queries like those to come, which the recall of searches is measured on and Codec::Auto chosen by, in place of
  /// stored rows. Borrowed until the builder goes. None for Distance::Custom.
  IndexBuilder& tuning_queries(VectorView queries);
  /// Refuse (OutOfMemory, with the number that would do) before reading if the build could need more bytes.
  IndexBuilder& memory_limit(std::uint64_t bytes);
  IndexBuilder& execution(Execution execution);
  /// One id for each row, all different; default: row numbers.
  IndexBuilder& ids(std::vector<std::uint64_t> ids);

  /// Throws InvalidArgument for parameters that no build takes, whatever the data: as the builds do, but before they
  /// look at any.
  void check_parameters() const;
  /// Same for a number of rows and of their components.
  void check_shape(std::uint64_t rows, std::size_t dimension) const;

  /// Copies the rows. Throws InvalidArgument with row and column for NaN or infinity.
  Index build_from_vectors(VectorView vectors) const;
  template <VectorElement T>
  Index build_from_vectors(const std::vector<std::vector<T>>& rows) const {
    return build_from_vectors(VectorSet::from_rows(rows).view());
  }
  /// Streams a vector file (see vector_file.hpp) into the index, without a second copy. `file_type` is needed for
  /// Microsoft's `.bin`, which does not name its type.
  Index build_from_file(const std::filesystem::path& path, std::optional<VectorType> file_type = {}) const;

  /// Builds a file for a drive, for_drive(), of vectors that need not fit in memory: in one go where the memory granted
  /// is enough for that, else in parts that overlap, which lie in a directory `<output>.build` until they are merged:
  /// up to the room of the vectors and three times that of the graph, beside the output. By fewer threads where there
  /// is no room for what each takes. OutOfMemory with the number that would do, before anything is read;
  /// InvalidArgument for codes sq8 and tuning queries in parts; AlreadyExists where another build left that directory,
  /// unless `resume`, and InvalidArgument where it was one of other vectors or with other parameters.
  void build_on_drive(const std::filesystem::path& output, const std::filesystem::path& vectors,
                      const DriveBuild& how) const;

  /// What build_on_drive() would take with so much memory. Throws as that, but for what is in files.
  DriveBuildEstimate estimate_on_drive(std::uint64_t rows, std::size_t dimension, VectorType type,
                                       std::uint64_t memory) const;

  /// What a build of `rows` vectors would take at most, and by which builder.
  BuildEstimate estimate(std::uint64_t rows, std::size_t dimension, VectorType type) const;

 private:
  struct Settings;
  std::unique_ptr<Settings> settings_;
};

}  // namespace diskann
