#include "index/budget.hpp"

#include <algorithm>
#include <string>

#include "graph/build_incremental.hpp"
#include "graph/build_partitioned.hpp"
#include "graph/shards.hpp"
#include "index/index_file.hpp"
#include "index/spilled_rows.hpp"

namespace diskann::index {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kFixed = 16 * kMiB;  // of a process that has nothing to do yet, and what stays in the heap
constexpr std::uint64_t kLeastRows = 4096;   // of a shard: smaller ones make poor graphs
constexpr double kFill = 0.75;               // of shards, on average: they differ in size

std::uint64_t shards_for(std::uint64_t rows, std::uint64_t capacity) {
  const auto wanted =
      static_cast<std::uint64_t>(2.0 * static_cast<double>(rows) / (kFill * static_cast<double>(capacity)));
  return base::round_up(std::max<std::uint64_t>(wanted + 1, 2), graph::ShardCenters::kStep);
}

/// Peak of all stages.
std::uint64_t peak_of(const BudgetedRows& what, const BudgetPlan& plan) {
  const std::uint64_t n = what.rows, c = plan.capacity;
  const std::uint64_t of_float = what.dimension * sizeof(float);
  const std::uint64_t row = base::row_stride(what.stored, what.dimension);
  const std::uint64_t record = (std::uint64_t{what.parameters.max_degree} + 1) * sizeof(base::Slot);
  const std::uint64_t always = kFixed + 4 * n + plan.sample * row + (what.has_ids ? 16 * n : 0);

  const std::uint64_t blocks = 8 * std::max(kMiB, row) + kMiB;
  const std::uint64_t reading = 40 * n + blocks + plan.threads * 2 * kMiB +
                                std::max(plan.sample * of_float, plan.shards * (std::uint64_t{72} << 10));
  // Codes of 8 bits may turn out too coarse, and then whole rows are compared.
  const bool in_bytes = size_of(what.stored) > 1;
  const graph::BuilderMemory memory =
      what.builder == GraphBuilder::Partitioned
          ? graph::partitioned_memory(c, what.dimension, what.stored, what.metric, what.parameters, plan.threads)
          : graph::incremental_memory(c, what.parameters, plan.threads);
  const std::uint64_t held = c * (row + 2 * sizeof(float));
  const std::uint64_t building =
      std::max({held + (in_bytes ? c * base::row_stride(VectorType::U8, what.dimension) : 0),
                held + memory.graph + memory.scratch,
                c * (graph::row_slots(what.parameters.max_degree) * sizeof(base::Slot) + 160)});
  const std::uint64_t merging = 12 * n + std::max(plan.gathered_bytes, 2 * row * (what.parameters.max_degree + 1)) +
                                4096 * 4 * record + 2 * kMiB + plan.threads * kMiB + 8 * c;
  std::uint64_t codes = 0, coding = 0;
  for (const CodeChoice& choice : codes_to_try(what.codes, what.metric, what.stored, what.dimension)) {
    const CodeLayout layout = code_layout(choice, what.metric, what.dimension, n);
    codes = n * (layout.stride() + layout.factors * sizeof(float)) + layout.directions + layout.centroids;
    const std::uint64_t learning = training_bytes(choice, plan.sample, what.dimension, plan.threads);
    const std::uint64_t of_shard = c * (row + layout.stride() + (layout.factors + layout.made) * sizeof(float)) +
                                   plan.threads * coding_bytes(choice, what.dimension);
    coding = std::max(learning, of_shard);
  }
  const std::uint64_t writing =
      12 * n + codes + std::max({coding, c * (row + record) + kMiB, 10 * n + 4 * kMiB + plan.gathered_bytes});
  return always + std::max({reading, building, merging, 8 * n + record, writing});
}

/// That shards leave room for, however many there are: rows are carved in the same way everywhere.
unsigned threads_within(std::uint64_t budget) noexcept {
  return static_cast<unsigned>(std::clamp<std::uint64_t>(budget / (32 * kMiB), 2, 256));
}

BudgetPlan plan_for(const BudgetedRows& rows, std::uint64_t budget, std::uint64_t capacity) {
  BudgetPlan plan;
  plan.capacity = capacity;
  plan.threads = threads_within(budget);
  plan.shards = shards_for(rows.rows, capacity);
  const std::uint64_t row = base::row_stride(rows.stored, rows.dimension);
  const std::uint64_t of_sample = row + rows.dimension * sizeof(float);
  plan.sample = std::min<std::uint64_t>(rows.rows, std::clamp<std::uint64_t>(budget / 8 / of_sample, 1024, 16'384));
  plan.gathered_bytes = std::clamp<std::uint64_t>(budget / 8, kMiB, 256 * kMiB);
  plan.peak = peak_of(rows, plan);
  return plan;
}

std::string mib(std::uint64_t bytes) { return std::to_string((bytes + kMiB - 1) / kMiB) + "M"; }

}  // namespace

BudgetPlan plan_budget(const BudgetedRows& rows, std::uint64_t budget) {
  const auto fewest = static_cast<std::uint64_t>(2.0 * static_cast<double>(rows.rows) /
                                                 (kFill * static_cast<double>(graph::ShardCenters::kMost - 1)));
  const std::uint64_t least = std::max(kLeastRows, fewest + 1);
  if (BudgetPlan smallest = plan_for(rows, budget, least); smallest.peak > budget) {
    // A larger budget takes larger samples.
    std::uint64_t enough = smallest.peak;
    while ((smallest = plan_for(rows, enough, least)).peak > enough) enough = smallest.peak;
    throw Error(ErrorCode::OutOfMemory,
                "the build needs " + mib(enough) + " of memory at least, " + mib(budget) + " are granted",
                "grant " + mib(enough) + " (--build-memory), or take a smaller max_degree or fewer chunks of codes");
  }
  std::uint64_t most = std::max(rows.rows, least) + 1, fits = least;
  while (fits + 1 < most) {
    const std::uint64_t middle = fits + (most - fits) / 2;
    (plan_for(rows, budget, middle).peak <= budget ? fits : most) = middle;
  }
  BudgetPlan plan = plan_for(rows, budget, fits);
  plan.threads = std::min(plan.threads, rows.threads);
  for (BudgetPlan more = plan; plan.threads < rows.threads; plan = more) {
    ++more.threads;
    if ((more.peak = peak_of(rows, more)) > budget) break;
  }
  return plan;
}

void check_codes(const BudgetedRows& rows) {
  if (has_codes(rows.codes.codec, rows.stored, rows.dimension)) return;
  throw Error(ErrorCode::InvalidArgument,
              "the vectors are stored as " + std::string(to_string(rows.stored)) + ", which is no larger than codes " +
                  std::string(to_string(rows.codes.codec)),
              "use pq8, sq4 or rabitq1 to rabitq7");
}

void check_parts(const BudgetedRows& rows) {
  check_codes(rows);
  if (rows.codes.codec == Codec::SQ8)  // which are made of what all rows have in common
    throw Error(ErrorCode::InvalidArgument, "codes sq8 are not made of vectors in parts", "use lvq8, pq8 or sq4");
}

std::uint64_t spilled_bytes(const BudgetedRows& rows, const BudgetPlan& plan) {
  const std::uint64_t record = (std::uint64_t{rows.parameters.max_degree} + 1) * sizeof(base::Slot);
  const std::uint64_t places = 2 * sizeof(base::Slot);  // in a shard, and which shards
  const std::uint64_t built = 2 * rows.rows + plan.shards * rows_everywhere(rows.metric, plan.capacity);
  return rows.rows * (base::row_stride(rows.stored, rows.dimension) + places + record) + built * record;
}

}  // namespace diskann::index
