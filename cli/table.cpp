#include "table.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace diskann::cli {
namespace {

/// Characters on the screen: bytes that continue a UTF-8 sequence take no room.
std::size_t width(const std::string& cell) {
  return static_cast<std::size_t>(
      std::count_if(cell.begin(), cell.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0u) != 0x80u; }));
}

}  // namespace

Table::Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }

void Table::add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

std::string Table::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string text;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    if (r > 0) text += '\n';
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      if (c > 0) text += "  ";
      text.append(widths[c] - width(rows_[r][c]), ' ');
      text += rows_[r][c];
    }
  }
  return text;
}

}  // namespace diskann::cli
