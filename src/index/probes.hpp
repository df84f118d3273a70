#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
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
  std::optional<base::Slot> hidden_of(std::size_t query) const {
    return hidden.empty() ? std::nullopt : std::optional(hidden[query]);
  }
  std::array<std::uint32_t, kRanks.size()>
      wanted{};  ///< neighbours that there are: fewer than the rank among few nodes
};

/// Some of a user's queries, or of the stored rows where there are none. Not for Distance::Custom.
Probes choose_probes(const base::RowsView& rows, Distance metric, const VectorView& queries, std::size_t most,
                     const Execution& execution);

/// Finds out what lies how far from each query, among so many nodes: `nearest(k)` are their k nearest nodes.
void fill_limits(Probes& probes, std::size_t nodes, const std::function<SearchResults(std::size_t k)>& nearest);

/// What walks with one list size to all probes did, added up.
struct ListTrial {
  /// By place in a list, which is in the order of codes where there are any: how many neighbours stood there, how many
  /// lists were compared with rows as far as that, and how many neighbours that found.
  struct OfRank {
    std::vector<std::uint64_t> places, compared, found;
    void resize(std::size_t size);
    OfRank& operator+=(const OfRank& other);
  };
  SearchStatistics statistics;
  std::array<OfRank, kRanks.size()> ranks;

  /// Entries that are compared with rows where searches hold `kept` of them.
  double compared(std::size_t rank, std::size_t kept) const;
  /// Of the neighbours that a rank wants, the part that those find.
  double recall(std::size_t rank, std::size_t kept, const Probes& probes) const;
};

}  // namespace diskann::index
