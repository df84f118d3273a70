#pragma once

#include <string>
#include <vector>

namespace diskann::cli {

/// Text in right-aligned columns, each as wide as its widest cell.
class Table {
 public:
  explicit Table(std::vector<std::string> header);
  void add(std::vector<std::string> cells);
  /// Lines without a newline at the end of the last.
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace diskann::cli
