#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arguments.hpp"
#include "diskann/index.hpp"
#include "inputs.hpp"
#include "session.hpp"

namespace diskann::cli {

/// How a graph is to be built: what `build` does and `estimate` foretells.
struct BuilderFlags {
  std::string metric = "l2";
  std::uint32_t max_degree = BuildParameters{}.max_degree;
  std::optional<std::uint32_t> search_list_size;
  std::optional<float> alpha;
  std::string builder = "auto";
  std::uint32_t threads = 0;
  std::optional<std::string> store_as;
  std::string codec = "auto";
  bool use_pq = false;
  std::optional<std::uint32_t> pq_bits, pq_chunks;
  bool drop_vectors = false, for_drive = false;
  std::optional<std::string> page_size, memory_limit, search_memory;
};

/// -m, -R, -L, --alpha, --builder, -j, --dtype with this help, --quantize, --use-pq, --pq-bits, --pq-chunks,
/// --drop-vectors, --disk, --page-size, --search-memory and --memory-limit.
void declare_builder_flags(Arguments& arguments, BuilderFlags& flags, const std::string& dtype_help);
/// --input-format and --input-dtype of a vector file.
void declare_input_flags(Arguments& arguments, VectorInput& input);

/// How many threads that means.
unsigned threads_of(const BuilderFlags& flags);
/// The codec that --quantize or --use-pq ask for.
Codec codec_of(const BuilderFlags& flags);
/// A builder with these settings, checked as far as they go without data; the memory limit is left to plan_build().
IndexBuilder make_builder(const BuilderFlags& flags, const Execution& execution);

/// UsageError where --build-memory does not go with the other flags.
void check_build_memory(const BuilderFlags& flags);

/// Sees to --search-memory: as many chunks of product codes as fit, or OutOfMemory with what other codes take.
void fit_search_memory(const BuilderFlags& flags, IndexBuilder& builder, std::uint64_t rows, std::size_t dimension,
                       VectorType type);

/// What a build of rows of this shape takes.
struct BuildPlan {
  BuildEstimate estimate;
  std::uint64_t copy = 0;  ///< bytes of rows that are read whole before they are built from
  std::uint64_t total() const noexcept { return estimate.total() + copy; }
};
/// Sets the memory limit of `builder`, by which it may choose, and sees to --search-memory.
BuildPlan plan_build(const BuilderFlags& flags, IndexBuilder& builder, std::uint64_t rows, std::size_t dimension,
                     VectorType type, std::uint64_t copy);
/// Throws OutOfMemory where the plan is beyond --memory-limit.
void check_memory_limit(const BuilderFlags& flags, const BuildPlan& plan);
/// "458.3 MiB at most: vectors … · graph … · scratch …".
std::string memory_text(const BuildPlan& plan);
/// "458.3 MiB · vectors … · graph … · ids … · norms … · codes …".
std::string usage_text(const MemoryUsage& memory);

/// A format that the suffix does not tell has to be read whole before it is built from.
bool needs_own_reading(const VectorInput& input, const ReadOptions& options);

}  // namespace diskann::cli
