#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "diskann/calibration.hpp"
#include "graph/code_space.hpp"
#include "graph/entry_points.hpp"
#include "index/index_state.hpp"
#include "index/probes.hpp"

namespace diskann::index {

/// An index as searches on a drive see it, wherever its graph and its rows are: codes say where to go.
struct DriveGround {
  graph::LoneCodeSpace space;
  graph::EntryPoints entry_points;
  std::size_t max_degree = 0;
  /// Of a node; `room` is the caller's. Safe from several threads, as is exact().
  std::function<std::span<const base::Slot>(base::Slot node, std::vector<base::Slot>& room)> neighbors;
  /// The exact distance of a node; `room` is for a row.
  std::function<float(const distance::Query& query, base::Slot node, std::byte* room)> exact;

  std::size_t nodes() const noexcept { return space.rows().rows; }
};
/// Of a state with rows, graph and codes in memory, all of which must outlive it.
DriveGround ground_of(const Index::State& state, const Codes& codes);

/// Adds to a calibration what searches on a drive find that stop sooner, by walks that stop as those. The same at every
/// thread count.
void measure_stops(const DriveGround& ground, const Probes& probes, Calibration& calibration,
                   const Execution& execution);

/// What walks to the probes with a list of that size find, which holds `kept` candidates. As Searcher::try_list says.
ListTrial try_list_on(const DriveGround& ground, const Probes& probes, std::size_t list_size, std::size_t kept,
                      base::ThreadTeam& team);

/// The nodes that walks by codes to `walkers` expand most often, most first, `count` at most: never by queries that
/// recall is measured with. The same at every thread count.
std::vector<base::Slot> most_visited(const DriveGround& ground, const VectorView& walkers, std::size_t count,
                                     const Execution& execution);

/// The stop with which searches on a drive find the k nearest with this recall and the fewest nodes looked at: null
/// where none that was measured does.
const StopMeasurement* stop_on_drive(const Calibration& calibration, double recall, std::size_t k);

}  // namespace diskann::index
