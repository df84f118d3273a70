#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "diskann/calibration.hpp"
#include "index/index_state.hpp"
#include "index/probes.hpp"

namespace diskann::index {

/// From one to the next half as many candidates more, 100 among them, and twice as many where recall hardly grows;
/// longer ones are rarely of use.
inline constexpr std::array<std::uint32_t, 12> kLists{10, 14, 20, 28, 40, 57, 80, 100, 141, 200, 400, 800};

/// Searches for the probes with these list sizes, ascending, until the recall of the largest rank is `enough`. The
/// state has its searcher.
Calibration measure(const Index::State& state, const Probes& probes, std::span<const std::uint32_t> lists,
                    double enough, const Execution& execution);

/// How many of a list, those that are nearest by codes, are to be compared with rows.
std::size_t rerank_for(const Calibration& calibration, std::size_t list_size, std::size_t k);

}  // namespace diskann::index
