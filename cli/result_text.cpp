#include "result_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "diskann/vector_file.hpp"

namespace diskann::cli {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Rows {
  std::vector<std::vector<Hit>> hits;
  bool distances = true;  ///< known for every hit
};

[[noreturn]] void refuse(const std::filesystem::path& path, std::size_t row, const std::string& what) {
  throw Error(
      ErrorCode::Corrupt, fmt::format("{}: query {}: {}", path.string(), row, what),
      "a result file has one line \"id id …\" or \"id:distance …\" a query, or an array of objects with \"ids\"");
}

std::ifstream open(const std::filesystem::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    throw IoError("cannot open", path.string(), errno != 0 ? errno : EISDIR);
  }
  return file;
}

/// "id" or "id:distance"; false where it is neither.
bool parse_hit(std::string_view word, Hit& hit, bool& has_distance) {
  const char* const end = word.data() + word.size();
  const auto [after_id, id_error] = std::from_chars(word.data(), end, hit.id);
  if (id_error != std::errc()) return false;
  has_distance = after_id != end;
  if (!has_distance) return true;
  if (*after_id != ':') return false;
  const auto [after, error] = std::from_chars(after_id + 1, end, hit.distance);
  return error == std::errc() && after == end;
}

Rows read_text(const std::filesystem::path& path) {
  Rows rows;
  std::ifstream file = open(path);
  for (std::string line; std::getline(file, line);) {
    std::vector<Hit> hits;
    for (std::size_t at = line.find_first_not_of(" \r"); at != std::string::npos;) {
      const std::size_t end = std::min(line.find_first_of(" \r", at), line.size());
      const std::string_view word = std::string_view(line).substr(at, end - at);
      Hit hit{kNoId, kInfinity};
      bool has_distance = false;
      if (!parse_hit(word, hit, has_distance)) {
        refuse(path, rows.hits.size(), fmt::format("'{}' is no id", word.substr(0, 40)));
      }
      rows.distances = rows.distances && has_distance;
      hits.push_back(hit);
      at = line.find_first_not_of(" \r", end);
    }
    rows.hits.push_back(std::move(hits));
  }
  return rows;
}

Rows read_json(const std::filesystem::path& path) {
  std::ifstream file = open(path);
  const nlohmann::json document = nlohmann::json::parse(file, nullptr, false);
  if (!document.is_array()) refuse(path, 0, "the file is no JSON array");
  Rows rows;
  for (const auto& entry : document) {
    const std::size_t row = rows.hits.size();
    if (!entry.is_object() || !entry.contains("ids") || !entry["ids"].is_array()) refuse(path, row, "no \"ids\"");
    const auto& ids = entry["ids"];
    const bool has_distances = entry.contains("distances");
    if (has_distances && (!entry["distances"].is_array() || entry["distances"].size() != ids.size())) {
      refuse(path, row, "\"distances\" is not as long as \"ids\"");
    }
    rows.distances = rows.distances && has_distances;
    std::vector<Hit> hits;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      if (!ids[i].is_number_unsigned()) refuse(path, row, "an id is no unsigned number");
      Hit hit{ids[i].get<std::uint64_t>(), kInfinity};
      if (has_distances && entry["distances"][i].is_number()) hit.distance = entry["distances"][i].get<float>();
      hits.push_back(hit);
    }
    rows.hits.push_back(std::move(hits));
  }
  return rows;
}

SearchResults padded(const Rows& rows) {
  SearchResults results;
  results.rows = rows.hits.size();
  for (const auto& hits : rows.hits) results.k = std::max(results.k, hits.size());
  results.ids.assign(results.rows * results.k, kNoId);
  if (rows.distances) results.distances.assign(results.rows * results.k, kInfinity);
  for (std::size_t row = 0; row < results.rows; ++row) {
    for (std::size_t i = 0; i < rows.hits[row].size(); ++i) {
      results.ids[row * results.k + i] = rows.hits[row][i].id;
      if (rows.distances) results.distances[row * results.k + i] = rows.hits[row][i].distance;
    }
  }
  return results;
}

}  // namespace

SearchResults read_any_results(const std::filesystem::path& path) {
  if (path.extension() == ".txt") return padded(read_text(path));
  if (path.extension() == ".json") return padded(read_json(path));
  return read_results(path);
}

}  // namespace diskann::cli
