#pragma once

#include <memory>

#include "diskann/index.hpp"

namespace diskann::index {

/// A graph of Microsoft's as docs/format.md promises graphs to be: no nodes without points, equal points on one node,
/// entry points as our builders choose them, and every node reachable from them. Edges over nodes that go lead on to
/// the neighbours of those. What is so already stays as it is, so that adopting twice changes nothing. Takes the
/// memory of a second index. For saving: without a searcher. Throws InvalidArgument where no point is left.
std::unique_ptr<Index::State> adopt(const Index::State& theirs, const Execution& execution);

}  // namespace diskann::index
