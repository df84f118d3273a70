#pragma once

#include "diskann/calibration.hpp"
#include "index/index_state.hpp"
#include "index/probes.hpp"

namespace diskann::index {

/// Adds to a calibration what searches on a drive find that stop sooner, by walks in memory that stop as those. Of a
/// state with rows and codes. The same at every thread count.
void measure_stops(const Index::State& state, const Probes& probes, Calibration& calibration,
                   const Execution& execution);

/// The stop with which searches on a drive find the k nearest with this recall and the fewest nodes looked at: null
/// where none that was measured does.
const StopMeasurement* stop_on_drive(const Calibration& calibration, double recall, std::size_t k);

}  // namespace diskann::index
