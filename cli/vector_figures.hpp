#pragma once

#include <string>
#include <vector>

#include "diskann/evaluation.hpp"

namespace diskann::cli {

class JsonRow;

/// What analyze_vectors() found, for people and for programs.
std::vector<std::string> statistics_lines(const VectorStatistics& statistics);
void add_statistics(JsonRow& row, const VectorStatistics& statistics);
/// The first components of a row: "[0.1 0.2 … ]".
std::string preview_row(VectorView vectors, std::size_t row);

}  // namespace diskann::cli
