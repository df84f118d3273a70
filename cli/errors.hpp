#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace diskann::cli {

/// The command line itself cannot be right: an unknown flag, a missing argument, flags that contradict each other.
class UsageError : public std::runtime_error {
 public:
  explicit UsageError(const std::string& message, std::string hint = {})
      : std::runtime_error(message), hint_(std::move(hint)) {}
  const std::string& hint() const noexcept { return hint_; }

 private:
  std::string hint_;
};

}  // namespace diskann::cli
