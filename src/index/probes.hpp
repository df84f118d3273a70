#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/row_store.hpp"
#include "diskann/index.hpp"

namespace diskann::index {

/// Numbers of neighbours that searches are measured by.
inline constexpr std::array<std::uint32_t, 3> kRanks{1, 10, 100};

/// Queries whose nearest nodes are known.
struct Probes {
  /// Per rank; of nodes that lie as far as the last neighbour any will do.
  using Limits = std::array<float, kRanks.size()>;
  VectorSet queries;
  std::vector<base::Slot> hidden;  ///< the nodes that they are, which no search may see; or empty
  std::vector<Limits> limits;      ///< by query: distance of the last neighbour
  std::array<std::uint32_t, kRanks.size()>
      wanted{};  ///< neighbours that there are: fewer than the rank among few nodes
};

/// Some of a user's queries, or of the stored rows where there are none. Not for Distance::Custom.
Probes choose_probes(const base::RowsView& rows, Distance metric, const VectorView& queries, std::size_t most,
                     const Execution& execution);

/// What walks with one list size to all probes did, added up.
struct ListTrial {
  SearchStatistics statistics;
  /// Per rank, how many neighbours stood at each place of their lists, in the order of codes where there are any.
  std::array<std::vector<std::uint64_t>, kRanks.size()> places;

  /// Of the neighbours that a rank wants, the part that stood among the first `count`.
  double found(std::size_t rank, std::size_t count, const Probes& probes) const;
};

}  // namespace diskann::index
