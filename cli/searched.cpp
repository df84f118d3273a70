#include "searched.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "diskann/evaluation.hpp"
#include "errors.hpp"
#include "figures.hpp"

namespace diskann::cli {
namespace {

void refuse_drive_flags(const DriveFlags& flags, const std::string& path) {
  const char* given = flags.beam_width     ? "--beam-width"
                      : flags.spreads      ? "--spreads"
                      : flags.cache        ? "--cache"
                      : flags.io           ? "--io"
                      : flags.cold         ? "--cold"
                      : flags.simulated_us ? "--simulate"
                                           : nullptr;
  if (given == nullptr) return;
  throw UsageError(fmt::format("{} is for indexes on a drive, and {} is one for memory", given, path),
                   "leave it out, or build with --disk");
}

DiskIndex open_on_drive(const IndexInput& input, const DriveFlags& flags, const Execution& execution) {
  if (input.map) throw UsageError("--map is for indexes in memory", "leave it out, or use --io mapped");
  DiskOpenOptions options;
  options.execution = execution;
  const OpenOptions asked = open_options(input);
  options.metric = asked.metric;
  options.type = asked.type;
  if (flags.cache) options.cache_bytes = *flags.cache == "0" ? 0 : parse_bytes(*flags.cache, "--cache");
  if (flags.io) options.io = parse_disk_io(*flags.io);
  if (flags.simulated_us) {
    if (!(*flags.simulated_us >= 0 && *flags.simulated_us <= 1e6)) {
      throw Error(ErrorCode::InvalidArgument,
                  fmt::format("--simulate {}: a latency in microseconds, up to a second", *flags.simulated_us));
    }
    options.simulated = SimulatedDrive{};
    options.simulated->latency_us = static_cast<double>(*flags.simulated_us);
  }
  DiskIndex index = DiskIndex::open(input.path, options);
  if (flags.cold && !index.io().ends_with("direct")) {
    throw Error(ErrorCode::Unsupported,
                fmt::format("{}: --cold wants reads past the system's cache, and these go through it ({})",
                            input.path.string(), index.io()),
                "keep the index on another file system, or leave --cold out");
  }
  return index;
}

std::variant<Index, DiskIndex> open_searched(const IndexInput& input, const DriveFlags& flags,
                                             const Execution& execution) {
  std::error_code unknown;
  const bool ours = std::filesystem::is_regular_file(input.path, unknown) && file_kind(input.path) == FileKind::Index;
  if (ours ? inspect_index(input).drive.has_value() : file_kind(input.path) == FileKind::MicrosoftDiskIndex)
    return open_on_drive(input, flags, execution);
  refuse_drive_flags(flags, input.path.string());
  return open_index(input, execution);
}

}  // namespace

void declare_drive_flags(Arguments& arguments, DriveFlags& flags) {
  arguments.option(
      "--beam-width", flags.beam_width, "N",
      "Index on a drive: reads of a query under way at most, up to 64 (default 0: as many as prove useful)");
  arguments.option(
      "--spreads", flags.spreads, "X",
      "Index on a drive: look at candidates until the next ones would have to be off by so many spreads of "
      "codes to be nearer; fewer take fewer reads and find less (default 3.5). By inner product walks go on to the end "
      "of the list all the same where nobody measured what else is lost, as of Microsoft's sets");
  arguments.option("--cache", flags.cache, "SIZE",
                   "Index on a drive: memory for the edges that searches go through most often, 64M or 2G (default: an "
                   "eighth of what codes take)");
  arguments.option("--io", flags.io, "WAY",
                   "Index on a drive: how it is read: auto, io_uring, threads or mapped (default auto)");
  arguments.flag("--cold", flags.cold, "Index on a drive: refuse to read through the system's cache");
  arguments.option("--simulate", flags.simulated_us, "US",
                   "Index on a drive: as if every read took so many microseconds, from the file in memory");
}

Searched::Searched(const IndexInput& input, const DriveFlags& flags, const Execution& execution)
    : index_(open_searched(input, flags, execution)) {
  drive_.beam_width = flags.beam_width.value_or(0);
  drive_.spreads = flags.spreads.value_or(drive_.spreads);
}

DiskSearchParameters Searched::on_drive_with(const SearchParameters& parameters) const {
  DiskSearchParameters all = drive_;
  all.search_list_size = parameters.search_list_size;
  return all;
}

std::uint32_t Searched::take_recall(float recall, std::size_t k) {
  if (const Index* const index = in_memory()) return index->list_size_for(recall, k);
  const DiskSearchParameters chosen = on_drive()->parameters_for(recall, k);
  drive_.spreads = chosen.spreads;
  return chosen.search_list_size;
}

SearchResults Searched::search_batch(VectorView queries, std::size_t k, const SearchParameters& parameters,
                                     const Execution& execution, DiskStatistics& statistics) const {
  if (const Index* const index = in_memory())
    return index->search_batch(queries, k, parameters, execution, &statistics.walk);
  return on_drive()->search_batch(queries, k, on_drive_with(parameters), execution, &statistics);
}

void Searched::search_into(VectorView query, std::span<Hit> hits, const SearchParameters& parameters,
                           DiskStatistics& statistics) const {
  if (const Index* const index = in_memory()) {
    index->search_into(query, hits, parameters, &statistics.walk);
    return;
  }
  const std::vector<Hit> found = on_drive()->search(query, hits.size(), on_drive_with(parameters), &statistics);
  std::copy_n(found.begin(), std::min(found.size(), hits.size()), hits.begin());
}

double Searched::recall(VectorView queries, const SearchResults& found, const SearchResults& truth,
                        std::size_t k) const {
  if (const Index* const index = in_memory()) return recall_at(*index, queries, found, truth, k);
  return recall_at(found, truth, k);
}

}  // namespace diskann::cli
