#include "figures.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "diskann/error.hpp"

namespace diskann::cli {

std::string count_text(std::uint64_t value) {
  const std::string digits = std::to_string(value);
  std::string text;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
  return fmt::format("{} {}", count_text(count), count == 1 ? one : many);
}

std::string short_count(double value) {
  constexpr std::array kUnits{"", "k", "M", "G", "T"};
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}{}", value, kUnits[unit]);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string duration_text(double seconds) {
  if (seconds < 10) return fmt::format("{:.3f} s", seconds);
  if (seconds < 60) return fmt::format("{:.1f} s", seconds);
  return clock_text(seconds);
}

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::uint64_t>(std::llround(seconds));
  if (whole < 3600) return fmt::format("{}:{:02}", whole / 60, whole % 60);
  return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
}

std::uint64_t parse_bytes(std::string_view text, std::string_view flag) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  double factor = 0;
  if (unit.empty() || unit == "B") factor = 1;
  constexpr std::string_view kPrefixes = "KMGT";
  if (!unit.empty() && kPrefixes.find(unit.front()) != std::string_view::npos) {
    const auto power = static_cast<double>(kPrefixes.find(unit.front()) + 1);
    unit.remove_prefix(1);
    if (unit.empty() || unit == "iB") factor = std::pow(1024.0, power);
    if (unit == "B") factor = std::pow(1000.0, power);
  }
  const double bytes = std::ceil(value * factor);
  if (error != std::errc() || factor == 0 || !(bytes >= 1) || bytes >= 0x1p63) {
    throw Error(ErrorCode::InvalidArgument, fmt::format("{} cannot be '{}': expected an amount of memory", flag, text),
                "for example 800M, 2G, 1.5GiB or 2000000000");
  }
  return static_cast<std::uint64_t>(bytes);
}

std::vector<std::uint32_t> parse_list(std::string_view text, std::string_view flag) {
  std::vector<std::uint32_t> values;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    std::uint32_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    if (error != std::errc() || (next != end && *next != ',') || value == 0) {
      throw Error(ErrorCode::InvalidArgument,
                  fmt::format("{} cannot be '{}': expected positive numbers separated by commas", flag, text),
                  "for example 10,20,40");
    }
    values.push_back(value);
    if (next == end) return values;
    at = next + 1;
  }
}

}  // namespace diskann::cli
