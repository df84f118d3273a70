#include "plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace diskann::cli {
namespace {

constexpr double kWidth = 720, kHeight = 460;
constexpr double kLeft = 80, kRight = 30, kTop = 56, kBottom = 64;

constexpr std::string_view kStyle =
    "<style>"
    ".back{fill:#ffffff}.text{fill:#24292f;font-family:sans-serif;font-size:13px}.title{font-size:16px;font-weight:600}"
    ".small{font-size:11px}.grid{stroke:#d0d7de;stroke-width:1}.axis{stroke:#57606a;stroke-width:1.5}"
    ".curve{stroke:#0969da;stroke-width:2.5;fill:none}.dot{fill:#0969da}"
    "@media (prefers-color-scheme:dark){.back{fill:#0d1117}.text{fill:#e6edf3}.grid{stroke:#30363d}"
    ".axis{stroke:#8b949e}.curve{stroke:#58a6ff}.dot{fill:#58a6ff}}"
    "</style>\n";

/// XML's special characters; a title may hold a file name.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return out;
}

struct Axis {
  double low = 0, high = 1;
  double at_low = 0, at_high = 1;  ///< where the ends are drawn
  double place(double value) const { return at_low + (value - low) / (high - low) * (at_high - at_low); }
};

/// Steps of 1, 2 or 5 times a power of ten, at most eight of them.
double tick_step(double range) {
  double step = std::pow(10, std::floor(std::log10(range)) - 1);
  for (const double factor : {1.0, 2.0, 5.0, 10.0, 20.0}) {
    if (range / (step * factor) <= 8) return step * factor;
  }
  return range;
}

Axis recall_axis(std::span<const PlotPoint> points, double step_floor) {
  double low = 1;
  for (const PlotPoint& point : points) low = std::min(low, point.recall);
  const double step = tick_step(std::max(1 - low, step_floor));
  Axis axis;
  axis.high = 1;
  axis.low = std::max(0.0, std::floor(low / step - 0.25) * step);
  axis.at_low = kLeft;
  axis.at_high = kWidth - kRight;
  return axis;
}

/// In decimal logarithms.
Axis qps_axis(std::span<const PlotPoint> points) {
  double low = points.front().qps, high = low;
  for (const PlotPoint& point : points) {
    low = std::min(low, point.qps);
    high = std::max(high, point.qps);
  }
  Axis axis;
  axis.low = std::log10(low / 1.3);
  axis.high = std::log10(high * 1.3);
  axis.at_low = kHeight - kBottom;
  axis.at_high = kTop;
  return axis;
}

std::string line(double x1, double y1, double x2, double y2, std::string_view style) {
  return fmt::format("<line class=\"{}\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>\n", style, x1, y1,
                     x2, y2);
}

std::string text(double x, double y, std::string_view anchor, std::string_view style, std::string_view content) {
  return fmt::format("<text class=\"text {}\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", style, x, y,
                     anchor, escaped(content));
}

std::string recall_ticks(const Axis& axis) {
  const double step = tick_step(axis.high - axis.low);
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9)));
  std::string out;
  const auto last = static_cast<int>(std::floor(axis.high / step + 1e-9));
  for (int i = static_cast<int>(std::ceil(axis.low / step - 1e-9)); i <= last; ++i) {
    const double tick = i * step;
    const double x = axis.place(tick);
    out += line(x, kTop, x, kHeight - kBottom, "grid");
    out += text(x, kHeight - kBottom + 20, "middle", "", fmt::format("{:.{}f}", tick, digits));
  }
  return out;
}

std::string qps_ticks(const Axis& axis) {
  std::string out;
  for (int power = static_cast<int>(std::floor(axis.low)); power <= static_cast<int>(std::ceil(axis.high)); ++power) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double value = factor * std::pow(10, power);
      const double at = std::log10(value);
      if (at < axis.low || at > axis.high) continue;
      const double y = axis.place(at);
      out += line(kLeft, y, kWidth - kRight, y, "grid");
      out += text(kLeft - 8, y + 4, "end", "", value >= 1 ? fmt::format("{:.0f}", value) : fmt::format("{:g}", value));
    }
  }
  return out;
}

}  // namespace

std::string plot_recall_qps(std::span<const PlotPoint> points, std::string_view title, std::string_view recall_name) {
  std::vector<PlotPoint> sorted(points.begin(), points.end());
  std::sort(sorted.begin(), sorted.end(), [](const PlotPoint& a, const PlotPoint& b) { return a.recall < b.recall; });
  const Axis x = recall_axis(sorted, 0.001);
  const Axis y = qps_axis(sorted);

  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" height=\"{1:.0f}\" "
      "role=\"img\">\n<title>{2}</title>\n",
      kWidth, kHeight, escaped(title));
  out += kStyle;
  out += fmt::format("<rect class=\"back\" width=\"{:.0f}\" height=\"{:.0f}\"/>\n", kWidth, kHeight);
  out += text(kWidth / 2, 28, "middle", "title", title);
  out += recall_ticks(x) + qps_ticks(y);
  out += line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "axis");
  out += line(kLeft, kTop, kLeft, kHeight - kBottom, "axis");
  out += text((kLeft + kWidth - kRight) / 2, kHeight - 18, "middle", "", recall_name);
  out += fmt::format(
      "<text class=\"text\" text-anchor=\"middle\" transform=\"translate(20 {:.1f}) rotate(-90)\">queries a second"
      "</text>\n",
      (kTop + kHeight - kBottom) / 2);

  std::string path, marks;
  for (const PlotPoint& point : sorted) {
    const double px = x.place(point.recall), py = y.place(std::log10(point.qps));
    path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", px, py);
    marks += fmt::format("<circle class=\"dot\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\"/>\n", px, py);
    // Labels left of their points: the curve falls to the right, so there is room below it.
    marks += text(px - 8, py + 14, "end", "small", point.label);
  }
  return out + fmt::format("<path class=\"curve\" d=\"{}\"/>\n", path) + marks + "</svg>\n";
}

}  // namespace diskann::cli
