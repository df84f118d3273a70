// What a build refuses, and what it will take.
#include "index/builder_settings.hpp"

#include <algorithm>
#include <bit>

#include "base/checked.hpp"
#include "graph/build_incremental.hpp"
#include "graph/build_partitioned.hpp"
#include "graph/entry_points.hpp"
#include "index/code_layout.hpp"
#include "index/index_file.hpp"

namespace diskann {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorCode::InvalidArgument, what, hint);
}

/// Inner products of neighbours spread less than squared distances do, so that the same pruning needs a larger factor:
/// on wordnet-lsa recall@10 at L = 100 is 0.972 with 1.2 and 0.991 with 2.
/// And where each hop is a read from a drive, more edges are worth their distances: at R 64 lists of 10 by rows find
/// 0.990 of fashion-mnist with 1.5, 0.981 with 1.2, and 0.887 and 0.869 of wordnet-minilm, with as many hops.
float default_alpha(Distance metric, bool for_drive) {
  if (metric == Distance::InnerProduct) return 2.0f;
  return for_drive ? 1.5f : BuildParameters{}.alpha;
}

/// From how many rows on the partitioned builder is chosen: its leaves hold 1,024, and few leaves make a poor graph
/// (2,000 clustered rows by inner product, R 32: 310 distances at recall@10 0.99 against 229).
constexpr std::uint64_t kPartitionedRows = 4096;

template <class T>
void check_range(const char* name, T value, T least, T most) {
  if (value >= least && value <= most) return;
  refuse(std::string(name) + " must be " + std::to_string(least) + " to " + std::to_string(most) + ", not " +
         std::to_string(value));
}

void check_ids(const std::vector<std::uint64_t>& ids, std::uint64_t rows) {
  if (ids.size() != rows)
    refuse(std::to_string(ids.size()) + " ids for " + std::to_string(rows) + " vectors", "give one id for each vector");
  std::vector<std::uint64_t> sorted = ids;
  std::sort(sorted.begin(), sorted.end());
  const auto repeated = std::adjacent_find(sorted.begin(), sorted.end());
  if (repeated == sorted.end()) return;
  const auto first = std::find(ids.begin(), ids.end(), *repeated);
  const auto second = std::find(first + 1, ids.end(), *repeated);
  throw Error(ErrorCode::AlreadyExists, "id " + std::to_string(*repeated) + " is given to two vectors, rows " +
                                            std::to_string(first - ids.begin()) + " and " +
                                            std::to_string(second - ids.begin()));
}

}  // namespace

