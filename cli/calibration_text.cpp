#include "calibration_text.hpp"

#include <fmt/format.h>

#include "figures.hpp"

namespace diskann::cli {

std::string alone_text(bool has_vectors) { return has_vectors ? "" : " alone: distances are what they say"; }

std::string calibration_text(const Calibration& calibration) {
  std::string text;
  for (const double recall : {0.9, 0.95, 0.99}) {
    const auto size = list_size_for(calibration, recall, 10);
    if (size) text += fmt::format("{}{} by a list of {}", text.empty() ? "" : ", ", recall, *size);
  }
  return fmt::format("recall   @10 {} · of {}", text.empty() ? "below 0.9" : text,
                     calibration.stored_rows ? counted(calibration.queries, "stored row", "stored rows")
                                             : counted(calibration.queries, "query", "queries"));
}

void print_lists(const Calibration& calibration, Session& session) {
  for (const ListMeasurement& list : calibration.lists) {
    std::string text;
    for (std::size_t i = 0; i < calibration.k.size(); ++i)
      if (list.recall[i] > 0) text += fmt::format(" · recall@{} {:.4f}", calibration.k[i], list.recall[i]);
    session.print(fmt::format("list     {} · {:.1f} hops · {:.1f} distances{}", list.search_list_size, list.hops,
                              list.distance_computations, text));
  }
}

void add_calibration(const Calibration& calibration, JsonRow& row) {
  row.add("calibration_queries", calibration.queries).add("calibration_stored_rows", calibration.stored_rows);
  std::vector<JsonRow> lists;
  for (const ListMeasurement& list : calibration.lists) {
    JsonRow of_list;
    of_list.add("search_list_size", list.search_list_size).add("hops", list.hops);
    of_list.add("distance_computations", list.distance_computations);
    for (std::size_t i = 0; i < calibration.k.size(); ++i)
      if (list.recall[i] > 0) of_list.add(fmt::format("recall_{}", calibration.k[i]), list.recall[i]);
    lists.push_back(std::move(of_list));
  }
  row.add("calibration", std::span<const JsonRow>(lists));
}

}  // namespace diskann::cli
