#include "builder_flags.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "errors.hpp"
#include "figures.hpp"

namespace diskann::cli {
namespace {

std::optional<std::uint64_t> limit_of(const BuilderFlags& flags) {
  if (!flags.memory_limit) return {};
  return parse_bytes(*flags.memory_limit, "--memory-limit");
}

}  // namespace

void declare_builder_flags(Arguments& arguments, BuilderFlags& flags, const std::string& dtype_help) {
  arguments.option("-m,--metric", flags.metric, "METRIC", "l2, cosine or ip (default l2)");
  arguments.option("-R,--max-degree", flags.max_degree, "N", "Neighbours kept for each point (default 64)");
  arguments.option("-L,--search-list-size", flags.search_list_size, "N",
                   "Candidate list of the incremental builder: larger is better and slower (default 100)");
  arguments.option("--alpha", flags.alpha, "X", "Pruning slack: larger keeps more long edges (default 1.2; 2 for ip)");
  arguments.option("--builder", flags.builder, "NAME",
                   "partitioned (several times faster), incremental (less memory), or auto: partitioned from 4,096 "
                   "rows on, where --memory-limit allows it (default auto)");
  arguments.threads(flags.threads);
  arguments.option("--dtype", flags.store_as, "TYPE", dtype_help);
  arguments.option(
      "--quantize", flags.codec, "CODEC",
      "Codes that searches walk by, before the nearest are compared with the vectors themselves: none, f16, "
      "sq8, lvq8 or sq4 (8 or 4 bits a component), mix (of long vectors 64 directions in 7 bits and 128 in 4: two "
      "cache lines, more from 1,024 dimensions on), rabitq1 to rabitq8 (as many bits, of turned vectors), pq4 or pq8 "
      "(product quantization, 2 bits a component; pq is pq8), or auto: the smallest that trials find faster than "
      "vectors, where "
      "--memory-limit allows (default auto)");
  arguments.flag("--use-pq", flags.use_pq, "The same as --quantize pq8, or pq4 with --pq-bits 4");
  arguments.option("--pq-bits", flags.pq_bits, "BITS",
                   "Bits of a chunk of components with --use-pq or --quantize pq: 4 or 8 (default 8)");
  arguments.option("--pq-chunks", flags.pq_chunks, "N",
                   "Chunks of product codes: bytes a vector, or half bytes with 4 bits (default: 2 bits a component)");
  arguments.flag("--drop-vectors", flags.drop_vectors,
                 "Keep the codes of --quantize alone: less memory; hits and distances are what those say");
  arguments.flag("--disk", flags.for_drive,
                 "An index whose vectors and graph stay on the drive, searched by codes in memory (default pq8)");
  arguments.option("--page-size", flags.page_size, "SIZE",
                   "With --disk: what is read at once, 4K to 64K: larger pages take fewer reads and bring more bytes "
                   "(default: the smallest that eight vectors with their edges fit, up to 16K)");
  arguments.option("--search-memory", flags.search_memory, "SIZE",
                   "With --disk: what the index may take in memory when it is searched; product codes take as many "
                   "chunks as fit, up to 4 bits a component: 200M, 1.5GiB");
  arguments.option("--memory-limit", flags.memory_limit, "SIZE",
                   "Choose a builder that needs no more, or refuse before reading: 800M, 2G, 1.5GiB");
}

void declare_input_flags(Arguments& arguments, VectorInput& input) {
  arguments.option("--input-format", input.format, "FORMAT", "Format of the input, whatever its suffix");
  arguments.option("--input-dtype", input.type, "TYPE",
                   "Type of a .bin input: f32, f16, i8 or u8, where --dtype differs");
}

unsigned threads_of(const BuilderFlags& flags) { return flags.threads == 0 ? system_info().threads : flags.threads; }

Codec codec_of(const BuilderFlags& flags) {
  if (flags.for_drive && flags.drop_vectors)
    throw UsageError("--disk and --drop-vectors contradict each other", "leave one of them out");
  if (flags.pq_chunks == 0u) throw UsageError("--pq-chunks 0: a code has 1 chunk or more", "leave it out");
  const bool by_name = flags.codec == "pq";
  if (!flags.use_pq && !by_name) {
    if (flags.pq_bits) throw UsageError("--pq-bits says nothing without --use-pq", "add it, or leave --pq-bits out");
    const Codec codec = parse_codec(flags.codec);
    return flags.for_drive && codec == Codec::Auto ? Codec::PQ8 : codec;
  }
  const std::uint32_t bits = flags.pq_bits.value_or(8);
  if (bits != 4 && bits != 8) throw UsageError(fmt::format("--pq-bits {}: there are 4 and 8", bits));
  const Codec codec = bits == 4 ? Codec::PQ4 : Codec::PQ8;
  if (!by_name && flags.codec != "auto" && parse_codec(flags.codec) != codec) {
    throw UsageError(fmt::format("--quantize {} and --use-pq want different codes ({})", flags.codec, to_string(codec)),
                     "leave one of them out");
  }
  return codec;
}

IndexBuilder make_builder(const BuilderFlags& flags, const Execution& execution) {
  IndexBuilder builder;
  builder.metric(parse_distance(flags.metric))
      .max_degree(flags.max_degree)
      .builder(parse_graph_builder(flags.builder))
      .quantize(codec_of(flags), flags.pq_chunks.value_or(0))
      .for_drive(flags.for_drive)
      .drop_vectors(flags.drop_vectors)
      .execution(execution);
  if (flags.search_list_size) builder.search_list_size(*flags.search_list_size);
  if (flags.alpha) builder.alpha(*flags.alpha);
  if (flags.store_as) builder.store_as(parse_vector_type(*flags.store_as));
  (void)limit_of(flags);
  if (flags.page_size) {
    if (!flags.for_drive)
      throw UsageError("--page-size is for indexes that stay on a drive", "add --disk, or leave it out");
    const std::uint64_t bytes = parse_bytes(*flags.page_size, "--page-size");
    builder.page_bytes(static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 0xFFFFFFFFu)));
  }
  if (flags.search_memory) {
    (void)parse_bytes(*flags.search_memory, "--search-memory");
    if (!flags.for_drive)
      throw UsageError("--search-memory is for indexes that stay on a drive", "add --disk, or leave it out");
    if (flags.pq_chunks)
      throw UsageError("--search-memory and --pq-chunks both say how large codes are", "leave one of them out");
  }
  builder.check_parameters();
  return builder;
}