BuildParameters IndexBuilder::Settings::checked_parameters() const {
  BuildParameters checked = parameters;
  checked.alpha = alpha.value_or(default_alpha(metric, for_drive));
  check_range("max_degree", checked.max_degree, 2u, 1024u);
  check_range("search_list_size", checked.search_list_size, 1u, 100'000u);
  if (checked.page_bytes != 0)
    check_range("page_bytes", checked.page_bytes, BuildParameters::kLeastPageBytes, BuildParameters::kMostPageBytes);
  if (checked.page_bytes != 0 && !std::has_single_bit(checked.page_bytes))
    refuse("page_bytes must be a power of two, not " + std::to_string(checked.page_bytes));
  if (!(checked.alpha >= 1.0f && checked.alpha <= 10.0f))
    refuse("alpha must be 1 to 10, not " + std::to_string(checked.alpha));
  if (metric == Distance::Custom && custom == nullptr)
    refuse("the custom metric needs a function", "use IndexBuilder::distance_function");
  if (metric == Distance::Custom && store_as.value_or(VectorType::F32) != VectorType::F32)
    refuse("a user's distance takes f32 vectors", "leave the stored type out");
  if (metric == Distance::Custom && builder == GraphBuilder::Partitioned)
    refuse("the partitioned builder has no user-defined distance", "use the incremental one, or auto");
  if (metric == Distance::Custom && codes.codec != Codec::None && codes.codec != Codec::Auto)
    refuse("a user's distance compares vectors: there are no codes for it", "leave the codec out");
  const bool named = codes.codec != Codec::None && codes.codec != Codec::Auto && metric != Distance::Custom;
  if (drop_vectors && !named)
    refuse("vectors can be dropped only where codes are kept",
           "name them: IndexBuilder::quantize, --quantize sq8; a user's distance has none");
  if (for_drive && !named)
    refuse("an index on a drive is searched by codes in memory", "name them: IndexBuilder::quantize, --quantize pq8");
  if (codes.chunks != 0 && index::product_bits(codes.codec) == 0)
    refuse("chunks are for product codes (pq4, pq8), not for " + std::string(to_string(codes.codec)));
  if (metric == Distance::Custom && tuning_queries.rows() > 0)
    refuse("there is no exact search by a user's distance to tune by", "leave the tuning queries out");
  return checked;
}

void IndexBuilder::Settings::check_shape(std::uint64_t rows, std::size_t dimension) const {
  if (rows == 0) refuse("empty input: there are no vectors to index");
  if (dimension == 0) refuse("the vectors have no components");
  if (dimension > base::kMaxDimension) {
    refuse("the vectors have " + std::to_string(dimension) + " dimensions, at most " +
           std::to_string(base::kMaxDimension) + " are supported");
  }
  if (rows > base::kMaxSlots) {
    refuse(std::to_string(rows) + " vectors are more than one index holds (" + std::to_string(base::kMaxSlots) + ")");
  }
  if (dimensions && *dimensions != dimension) {
    throw Error(ErrorCode::DimensionMismatch, "the builder expects " + std::to_string(*dimensions) +
                                                  " dimensions, the vectors have " + std::to_string(dimension));
  }
  if (ids) check_ids(*ids, rows);
  if (codes.chunks > dimension) {
    refuse(std::to_string(codes.chunks) + " chunks of codes are more than " + std::to_string(dimension) +
           " components");
  }
  if (codes.codec != Codec::None && codes.codec != Codec::Auto &&
      !index::has_codes(codes.codec, VectorType::F32, dimension))
    refuse(
        "vectors of " + std::to_string(dimension) + " dimensions have no codes " + std::string(to_string(codes.codec)),
        "choose another codec: sq4 takes all");
  if (tuning_queries.rows() > 0 && tuning_queries.dimension() != dimension) {
    throw Error(ErrorCode::DimensionMismatch, "the tuning queries have " + std::to_string(tuning_queries.dimension()) +
                                                  " dimensions, the vectors have " + std::to_string(dimension));
  }
  try {
    distance::check_finite(tuning_queries, 0);
  } catch (const Error& error) {
    throw Error(error.code(), std::string("tuning queries: ") + error.what(), error.hint());
  }
}

BuildEstimate IndexBuilder::Settings::estimate_of(GraphBuilder which, std::uint64_t rows, std::size_t dimension,
                                                  VectorType type, bool coded, const index::CodeChoice& walked) const {
  const unsigned threads = base::threads_of(execution);
  const auto times = [](std::uint64_t a, std::uint64_t b) {
    return base::checked_multiply(a, b, "the estimate", ErrorCode::InvalidArgument);
  };
  const VectorType stored = store_as.value_or(type);
  const bool in_bytes = coded && size_of(stored) > 1 && metric != Distance::Custom;
  const VectorType compared = in_bytes ? VectorType::U8 : stored;
  const graph::BuilderMemory memory =
      which == GraphBuilder::Partitioned
          ? graph::partitioned_memory(rows, dimension, compared, metric, parameters, threads)
          : graph::incremental_memory(rows, parameters, threads);
  constexpr std::uint64_t kFixed = std::uint64_t{12} << 20;  // of a process that has nothing to do yet
  const std::uint64_t given = ids ? times(rows, sizeof(std::uint64_t) * 2) : 0;  // ids, here and in the index
  const std::uint64_t fixed = rows * (sizeof(std::uint64_t) * 2) + given + kFixed;
  const std::uint64_t vectors = times(rows, base::row_stride(stored, dimension));
  const std::uint64_t compared_rows = times(rows, base::row_stride(compared, dimension));
  const std::uint64_t finished = times(rows, graph::row_slots(parameters.max_degree) * sizeof(base::Slot));

  BuildEstimate most;
  const auto stage = [&](std::uint64_t held, std::uint64_t graph, std::uint64_t scratch) {
    if (held + graph + scratch <= most.total()) return;
    most.vectors = held;
    most.graph = graph;
    most.scratch = scratch;
  };
  stage(compared_rows, memory.graph, memory.scratch + fixed);
  if (in_bytes) {
    stage(vectors, 0, compared_rows + fixed);
    stage(vectors, finished, fixed);
  }
  // Of searching for probes: visited marks of four walks a thread, and the exact scan for their neighbours.
  const std::uint64_t trials = threads * (std::uint64_t{3} << 20) + std::min(threads, 16u) * (rows / 4 * 3);
  if (metric != Distance::Custom) stage(vectors, finished, fixed + trials);
  for (const index::CodeChoice& tried : index::codes_to_try(walked, metric, stored, dimension)) {
    const index::CodeLayout layout = index::code_layout(tried, metric, dimension, rows);
    const std::uint64_t made = times(rows, layout.stride() + (layout.factors + layout.made) * sizeof(float));
    const std::uint64_t kept = times(rows, layout.stride() + layout.factors * sizeof(float));
    const std::uint64_t learnt = layout.directions + layout.centroids;
    const std::uint64_t learning = fixed + learnt + index::training_bytes(tried, rows, dimension, threads);
    const std::uint64_t coding = fixed + learnt + threads * index::coding_bytes(tried, dimension);
    stage(vectors, finished, learning);
    stage(vectors + made, finished, coding);
    stage(vectors + kept, finished, coding + trials);
    // While nodes are put in order: the graph backwards, and of a node its place, its number, edges and visits.
    if (for_drive) stage(vectors + kept, 2 * finished, fixed + learnt + 40 * rows);
  }
  most.builder = which;
  most.index_bytes = index::index_file_bytes(rows, dimension, stored, metric, parameters, ids.has_value(), walked,
                                             drop_vectors, for_drive);
  MemoryUsage& searched = most.searched;
  if (!for_drive) {
    if (!drop_vectors) searched.vectors = vectors;
    searched.graph = finished;
    if (!drop_vectors && distance::has_norms(metric, stored, dimension, rows)) searched.norms = rows * sizeof(float);
  }
  for (const index::CodeChoice& tried : index::codes_to_try(walked, metric, stored, dimension)) {
    const index::CodeLayout layout = index::code_layout(tried, metric, dimension, rows);
    const std::uint64_t of_codes = rows * (layout.stride() + layout.factors * sizeof(float)) + layout.directions +
                                   layout.centroids + layout.means * sizeof(float);
    if (of_codes <= searched.codes) continue;
    searched.codes = of_codes;
    if (for_drive) searched.graph = rows * layout.stride() / 8;
  }
  searched.graph += graph::kEntryPoints * sizeof(base::Slot);
  searched.ids = (ids ? rows * sizeof(std::uint64_t) * 2 : 0) + (for_drive ? rows * sizeof(std::uint32_t) : 0);
  if (which == GraphBuilder::Partitioned) most.comparisons = graph::partitioned_comparisons(rows, dimension);
  return most;
}

BuildEstimate IndexBuilder::Settings::estimate_by(const index::CodeChoice& walked, std::uint64_t rows,
                                                  std::size_t dimension, VectorType type, bool coded) const {
  if (builder != GraphBuilder::Auto) return estimate_of(builder, rows, dimension, type, coded, walked);
  const BuildEstimate incremental = estimate_of(GraphBuilder::Incremental, rows, dimension, type, coded, walked);
  // Its graphs take fewer hops, if more distances: of wordnet-minilm 20 in place of 38 for a recall@10 of 0.95.
  if (metric == Distance::Custom || rows < kPartitionedRows || for_drive) return incremental;
  const BuildEstimate partitioned = estimate_of(GraphBuilder::Partitioned, rows, dimension, type, coded, walked);
  const bool too_large = memory_limit && partitioned.total() > *memory_limit;
  return too_large && incremental.total() < partitioned.total() ? incremental : partitioned;
}

index::CodeChoice IndexBuilder::Settings::codes_within_limit(std::uint64_t rows, std::size_t dimension, VectorType type,
                                                             bool coded) const {
  if (codes.codec != Codec::Auto || !memory_limit) return codes;
  // Nor are they worth the slower builder.
  const BuildEstimate with = estimate_by(codes, rows, dimension, type, coded);
  const BuildEstimate without = estimate_by(Codec::None, rows, dimension, type, coded);
  return with.total() <= *memory_limit && with.builder == without.builder ? codes : index::CodeChoice(Codec::None);
}

BuildEstimate IndexBuilder::Settings::estimate(std::uint64_t rows, std::size_t dimension, VectorType type,
                                               bool coded) const {
  return estimate_by(codes_within_limit(rows, dimension, type, coded), rows, dimension, type, coded);
}

void IndexBuilder::Settings::check_memory(const BuildEstimate& estimate) const {
  if (!memory_limit || estimate.total() <= *memory_limit) return;
  throw Error(ErrorCode::OutOfMemory,
              "the build needs up to " + std::to_string(estimate.total()) + " bytes, the limit is " +
                  std::to_string(*memory_limit),
              "raise the limit to " + std::to_string(estimate.total()) + " bytes, or lower max_degree");
}

std::optional<unsigned> IndexBuilder::Settings::threads_within(std::uint64_t rows, std::size_t dimension,
                                                               VectorType type, std::uint64_t memory) const {
  Settings whole = *this;
  const auto fits = [&](unsigned threads) {
    whole.execution.threads = threads;
    return std::max(whole.estimate(rows, dimension, type).total(),
                    whole.estimate(rows, dimension, type, false).total()) <= memory;
  };
  if (!fits(1)) return std::nullopt;
  unsigned threads = base::threads_of(execution);
  while (threads > 1 && !fits(threads)) --threads;
  return threads;
}

void IndexBuilder::Settings::check_parts() const {
  if (tuning_queries.rows() > 0)
    throw Error(ErrorCode::InvalidArgument, "recall is not measured on queries where vectors do not fit in memory",
                "leave the tuning queries out");
}

index::BudgetedRows IndexBuilder::Settings::in_parts(std::uint64_t rows, std::size_t dimension, VectorType type) const {
  return {rows,
          dimension,
          type,
          store_as.value_or(type),
          metric,
          checked_parameters(),
          estimate(rows, dimension, type).builder,
          codes,
          ids.has_value(),
          base::threads_of(execution)};
}

}  // namespace diskann
