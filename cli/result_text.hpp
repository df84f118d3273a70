#pragma once

#include <filesystem>

#include "diskann/types.hpp"

namespace diskann::cli {

/// A result file of any form that `search` writes: .txt and .json here, the binary ones by the library. Queries with
/// fewer hits than the longest are padded.
SearchResults read_any_results(const std::filesystem::path& path);

}  // namespace diskann::cli
