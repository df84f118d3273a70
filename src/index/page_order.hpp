#pragma once

#include <cstddef>
#include <vector>

#include "base/adjacency.hpp"
#include "base/threads.hpp"

namespace diskann::index {

/// In which order nodes stand on a drive, so that a page of so many has neighbours in it, which a walk that reads it
/// for one of them is likely to want next (Starling, Wang et al., SIGMOD 2024): order[i] is the node that stands at
/// place i. Greedy: a page begins near the one before, and takes the node with the most edges from and to those it has.
/// The same on every machine.
std::vector<base::Slot> order_for_pages(const base::Adjacency& graph, std::size_t records, const Execution& execution);

}  // namespace diskann::index
