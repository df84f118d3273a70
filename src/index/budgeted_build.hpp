#pragma once

#include <filesystem>

#include "formats/vector_reader.hpp"
#include "index/budget.hpp"

namespace diskann::index {

/// Where a build within a budget puts its file.
struct BudgetedOutput {
  std::filesystem::path path;
  bool overwrite = false, resume = false;
  std::uint64_t budget = 0;
};

/// Builds an index for a drive of rows that do not fit in memory: carved into shards that overlap, a graph of each,
/// merged by pruning anew (as in the DiskANN paper, Subramanya et al., NeurIPS 2019). What does not fit lies in a
/// directory beside the output. The same file at every thread count.
void build_within_budget(const formats::VectorReader& reader, const BudgetedRows& what,
                         const std::vector<std::uint64_t>* ids, const BudgetedOutput& output,
                         const Execution& execution);

}  // namespace diskann::index
