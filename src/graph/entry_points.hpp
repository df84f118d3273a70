#pragma once

#include <vector>

#include "base/threads.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// Where searches start: the medoid (the row nearest to the mean of all; by cosine, to the mean direction), for the
/// inner product the rows of greatest norm, since they are the likeliest answers to any query, and random
/// representatives: comparing a query with all of them first saves the hops of the descent, and leads into clusters
/// that lie apart. No repeats. Deterministic.
std::vector<Slot> choose_entry_points(Distance metric, const base::RowsView& rows, const float* norms,
                                      std::uint64_t seed, base::ThreadTeam& team);

/// For a user's distance: representatives, first the one with the least sum of distances to the others.
std::vector<Slot> choose_entry_points(const CustomSpace& space, std::uint64_t seed);

}  // namespace diskann::graph
