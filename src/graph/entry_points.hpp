#pragma once

#include <vector>

#include "base/threads.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// Where searches start: the medoid (the row nearest to the mean of all; by cosine, to the mean direction) and, for the
/// inner product, the rows of greatest norm, since they are the likeliest answers to any query. Sorted after the medoid
/// by (norm, slot); no repeats. Deterministic.
std::vector<Slot> choose_entry_points(Distance metric, const base::RowsView& rows, const float* norms,
                                      base::ThreadTeam& team);

/// For a user's distance: of a sample of rows the one with the least sum of distances to the others.
std::vector<Slot> choose_entry_points(const CustomSpace& space, std::uint64_t seed);

}  // namespace diskann::graph
