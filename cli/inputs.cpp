#include "inputs.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "diskann/error.hpp"
#include "diskann/inspect.hpp"

namespace diskann::cli {

std::optional<VectorType> parse_type(const std::optional<std::string>& name) {
  if (!name) return {};
  return parse_vector_type(*name);
}

std::optional<VectorType> type_told_by(VectorFormat format) {
  switch (format) {
    case VectorFormat::Fvecs:
    case VectorFormat::Fbin: return VectorType::F32;
    case VectorFormat::F16bin: return VectorType::F16;
    case VectorFormat::Bvecs:
    case VectorFormat::U8bin: return VectorType::U8;
    case VectorFormat::I8bin: return VectorType::I8;
    case VectorFormat::Ivecs:
    case VectorFormat::Bin:
    case VectorFormat::Npy: return {};
  }
  return {};
}

ReadOptions read_options(const VectorInput& input, std::optional<VectorType> fallback) {
  ReadOptions options;
  if (input.format) options.format = parse_vector_format(*input.format);
  options.type = parse_type(input.type);
  if (options.type || !fallback) return options;
  const VectorFormat format = options.format ? *options.format : vector_format_of(input.path);
  if (format != VectorFormat::Bin) return options;
  try {
    (void)inspect_vectors(input.path, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::InvalidArgument) throw;
    options.type = fallback;
  }
  return options;
}

void declare_index_flags(Arguments& arguments, IndexInput& input, bool with_map) {
  arguments.option("-m,--metric", input.metric, "METRIC", "Metric of a Microsoft index: l2, cosine or ip");
  arguments.option("--dtype", input.type, "TYPE", "Type of a Microsoft index: f32, i8 or u8");
  if (with_map) arguments.flag("--map", input.map, "Use the index file in place (memory-mapped)");
}

OpenOptions open_options(const IndexInput& input) {
  OpenOptions options;
  options.map = input.map;
  if (input.metric) options.metric = parse_distance(*input.metric);
  options.type = parse_type(input.type);
  return options;
}

Index open_index(const IndexInput& input, const Execution& execution) {
  OpenOptions options = open_options(input);
  options.execution = execution;
  Index index = Index::open(input.path, options);
  if (options.metric && index.metric() != *options.metric) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: -m {} was asked for, the index is built for {}", input.path.string(),
                            to_string(*options.metric), to_string(index.metric())),
                "leave -m out: the index knows its metric");
  }
  if (options.type && index.type() != *options.type && index.source_type() != *options.type) {
    throw Error(ErrorCode::InvalidArgument,
                fmt::format("{}: --dtype {} was asked for, the index stores {}", input.path.string(),
                            to_string(*options.type), to_string(index.type())),
                "leave --dtype out: the index knows its type");
  }
  return index;
}

void check_output_directory(const std::filesystem::path& path) {
  std::filesystem::path directory = path.parent_path();
  if (directory.empty()) directory = ".";
  if (::access(directory.c_str(), W_OK | X_OK) != 0) throw IoError("cannot write to", directory.string(), errno);
}

void check_index_output(const std::filesystem::path& path, bool force) {
  std::error_code ignored;
  if (!force && std::filesystem::exists(path, ignored)) {
    throw Error(ErrorCode::AlreadyExists, fmt::format("{} exists already", path.string()),
                "choose another name, or add --force to replace it");
  }
  check_output_directory(path);
}

}  // namespace diskann::cli
