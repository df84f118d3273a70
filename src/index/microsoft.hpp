#pragma once

#include <filesystem>
#include <memory>

#include "diskann/index.hpp"
#include "formats/microsoft.hpp"
#include "index/index_state.hpp"

namespace diskann::index {

/// Index::State::builder of their graphs, in our files as well.
inline constexpr const char* kMicrosoftBuilder = "microsoft";

/// Points of so many nodes, but for those `hidden` (by node; empty: none), which become nodes without points. `ids` by
/// point that is no frozen one; empty: node numbers.
PointTable points_of(std::size_t nodes, const std::vector<bool>& hidden, std::vector<std::uint64_t> ids);

/// An index of a set of theirs: what their files say of its build, and that they say no more.
std::unique_ptr<Index::State> foreign_state(Distance metric, VectorType given, std::uint32_t max_degree);
/// Last step of that, once rows and graph are in memory: norms and the searcher.
void finish_foreign(Index::State& state);

/// Throws Unsupported where a set of Microsoft's is to be mapped.
void refuse_mapping(const std::filesystem::path& prefix, const OpenOptions& options);

/// Microsoft's in-memory set as an index: frozen and deleted points stay in the graph and are never returned.
/// Unsupported where it is to be mapped.
std::unique_ptr<Index::State> open_microsoft(const std::filesystem::path& prefix, const OpenOptions& options);

/// An index by points in place of nodes, each a row.
struct PointGraph {
  base::RowStore rows;
  base::Adjacency graph;
  base::Slot start = 0;
};
/// Twins, which share a node with us, become nodes of their own again: each twin points to the next and to the
/// neighbours of the first, so that all stay reachable.
PointGraph expand_twins(const Index::State& state);
/// Throws Unsupported for an index that no set of Microsoft's can hold.
void check_for_microsoft(const Index::State& state);

/// Writes the in-memory set.
void save_microsoft(const Index::State& state, const std::filesystem::path& prefix, bool overwrite,
                    const Execution& execution);

}  // namespace diskann::index
