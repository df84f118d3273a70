#pragma once

#include <filesystem>

#include "diskann/types.hpp"

namespace diskann::cli {

/// The k nearest in a file of any form that `search` or `groundtruth` writes: .txt and .json here, the binary ones by
/// the library. Range results, which have another number of hits for each query, are InvalidArgument.
SearchResults read_any_results(const std::filesystem::path& path);

}  // namespace diskann::cli
