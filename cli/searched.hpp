#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "arguments.hpp"
#include "diskann/disk_index.hpp"
#include "diskann/index.hpp"
#include "inputs.hpp"

namespace diskann::cli {

/// How an index on a drive is searched.
struct DriveFlags {
  std::optional<std::uint32_t> beam_width;
  std::optional<std::string> io;
  std::optional<std::string> cache;
  std::optional<float> spreads;
  bool cold = false;
  std::optional<float> simulated_us;
};
/// --beam-width, --spreads, --cache, --io, --cold and --simulate.
void declare_drive_flags(Arguments& arguments, DriveFlags& flags);

/// The index that a command searches: in memory or, where its file was made for that, on its drive.
class Searched {
 public:
  /// Opens it; UsageError for flags that are not for what it is.
  Searched(const IndexInput& input, const DriveFlags& flags, const Execution& execution);

  const Index* in_memory() const noexcept { return std::get_if<Index>(&index_); }
  const DiskIndex* on_drive() const noexcept { return std::get_if<DiskIndex>(&index_); }

  std::uint64_t size() const {
    return std::visit([](const auto& index) { return index.size(); }, index_);
  }
  std::size_t dimension() const {
    return std::visit([](const auto& index) { return index.dimension(); }, index_);
  }
  Distance metric() const {
    return std::visit([](const auto& index) { return index.metric(); }, index_);
  }
  VectorType type() const {
    return std::visit([](const auto& index) { return index.type(); }, index_);
  }
  VectorType source_type() const {
    return std::visit([](const auto& index) { return index.source_type(); }, index_);
  }
  Codec codec() const {
    return std::visit([](const auto& index) { return index.codec(); }, index_);
  }
  /// Or codes alone.
  bool has_vectors() const noexcept { return on_drive() != nullptr || in_memory()->has_vectors(); }
  /// What a target recall stands for, from now on; returns the list size.
  std::uint32_t take_recall(float recall, std::size_t k);
  /// As it was given or chosen; of an index on a drive.
  float spreads() const noexcept { return drive_.spreads; }

  SearchResults search_batch(VectorView queries, std::size_t k, const SearchParameters& parameters,
                             const Execution& execution, DiskStatistics& statistics) const;
  /// One query, into as many hits as there are points, or fewer.
  void search_into(VectorView query, std::span<Hit> hits, const SearchParameters& parameters,
                   DiskStatistics& statistics) const;
  /// Recall@k, ties by distance.
  double recall(VectorView queries, const SearchResults& found, const SearchResults& truth, std::size_t k) const;

 private:
  DiskSearchParameters on_drive_with(const SearchParameters& parameters) const;

  std::variant<Index, DiskIndex> index_;
  DiskSearchParameters drive_;
};

}  // namespace diskann::cli
