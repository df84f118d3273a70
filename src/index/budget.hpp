#pragma once

#include <cstddef>
#include <cstdint>

#include "diskann/index.hpp"
#include "index/code_layout.hpp"

namespace diskann::index {

/// What a build within a memory budget is to make.
struct BudgetedRows {
  std::uint64_t rows = 0;
  std::size_t dimension = 0;
  VectorType source = VectorType::F32, stored = VectorType::F32;
  Distance metric = Distance::L2;
  BuildParameters parameters;
  GraphBuilder builder = GraphBuilder::Incremental;
  CodeChoice codes;
  bool has_ids = false;
  unsigned threads = 1;
};

/// How it keeps to its budget.
struct BudgetPlan {
  std::size_t shards = 0;            ///< to begin with
  std::uint64_t capacity = 0;        ///< rows of a shard, at most
  std::size_t sample = 0;            ///< rows to learn from
  std::uint64_t gathered_bytes = 0;  ///< rows that merging holds
  unsigned threads = 1;              ///< fewer than asked for where there is no room for theirs
  std::uint64_t peak = 0;            ///< bytes that the process takes at most
};

/// The fewest shards with which a build keeps to `budget` bytes, the same for every number of threads. OutOfMemory
/// where it cannot, with the least that it could.
BudgetPlan plan_budget(const BudgetedRows& rows, std::uint64_t budget);

/// InvalidArgument where rows of that type have no such codes.
void check_codes(const BudgetedRows& rows);
/// The same, and for codes that are not made in parts.
void check_parts(const BudgetedRows& rows);

/// What lies beside the output at most while it is built: rows, with their edges in all shards that they are in and
/// those that are kept of them.
std::uint64_t spilled_bytes(const BudgetedRows& rows, const BudgetPlan& plan);

}  // namespace diskann::index
