#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace diskann::cli {

/// One JSON object on one line, keys in the order they were added. What is not finite becomes null.
class JsonRow {
 public:
  JsonRow& add(std::string_view key, std::string_view value);
  JsonRow& add(std::string_view key, const char* value) { return add(key, std::string_view(value)); }
  JsonRow& add(std::string_view key, double value);
  /// The shortest digits that read back as the same float.
  JsonRow& add(std::string_view key, float value);
  JsonRow& add(std::string_view key, bool value);
  template <std::unsigned_integral T>
  requires(!std::same_as<T, bool>) JsonRow& add(std::string_view key, T value) {
    return add_number(key, static_cast<std::uint64_t>(value));
  }
  JsonRow& add(std::string_view key, const JsonRow& value);
  JsonRow& add(std::string_view key, std::span<const std::string> values);
  JsonRow& add(std::string_view key, std::span<const JsonRow> values);
  JsonRow& add(std::string_view key, std::span<const std::uint64_t> values);
  JsonRow& add(std::string_view key, std::span<const float> values);

  std::string text() const { return "{" + body_ + "}"; }

 private:
  JsonRow& add_number(std::string_view key, std::uint64_t value);
  void key(std::string_view key);
  std::string body_;
};

}  // namespace diskann::cli
