#pragma once

#include <filesystem>
#include <optional>

#include "diskann/evaluation.hpp"
#include "json_row.hpp"
#include "session.hpp"

namespace diskann::cli {

/// The quality of another index of the same vectors, as `verify --quality --json` wrote it.
struct QualityReference {
  std::filesystem::path path;
  double recall = 0, hops = 0, distance_computations = 0;
};
/// NotFound, Io, or InvalidArgument for what is not such a row.
QualityReference read_quality(const std::filesystem::path& path);

void add_quality(const QualityReport& quality, const std::optional<QualityReference>& reference, JsonRow& row);
void print_quality(const QualityReport& quality, const GraphStatistics& graph,
                   const std::optional<QualityReference>& reference, Session& session);

}  // namespace diskann::cli
