#pragma once

#include <span>
#include <vector>

#include "base/threads.hpp"
#include "graph/code_space.hpp"
#include "graph/space.hpp"

namespace diskann::graph {

/// That a graph of ours has at most.
inline constexpr std::size_t kEntryPoints = 64;

/// Where searches start: the medoid (the row nearest to the mean of all; by cosine, to the mean direction), for the
/// inner product the rows of greatest norm, since they are the likeliest answers to any query, and random
/// representatives: they save the hops of the descent, and lead into clusters that lie apart. No repeats.
/// Deterministic.
std::vector<Slot> choose_entry_points(Distance metric, const base::RowsView& rows, const float* norms,
                                      std::uint64_t seed, base::ThreadTeam& team);

/// For a user's distance: representatives, first the one with the least sum of distances to the others.
std::vector<Slot> choose_entry_points(const CustomSpace& space, std::uint64_t seed);

/// Entry points as walks take them: a query is compared with some of them, the leaders, which lie far apart, and then
/// with those that are nearest to the leader it is nearest to: a third of all comparisons, and the same start for most.
class EntryPoints {
 public:
  EntryPoints() = default;
  /// All are leaders.
  explicit EntryPoints(std::span<const Slot> slots) : slots_(slots.begin(), slots.end()), leaders_(slots.size()) {}
  /// Up to 16 leaders, the first slot among them, by farthest-first traversal (Gonzalez 1985).
  template <class Space>
  EntryPoints(const Space& space, std::span<const Slot> slots);

  /// Calls each slot by the name at its place.
  void rename(std::span<const Slot> names) noexcept {
    for (Slot& slot : slots_) slot = names[slot];
  }

  /// Leaders first.
  std::span<const Slot> all() const noexcept { return slots_; }
  std::span<const Slot> leaders() const noexcept { return std::span(slots_).first(leaders_); }
  /// Of a leader; nothing for other slots.
  std::span<const Slot> followers(Slot leader) const noexcept {
    for (std::size_t i = 0; i < ends_.size(); ++i) {
      if (slots_[i] != leader) continue;
      const std::size_t begin = i == 0 ? leaders_ : ends_[i - 1];
      return std::span(slots_).subspan(begin, ends_[i] - begin);
    }
    return {};
  }

 private:
  std::vector<Slot> slots_;  // leaders, then the followers of each
  std::size_t leaders_ = 0;
  std::vector<std::size_t> ends_;  // of each leader's followers
};

extern template EntryPoints::EntryPoints(const KernelSpace&, std::span<const Slot>);
extern template EntryPoints::EntryPoints(const CodeSpace&, std::span<const Slot>);
extern template EntryPoints::EntryPoints(const LoneCodeSpace&, std::span<const Slot>);
extern template EntryPoints::EntryPoints(const CustomSpace&, std::span<const Slot>);

}  // namespace diskann::graph
