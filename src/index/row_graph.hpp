#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "graph/build_incremental.hpp"

namespace diskann::index {

/// Of rows by metric, where kernels want them; empty where they do without.
std::vector<float> norms_of(Distance metric, const base::RowsView& rows, base::ThreadTeam& team);

/// A graph over rows by the library's kernels, which takes their norms. Rows that are not of 8 bits leave memory for
/// codes while the graph is built, unless those would be too coarse: the store is empty then. `choose` names the
/// builder once it is known whether they do.
graph::Graph build_row_graph(base::RowStore& rows, std::span<const float> norms, Distance metric,
                             const BuildParameters& parameters, const std::function<GraphBuilder(bool coded)>& choose,
                             base::ThreadTeam& team, const Execution& execution);

}  // namespace diskann::index
