#pragma once

#include <span>
#include <string>
#include <string_view>

namespace diskann::cli {

struct PlotPoint {
  double recall = 0;
  double qps = 0;
  std::string label;
};

/// An SVG of queries a second (logarithmic) over recall, readable on light and on dark.
std::string plot_recall_qps(std::span<const PlotPoint> points, std::string_view title, std::string_view recall_name);

}  // namespace diskann::cli
