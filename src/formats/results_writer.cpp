#include <cmath>
#include <limits>
#include <string>

#include "diskann/vector_file.hpp"
#include "formats/output_file.hpp"

namespace diskann {

namespace {

using formats::OutputFile;

constexpr std::uint32_t kNoId32 = 0xFFFFFFFF;
constexpr std::uint64_t kMaxCount = 0x7FFFFFFF;  // the counts of the binary forms are read as signed

/// Hits of one query; `distances` is empty where they are not known or not wanted.
struct Row {
  std::span<const std::uint64_t> ids;
  std::span<const float> distances;
};

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::InvalidArgument, path.string() + ": " + what, std::move(hint));
}

std::uint32_t narrow(const std::filesystem::path& path, std::size_t row, std::uint64_t id) {
  if (id >= kNoId32)
    refuse(path,
           "query " + std::to_string(row) + ": id " + std::to_string(id) + " does not fit the 32 bits of the format",
           "write .txt or .json, which hold ids of 64 bits");
  return static_cast<std::uint32_t>(id);
}

void put_text_row(OutputFile& file, const Row& row) {
  bool first = true;
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    if (!first) file.put_text(" ");
    first = false;
    file.put_number(row.ids[i]);
    if (row.distances.empty()) continue;
    file.put_text(":");
    file.put_number(row.distances[i]);
  }
  file.put_text("\n");
}

void put_json_row(OutputFile& file, std::size_t query, const Row& row) {
  file.put_text(query == 0 ? "\n{\"query\":" : ",\n{\"query\":");
  file.put_number(query);
  const auto put_list = [&](const char* key, const auto& put_one) {
    file.put_text(key);
    bool first = true;
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
      if (!first) file.put_text(",");
      first = false;
      put_one(i);
    }
    file.put_text("]");
  };
  put_list(",\"ids\":[", [&](std::size_t i) { file.put_number(row.ids[i]); });
  if (!row.distances.empty())
    put_list(",\"distances\":[", [&](std::size_t i) {
      if (std::isfinite(row.distances[i]))
        file.put_number(row.distances[i]);
      else
        file.put_text("null");  // JSON has no infinity
    });
  file.put_text("}");
}

/// `row_of(i)` gives the hits of query i.
template <class RowOf>
void put_readable(OutputFile& file, bool json, std::size_t rows, const RowOf& row_of) {
  if (json) file.put_text("[");
  for (std::size_t i = 0; i < rows; ++i) {
    if (json)
      put_json_row(file, i, row_of(i));
    else
      put_text_row(file, row_of(i));
  }
  if (json) file.put_text("\n]\n");
}

}  // namespace

void check_result_suffix(const std::filesystem::path& path, ResultKind kind) {
  const std::string suffix = path.extension().string();
  if (suffix == ".txt" || suffix == ".json" || suffix == ".bin") return;
  if (kind == ResultKind::Range)
    refuse(path, "the suffix '" + suffix + "' names no format of range results", "name it .txt, .json or .bin");
  if (suffix != ".ivecs")
    refuse(path, "the suffix '" + suffix + "' names no format of result files", "name it .txt, .json, .ivecs or .bin");
}

void write_results(const std::filesystem::path& path, const SearchResults& results, bool with_distances) {
  check_result_suffix(path, ResultKind::Nearest);
  const std::string suffix = path.extension().string();
  const bool text = suffix == ".txt" || suffix == ".json";
  if (results.ids.size() != results.rows * results.k ||
      (!results.distances.empty() && results.distances.size() != results.ids.size()))
    refuse(path, "the results have " + std::to_string(results.ids.size()) + " ids and " +
                     std::to_string(results.distances.size()) + " distances for " + std::to_string(results.rows) +
                     " queries of " + std::to_string(results.k));
  if (with_distances && results.distances.empty() && !results.ids.empty())
    refuse(path, "distances are asked for, but the results have none");
  if (with_distances && suffix == ".ivecs") refuse(path, "an .ivecs file cannot hold distances", "write .txt or .bin");
  if (!text && (results.k == 0 || results.k > kMaxCount || results.rows > kMaxCount))
    refuse(path, std::to_string(results.rows) + " queries of " + std::to_string(results.k) +
                     " hits cannot be written in this format");
  if (suffix == ".ivecs" && results.rows == 0)
    refuse(path, "a file of this format without rows would not say how many hits a row has");

  OutputFile file(path, true);
  if (text) {
    std::vector<std::uint64_t> ids;
    std::vector<float> distances;
    put_readable(file, suffix == ".json", results.rows, [&](std::size_t row) {
      ids.clear();
      distances.clear();
      for (std::size_t i = 0; i < results.k; ++i) {
        if (!results.has_hit(row, i)) continue;
        ids.push_back(results.ids_of(row)[i]);
        if (with_distances) distances.push_back(results.distances_of(row)[i]);
      }
      return Row{ids, distances};
    });
  } else {
    const auto k = static_cast<std::uint32_t>(results.k);
    if (suffix == ".bin") {
      file.put_value(static_cast<std::uint32_t>(results.rows));
      file.put_value(k);
    }
    for (std::size_t i = 0; i < results.rows; ++i) {
      if (suffix == ".ivecs") file.put_value(k);
      for (std::size_t j = 0; j < results.k; ++j)
        file.put_value(results.has_hit(i, j) ? narrow(path, i, results.ids_of(i)[j]) : kNoId32);
    }
    if (suffix == ".bin" && !results.distances.empty())
      file.put(results.distances.data(), results.distances.size() * sizeof(float));
  }
  file.commit();
}

void write_range_results(const std::filesystem::path& path, std::span<const std::vector<Hit>> results,
                         bool with_distances) {
  check_result_suffix(path, ResultKind::Range);
  const std::string suffix = path.extension().string();
  OutputFile file(path, true);
  if (suffix != ".bin") {
    std::vector<std::uint64_t> ids;
    std::vector<float> distances;
    put_readable(file, suffix == ".json", results.size(), [&](std::size_t i) {
      ids.clear();
      distances.clear();
      for (const Hit& hit : results[i]) {
        ids.push_back(hit.id);
        if (with_distances) distances.push_back(hit.distance);
      }
      return Row{ids, distances};
    });
    return file.commit();
  }
  std::uint64_t total = 0;
  for (const auto& hits : results) total += hits.size();
  if (results.size() > kMaxCount || total > kMaxCount)
    refuse(path,
           std::to_string(total) + " hits of " + std::to_string(results.size()) +
               " queries are more than the format can count",
           "write .txt or .json");
  file.put_value(static_cast<std::uint32_t>(results.size()));
  file.put_value(static_cast<std::uint32_t>(total));
  for (const auto& hits : results) file.put_value(static_cast<std::uint32_t>(hits.size()));
  for (std::size_t i = 0; i < results.size(); ++i)
    for (const Hit& hit : results[i]) file.put_value(narrow(path, i, hit.id));
  for (const auto& hits : results)
    for (const Hit& hit : hits) file.put_value(hit.distance);
  file.commit();
}

}  // namespace diskann
