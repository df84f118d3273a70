#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <functional>
#include <span>

#include "diskann/calibration.hpp"
#include "index/index_state.hpp"
#include "index/probes.hpp"

namespace diskann::index {

/// From one to the next half as many candidates more, 100 among them, and twice as many where recall hardly grows;
/// longer ones are rarely of use.
inline constexpr std::array<std::uint32_t, 12> kLists{10, 14, 20, 28, 40, 57, 80, 100, 141, 200, 400, 800};

inline constexpr double kTie = 1e-6;  // 0.99 as a float is more than 0.9900
/// To four digits behind the point: what is measured is no surer, and files stay short.
inline double rounded(double value) { return std::round(value * 1e4) / 1e4; }

/// Searches for the probes with these list sizes, ascending, until the recall of the largest rank is `enough`. The
/// state has its searcher; `alone`: of codes that are to be kept without the rows.
Calibration measure(const Index::State& state, const Probes& probes, std::span<const std::uint32_t> lists,
                    double enough, const Execution& execution, bool alone = false);

/// The same with other searches, of an index of so many nodes. `compared`: whether they go by codes and compare what
/// they find with rows.
Calibration measure_with(const std::function<ListTrial(const Reach&)>& try_list, std::size_t nodes, bool compared,
                         const Probes& probes, std::span<const std::uint32_t> lists, double enough,
                         const Execution& execution);

/// How many candidates a walk by codes has to hold so that the k nearest rows are among them.
std::size_t kept_for(const Calibration& calibration, std::size_t k);

/// As Index::list_size_for says, of a graph of so many nodes.
std::uint32_t known_list_size(const Calibration& calibration, std::size_t nodes, float recall, std::size_t k);

}  // namespace diskann::index
