#include "diskann/disk_index.hpp"

#include <algorithm>

#include "diskann/output.hpp"
#include "formats/microsoft.hpp"
#include "index/arguments.hpp"
#include "index/calibration.hpp"
#include "index/disk_searcher.hpp"
#include "index/disk_state.hpp"
#include "index/drive_stops.hpp"
#include "index/index_file.hpp"
#include "index/microsoft_disk.hpp"

namespace diskann {
namespace {

constexpr std::uint32_t kMostBeam = 64;
constexpr float kSureSpreads = 6;  // more than any that is measured

/// For the k nearest.
index::Reach reach_for(const DiskIndex& index, const DiskSearchParameters& parameters, std::size_t k) {
  if (!(parameters.spreads >= 0 && parameters.spreads <= 100))
    throw Error(ErrorCode::InvalidArgument, "spreads must be 0 to 100, not " + std::to_string(parameters.spreads));
  if (parameters.beam_width > kMostBeam) {
    throw Error(ErrorCode::InvalidArgument, "beam_width must be 0 to " + std::to_string(kMostBeam) + ", not " +
                                                std::to_string(parameters.beam_width));
  }
  DiskSearchParameters chosen = parameters;
  if (parameters.target_recall) chosen = index.parameters_for(*parameters.target_recall, k);
  return {std::max(index::checked_list_size(chosen.search_list_size), k),
          index::kept_for(index.calibration(), std::max<std::size_t>(k, 1)), static_cast<double>(chosen.spreads)};
}

}  // namespace

std::string_view to_string(DiskIo io) noexcept {
  switch (io) {
    case DiskIo::Uring: return "io_uring";
    case DiskIo::Threads: return "threads";
    case DiskIo::Mapped: return "mapped";
    case DiskIo::Auto: break;
  }
  return "auto";
}

DiskIo parse_disk_io(std::string_view name) {
  for (const DiskIo io : {DiskIo::Auto, DiskIo::Uring, DiskIo::Threads, DiskIo::Mapped})
    if (name == to_string(io)) return io;
  throw Error(ErrorCode::InvalidArgument, "unknown way to read '" + std::string(name) + "'",
              "use auto, io_uring, threads or mapped");
}

DiskIndex::DiskIndex(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
DiskIndex::DiskIndex(DiskIndex&&) noexcept = default;
DiskIndex& DiskIndex::operator=(DiskIndex&&) noexcept = default;
DiskIndex::~DiskIndex() = default;

DiskIndex DiskIndex::open(const std::filesystem::path& path, const DiskOpenOptions& options) {
  if (!formats::microsoft_disk_index(path)) return DiskIndex(index::open_pages(path, options));
  auto state = index::open_microsoft_pages(path, options);
  index::start_searching(*state, options);
  return DiskIndex(std::move(state));
}

namespace {

IndexBuilder builder_for(const DiskConfig& config, const Execution& execution) {
  if (config.bits_per_chunk != 4 && config.bits_per_chunk != 8)
    throw Error(ErrorCode::InvalidArgument, "chunks have 4 or 8 bits, not " + std::to_string(config.bits_per_chunk));
  IndexBuilder builder;
  builder.metric(config.metric)
      .max_degree(config.max_degree)
      .search_list_size(config.search_list_size)
      .quantize(config.bits_per_chunk == 4 ? Codec::PQ4 : Codec::PQ8, config.num_chunks)
      .for_drive()
      .page_bytes(config.page_bytes)
      .execution(execution);
  if (config.dimension != 0) builder.dimensions(config.dimension);
  if (config.alpha) builder.alpha(*config.alpha);
  return builder;
}

/// Opened once the built one is gone, so that there are never two in memory.
DiskIndex saved(Index&& index, const std::filesystem::path& path, const DiskConfig& config, bool overwrite,
                const Execution& execution) {
  {
    const Index built = std::move(index);
    index::save_in_pages(built.state(), built.state().codes, path, overwrite, config.reorder_data, execution);
  }
  DiskOpenOptions options;
  options.execution = execution;
  if (config.search_cache_size != 0)
    options.cache_bytes = std::min<std::uint64_t>(config.search_cache_size, base::kMaxSlots) *
                          index::NodeCache::bytes_of_node(config.max_degree);
  return DiskIndex::open(path, options);
}

}  // namespace

DiskIndex DiskIndex::build_from_vectors(const std::filesystem::path& path, VectorView vectors, const DiskConfig& config,
                                        bool overwrite, const Execution& execution) {
  check_output(path, overwrite);
  return saved(builder_for(config, execution).build_from_vectors(vectors), path, config, overwrite, execution);
}

DiskIndex DiskIndex::build_from_file(const std::filesystem::path& path, const std::filesystem::path& vectors,
                                     const DiskConfig& config, bool overwrite, const Execution& execution) {
  check_output(path, overwrite);
  return saved(builder_for(config, execution).build_from_file(vectors), path, config, overwrite, execution);
}

std::vector<Hit> DiskIndex::search(VectorView query, std::size_t k, const DiskSearchParameters& parameters,
                                   DiskStatistics* statistics) const {
  index::check_query(dimension(), query);
  std::vector<Hit> hits(std::min(k, size()));
  hits.resize(
      state_->searcher->search(query, hits, reach_for(*this, parameters, k), parameters.beam_width, statistics));
  return hits;
}

SearchResults DiskIndex::search_batch(VectorView queries, std::size_t k, const DiskSearchParameters& parameters,
                                      const Execution& execution, DiskStatistics* statistics) const {
  if (queries.rows() > 0) index::check_queries(dimension(), queries);
  SearchResults results = index::empty_results(queries.rows(), k, size());
  state_->searcher->search_batch(queries, reach_for(*this, parameters, k), parameters.beam_width, execution, results,
                                 statistics);
  return results;
}

std::size_t DiskIndex::size() const noexcept { return state_->known->points.points(); }
std::size_t DiskIndex::dimension() const noexcept { return state_->known->rows.view().dimension; }
Distance DiskIndex::metric() const noexcept { return state_->known->metric; }
DiskSearchParameters DiskIndex::parameters_for(float recall, std::size_t k) const {
  DiskSearchParameters parameters;
  // It refuses what is no recall, and what no list reaches.
  const std::uint32_t list = index::known_list_size(calibration(), state_->known->rows.view().rows, recall, k);
  parameters.search_list_size = std::max(list, parameters.search_list_size);
  parameters.spreads = kSureSpreads;
  if (const StopMeasurement* const stop = index::stop_on_drive(calibration(), static_cast<double>(recall), k)) {
    parameters.search_list_size = std::max(stop->search_list_size, static_cast<std::uint32_t>(k));
    parameters.spreads = static_cast<float>(stop->spreads);
  }
  return parameters;
}
const Calibration& DiskIndex::calibration() const noexcept { return state_->known->calibration; }
VectorType DiskIndex::source_type() const noexcept { return state_->known->source_type; }
bool DiskIndex::split() const noexcept { return state_->pages.split; }
VectorType DiskIndex::type() const noexcept { return state_->known->rows.view().type; }
Codec DiskIndex::codec() const noexcept { return state_->known->codes.codec; }
std::string DiskIndex::io() const { return state_->device->description(); }

MemoryUsage DiskIndex::memory_usage() const noexcept {
  MemoryUsage usage;
  const index::Codes& codes = state_->known->codes;
  usage.graph = state_->known->entry_points.size() * sizeof(base::Slot) + state_->searcher->cache_bytes();
  usage.ids = state_->known->points.bytes();
  usage.codes = codes.rows.view().rows * codes.rows.view().stride + codes.factors.size() * sizeof(float);
  if (codes.book != nullptr) usage.codes += codes.book->bytes();
  return usage;
}

}  // namespace diskann
