#include "inputs.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <string_view>
#include <system_error>

#include "diskann/distance.hpp"
#include "diskann/error.hpp"

namespace diskann::cli {

std::optional<VectorType> parse_type(const std::optional<std::string>& name) {
  if (!name) return {};
  return parse_vector_type(*name);
}

ReadOptions read_options(const VectorInput& input, std::optional<VectorType> fallback, bool told) {
  ReadOptions options;
  if (input.format) options.format = parse_vector_format(*input.format);
  options.type = parse_type(input.type);
  if (options.type || !fallback) return options;
  // That a file is not there matters more than its suffix.
  std::error_code other;
  if (!options.format && !std::filesystem::exists(input.path, other)) {
    throw IoError("cannot open", input.path.string(), other ? other.value() : ENOENT);
  }
  const VectorFormat format = options.format ? *options.format : vector_format_of(input.path);
  if (format != VectorFormat::Bin) return options;
  try {
    (void)inspect_vectors(input.path, options);
  } catch (const Error& error) {
    // Of values of four bytes the size tells, so that what is refused is no f32, unless it is told.
    if (error.code() != ErrorCode::InvalidArgument || (fallback == VectorType::F32 && !told)) throw;
    options.type = fallback;
  }
  return options;
}

void naming(const std::string& where, const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    const bool of_values = error.code() == ErrorCode::InvalidArgument || error.code() == ErrorCode::DimensionMismatch ||
                           error.code() == ErrorCode::AlreadyExists;
    const std::string_view what = error.what();
    if (!of_values || what.starts_with(where + ": ") || what.starts_with(where + " ")) throw;
    throw Error(error.code(), fmt::format("{}: {}", where, error.what()), error.hint());
  }
}

std::ifstream open_text(const std::filesystem::path& path) {
  std::error_code unknown;
  if (std::filesystem::is_other(path, unknown))
    throw IoError("cannot read a FIFO, socket or device; a regular file is needed:", path.string(), EINVAL);
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path)) {
    throw IoError("cannot open", path.string(), errno != 0 ? errno : EISDIR);
  }
  return file;
}

void check_max_queries(const std::optional<std::uint64_t>& most) {
  if (most != std::uint64_t{0}) return;
  throw Error(ErrorCode::InvalidArgument, "--max-queries cannot be 0: there would be nothing to do",
              "leave it out for all queries");
}

VectorSet read_queries(const VectorInput& input, const ReadOptions& options, std::size_t dimension,
                       const std::string& what, const Execution& execution) {
  VectorSet queries = read_vectors(input.path, options, execution);
  if (queries.rows() == 0) throw Error(ErrorCode::InvalidArgument, input.path.string() + " has no queries");
  if (queries.dimension() != dimension) {
    throw Error(ErrorCode::DimensionMismatch, fmt::format("{}: the queries have {} dimensions, {} has {}",
                                                          input.path.string(), queries.dimension(), what, dimension));
  }
  naming(input.path.string(), [&] { check_finite(queries); });
  return queries;
}

void declare_index_flags(Arguments& arguments, IndexInput& input, bool with_map, const std::string& typed) {
  arguments.option("-m,--metric", input.metric, "METRIC", "Metric of a Microsoft index: l2, cosine or ip");
  arguments.option("--dtype", input.type, "TYPE", "Type of " + typed);
  if (with_map)
    arguments.flag("--map", input.map, "Use the index file in place (memory-mapped); not a Microsoft index");
}

OpenOptions open_options(const IndexInput& input) {
  OpenOptions options;
  options.map = input.map;
  if (input.metric) options.metric = parse_distance(*input.metric);
  options.type = parse_type(input.type);
  return options;
}

namespace {

void check_agreement(const IndexInput& input, Distance metric, VectorType type, VectorType source) {
  const OpenOptions asked = open_options(input);
  if (asked.metric && metric != *asked.metric) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: -m {} was asked for, the index is built for {}", input.path.string(),
                            to_string(*asked.metric), to_string(metric)),
                "leave -m out: the index knows its metric");
  }
  if (asked.type && type != *asked.type && source != *asked.type) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: --dtype {} was asked for, the index stores {}", input.path.string(),
                            to_string(*asked.type), to_string(type)),
                "leave --dtype out: the index knows its type");
  }
}

}  // namespace

Index open_index(const IndexInput& input, const Execution& execution) {
  OpenOptions options = open_options(input);
  options.execution = execution;
  Index index = Index::open(input.path, options);
  check_agreement(input, index.metric(), index.type(), index.source_type());
  return index;
}

IndexFileInfo inspect_index(const IndexInput& input) {
  IndexFileInfo info = diskann::inspect_index(input.path, open_options(input));
  check_agreement(input, info.metric, info.type, info.source_type);
  return info;
}

}  // namespace diskann::cli
