#pragma once

#include <filesystem>
#include <memory>

#include "diskann/index.hpp"
#include "formats/microsoft.hpp"

namespace diskann::index {

/// Index::State::builder of their graphs, in our files as well.
inline constexpr const char* kMicrosoftBuilder = "microsoft";

/// Throws Unsupported where `path` names a set of Microsoft's for SSDs, by its prefix or one of its files.
void refuse_disk_set(const std::filesystem::path& path);

/// Microsoft's in-memory set as an index: frozen and deleted points stay in the graph and are never returned.
/// Unsupported where it is to be mapped.
std::unique_ptr<Index::State> open_microsoft(const std::filesystem::path& prefix, const OpenOptions& options);

/// Writes the set. Twins, which share a node with us, become nodes of their own again: each twin points to the next and
/// to the neighbours of the first, so that all stay reachable.
void save_microsoft(const Index::State& state, const std::filesystem::path& prefix, bool overwrite,
                    const Execution& execution);

}  // namespace diskann::index
