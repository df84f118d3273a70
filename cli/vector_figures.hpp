#pragma once

#include <span>
#include <string>
#include <vector>

#include "diskann/evaluation.hpp"

namespace diskann::cli {

class JsonRow;

/// What analyze_vectors() found, for people and for programs.
std::vector<std::string> statistics_lines(const VectorStatistics& statistics);
void add_statistics(JsonRow& row, const VectorStatistics& statistics);
/// A row as floats, and the first of them as text: "[0.1 0.2 …]".
std::vector<float> components(VectorView vectors, std::size_t row);
std::string preview_text(std::span<const float> values);

}  // namespace diskann::cli
