#include "result_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "diskann/vector_file.hpp"
#include "inputs.hpp"

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

/// Once read, the largest id without a distance would pass for padding.
void check_known(const std::filesystem::path& path, std::size_t row, const Hit& hit) {
  if (hit.id == kNoId && hit.distance == kInfinity)
    refuse(path, row, fmt::format("{} without a distance marks a missing hit, and is no id", kNoId));
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
  bool first = true;
  std::ifstream file = open_text(path);
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
      if (first) rows.distances = has_distance;
      first = false;
      if (has_distance != rows.distances)
        refuse(path, rows.hits.size(), "some hits have distances, and some have none");
      hits.push_back(hit);
      at = line.find_first_not_of(" \r", end);
    }
    rows.hits.push_back(std::move(hits));
  }
  return rows;
}

/// The query that the entry at place `at` answers: its "query", or its place where it has none. As many different
/// numbers as entries, each below their count: so none is missing.
std::size_t query_of(const std::filesystem::path& path, const nlohmann::json& entry, std::size_t at,
                     std::vector<bool>& seen) {
  if (!entry.is_object()) refuse(path, at, "the entry is no object");
  std::size_t query = at;
  if (entry.contains("query")) {
    const auto& number = entry["query"];
    if (!number.is_number_unsigned() || number.get<std::uint64_t>() >= seen.size()) {
      refuse(path, at,
             fmt::format("the entry has \"query\" {}, which is no number below {}, the count of entries",
                         number.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace), seen.size()));
    }
    query = number.get<std::size_t>();
  }
  if (seen[query]) refuse(path, query, "there are two entries of this query");
  seen[query] = true;
  return query;
}

Rows read_json(const std::filesystem::path& path) {
  std::ifstream file = open_text(path);
  const nlohmann::json document = nlohmann::json::parse(file, nullptr, false);
  if (!document.is_array()) refuse(path, 0, "the file is no JSON array");
  Rows rows;
  rows.hits.resize(document.size());
  std::vector<bool> seen(document.size());
  for (std::size_t at = 0; at < document.size(); ++at) {
    const auto& entry = document[at];
    const std::size_t row = query_of(path, entry, at, seen);
    if (!entry.contains("ids") || !entry["ids"].is_array()) refuse(path, row, "no \"ids\"");
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
      if (has_distances) {
        const auto& distance = entry["distances"][i];
        if (!distance.is_number() && !distance.is_null()) refuse(path, row, "a distance is no number");
        if (distance.is_number()) hit.distance = distance.get<float>();
      }
      hits.push_back(hit);
    }
    rows.hits[row] = std::move(hits);
  }
  return rows;
}

SearchResults nearest_results(const std::filesystem::path& path, const Rows& rows) {
  SearchResults results;
  results.rows = rows.hits.size();
  if (!rows.hits.empty()) results.k = rows.hits.front().size();
  for (std::size_t row = 0; row < results.rows; ++row) {
    if (rows.hits[row].size() != results.k) {
      throw Error(
          ErrorCode::InvalidArgument,
          fmt::format("{} holds range results: query 0 has {} of them, query {} has {}; the k nearest are needed",
                      path.string(), results.k, row, rows.hits[row].size()),
          "search without --range; where k points were not found, write .bin or .ivecs, which mark the gaps");
    }
    for (const Hit& hit : rows.hits[row]) {
      check_known(path, row, {hit.id, rows.distances ? hit.distance : kInfinity});
      results.ids.push_back(hit.id);
      if (rows.distances) results.distances.push_back(hit.distance);
    }
  }
  return results;
}

}  // namespace

bool is_result_suffix(const std::filesystem::path& path) {
  const std::filesystem::path suffix = path.extension();
  return suffix == ".txt" || suffix == ".json" || suffix == ".ivecs" || suffix == ".ibin";
}

ResultFileInfo inspect_any_results(const std::filesystem::path& path) {
  const bool json = path.extension() == ".json";
  if (!json && path.extension() != ".txt") return inspect_results(path);
  const Rows rows = json ? read_json(path) : read_text(path);
  ResultFileInfo info;
  info.rows = rows.hits.size();
  info.k = rows.hits.empty() ? 0 : rows.hits.front().size();
  for (const auto& hits : rows.hits) {
    info.hits += hits.size();
    if (hits.size() != rows.hits.front().size()) info.kind = ResultKind::Range;
  }
  if (info.kind == ResultKind::Range) info.k = 0;
  info.distances = rows.distances && info.hits > 0;
  info.file_bytes = std::filesystem::file_size(path);
  return info;
}

std::optional<ResultFileInfo> results_in(const std::filesystem::path& path) {
  if (is_result_suffix(path)) return inspect_any_results(path);
  if (path.extension() != ".bin") return {};
  try {
    const ResultFileInfo info = inspect_results(path);
    if (info.kind == ResultKind::Range) return info;  // its counts have a sum, which vectors do not have by chance
  } catch (const Error&) {
  }
  try {
    (void)inspect_vectors(path);
  } catch (const Error& of_vectors) {
    try {
      return inspect_results(path);
    } catch (const Error&) {  // vectors of a type that must be told, or broken ones
    }
  }
  return {};
}

SearchResults read_any_results(const std::filesystem::path& path) {
  if (path.extension() == ".txt") return nearest_results(path, read_text(path));
  if (path.extension() == ".json") return nearest_results(path, read_json(path));
  std::error_code error;  // what is wrong with the path, opening it says
  if (path.extension() != ".bin" && !is_result_suffix(path) && std::filesystem::exists(path, error)) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: the suffix '{}' names no format of result or ground-truth files", path.string(),
                            path.extension().string()),
                "name it .txt, .json, .ivecs, .bin or .ibin");
  }
  return read_results(path);
}

}  // namespace diskann::cli
