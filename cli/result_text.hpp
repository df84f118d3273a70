#pragma once

#include <filesystem>

#include "diskann/vector_file.hpp"

namespace diskann::cli {

/// The k nearest in a file of any form that `search` or `groundtruth` writes: .txt and .json here, the binary ones by
/// the library. Range results, which have another number of hits for each query, are InvalidArgument.
SearchResults read_any_results(const std::filesystem::path& path);

/// Whether the suffix says that a file holds results and nothing else; a `.bin` may hold vectors as well.
bool is_result_suffix(const std::filesystem::path& path);
/// What such a file or a `.bin` of results holds, range results too.
ResultFileInfo inspect_any_results(const std::filesystem::path& path);
/// The same of what is_result_suffix() says is one, and of a `.bin` whose size fits no vectors; else nothing.
std::optional<ResultFileInfo> results_in(const std::filesystem::path& path);

}  // namespace diskann::cli