void check_build_memory(const BuilderFlags& flags) {
  if (!flags.for_drive)
    throw UsageError("--build-memory is for indexes that stay on a drive",
                     "add --disk; an index in memory takes --memory-limit");
  if (flags.memory_limit)
    throw UsageError("--build-memory and --memory-limit both say what the build may take", "leave one of them out");
}

void fit_search_memory(const BuilderFlags& flags, IndexBuilder& builder, std::uint64_t rows, std::size_t dimension,
                       VectorType type) {
  if (!flags.search_memory) return;
  const std::uint64_t granted = parse_bytes(*flags.search_memory, "--search-memory");
  const Codec codec = codec_of(flags);
  const auto taken = [&](std::uint32_t chunks) {
    return builder.quantize(codec, chunks).estimate(rows, dimension, type).searched.total();
  };
  const bool product = codec == Codec::PQ4 || codec == Codec::PQ8;
  const auto most = static_cast<std::uint32_t>(codec == Codec::PQ8 ? (dimension + 1) / 2 : dimension);
  std::uint32_t chunks = product ? most : 0;
  while (chunks > 1 && taken(chunks) > granted) --chunks;
  const std::uint64_t least = taken(chunks);
  if (least <= granted) return;
  throw Error(
      ErrorCode::OutOfMemory,
      fmt::format("searches would take {} bytes ({}) of memory, --search-memory allows {}", least, bytes_text(least),
                  bytes_text(granted)),
      fmt::format("allow {}M or more{}", (least >> 20) + 1, product ? "" : ", or take product codes (--use-pq)"));
}

BuildPlan plan_build(const BuilderFlags& flags, IndexBuilder& builder, std::uint64_t rows, std::size_t dimension,
                     VectorType type, std::uint64_t copy) {
  if (const auto limit = limit_of(flags)) builder.memory_limit(*limit - std::min(*limit, copy));
  fit_search_memory(flags, builder, rows, dimension, type);
  return {builder.estimate(rows, dimension, type), copy};
}

void check_memory_limit(const BuilderFlags& flags, const BuildPlan& plan) {
  const auto limit = limit_of(flags);
  const std::uint64_t needed = plan.total();
  if (!limit || needed <= *limit) return;
  throw Error(ErrorCode::OutOfMemory,
              fmt::format("the build may need {} bytes ({}), --memory-limit allows {}", needed, bytes_text(needed),
                          bytes_text(*limit)),
              fmt::format("use --memory-limit {}M or more, or a smaller --max-degree", (needed >> 20) + 1));
}

std::string memory_text(const BuildPlan& plan) {
  const BuildEstimate& estimate = plan.estimate;
  const std::string uncoded =
      estimate.uncoded > estimate.total()
          ? fmt::format(" ({} if 8-bit codes are too coarse)", bytes_text(estimate.uncoded + plan.copy))
          : "";
  return fmt::format("{} at most{}: vectors {} · graph {} · scratch {}", bytes_text(plan.total()), uncoded,
                     bytes_text(estimate.vectors + plan.copy), bytes_text(estimate.graph),
                     bytes_text(estimate.scratch));
}

std::string usage_text(const MemoryUsage& memory) {
  return fmt::format("{} · vectors {} · graph {} · ids {} · norms {} · codes {}", bytes_text(memory.total()),
                     bytes_text(memory.vectors), bytes_text(memory.graph), bytes_text(memory.ids),
                     bytes_text(memory.norms), bytes_text(memory.codes));
}

bool needs_own_reading(const VectorInput& input, const ReadOptions& options) {
  if (!options.format) return false;
  try {
    return vector_format_of(input.path) != *options.format;
  } catch (const Error&) {
    return true;
  }
}

}  // namespace diskann::cli
