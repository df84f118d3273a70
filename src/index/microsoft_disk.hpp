#pragma once

#include <filesystem>
#include <memory>

#include "diskann/disk_index.hpp"
#include "formats/microsoft_disk.hpp"
#include "index/disk_state.hpp"

namespace diskann::index {

/// How its nodes stand in P_disk.index.
NodePages pages_of(const formats::MicrosoftDiskSet& set);

/// Microsoft's set for SSDs in place: codes in memory, nodes read from `P_disk.index`. `named` is one that
/// formats::microsoft_disk_index() knows. Without a searcher.
std::unique_ptr<DiskIndex::State> open_microsoft_pages(const std::filesystem::path& named,
                                                       const DiskOpenOptions& options);

/// The same whole in memory, without its codes: as open_microsoft() does.
std::unique_ptr<Index::State> read_microsoft_pages(const std::filesystem::path& named, const OpenOptions& options);

/// Writes such a set, as save_microsoft() does, by cosine and inner product of f32 whatever the type. Product codes of
/// 8 bits are learnt for it: chunks of components that follow one another, as many as the index has, or one for four
/// components.
void save_microsoft_pages(const Index::State& state, const std::filesystem::path& prefix, bool overwrite,
                          const Execution& execution);

}  // namespace diskann::index
