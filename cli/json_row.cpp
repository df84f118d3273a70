#include "json_row.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

namespace diskann::cli {
namespace {

std::string json_string(std::string_view text) {
  return nlohmann::json(std::string(text)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

template <class T>
std::string number(T value) {
  return std::isfinite(value) ? fmt::format("{}", value) : "null";
}

template <class Values, class Text>
std::string array(const Values& values, const Text& text) {
  std::string body;
  for (const auto& value : values) {
    if (!body.empty()) body += ',';
    body += text(value);
  }
  return "[" + body + "]";
}

}  // namespace

void JsonRow::key(std::string_view key) {
  if (!body_.empty()) body_ += ',';
  body_ += json_string(key) + ':';
}

JsonRow& JsonRow::add(std::string_view name, std::string_view value) {
  key(name);
  body_ += json_string(value);
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, double value) {
  key(name);
  // Seven digits are more than any measurement here has.
  body_ += std::isfinite(value) ? fmt::format("{:.7g}", value) : "null";
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, float value) {
  key(name);
  body_ += number(value);
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, bool value) {
  key(name);
  body_ += value ? "true" : "false";
  return *this;
}

JsonRow& JsonRow::add_number(std::string_view name, std::uint64_t value) {
  key(name);
  body_ += std::to_string(value);
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, const JsonRow& value) {
  key(name);
  body_ += value.text();
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, std::span<const std::string> values) {
  key(name);
  body_ += array(values, [](const std::string& value) { return json_string(value); });
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, std::span<const JsonRow> values) {
  key(name);
  body_ += array(values, [](const JsonRow& value) { return value.text(); });
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, std::span<const std::uint64_t> values) {
  key(name);
  body_ += array(values, [](std::uint64_t value) { return std::to_string(value); });
  return *this;
}

JsonRow& JsonRow::add(std::string_view name, std::span<const float> values) {
  key(name);
  body_ += array(values, [](float value) { return number(value); });
  return *this;
}

}  // namespace diskann::cli
