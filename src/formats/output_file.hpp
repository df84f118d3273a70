#pragma once

#include <charconv>
#include <filesystem>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

#include "io/atomic_file.hpp"

namespace diskann::formats {

/// Appends values and text to an atomic file through a buffer.
class OutputFile {
 public:
  OutputFile(const std::filesystem::path& path, bool overwrite) : file_(path, overwrite) { buffer_.reserve(kBuffer); }

  void put(const void* data, std::size_t bytes) {
    const auto* from = static_cast<const std::byte*>(data);
    if (buffer_.size() + bytes > kBuffer) flush();
    if (bytes >= kBuffer)
      file_.write({from, bytes});
    else
      buffer_.insert(buffer_.end(), from, from + bytes);
  }
  template <class T>
  void put_value(T value) {
    static_assert(std::is_arithmetic_v<T>);
    put(&value, sizeof value);
  }
  void put_text(std::string_view text) { put(text.data(), text.size()); }
  /// The shortest text that reads back as the same number.
  template <class T>
  void put_number(T value) {
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, value).ptr;
    put(text, static_cast<std::size_t>(end - text));
  }
  void commit(const CancelToken* cancel = nullptr) {
    flush();
    file_.commit(cancel);
  }
  std::filesystem::path release() {
    flush();
    return file_.release();
  }

 private:
  static constexpr std::size_t kBuffer = std::size_t{1} << 20;
  void flush() {
    if (!buffer_.empty()) file_.write(buffer_);
    buffer_.clear();
  }

  io::AtomicFile file_;
  std::vector<std::byte> buffer_;
};

}  // namespace diskann::formats
