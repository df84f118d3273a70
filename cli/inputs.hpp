#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>

#include "arguments.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "diskann/vector_file.hpp"

namespace diskann::cli {

/// How a vector file on the command line is to be read.
struct VectorInput {
  std::filesystem::path path;
  std::optional<std::string> format;  ///< --input-format
  std::optional<std::string> type;    ///< --input-dtype
};

/// Format and type of `input`. `fallback` is the type of a `.bin` file whose size does not tell it: guessed, or `told`
/// by the user.
ReadOptions read_options(const VectorInput& input, std::optional<VectorType> fallback = {}, bool told = false);

/// Queries against vectors of `dimension`, called `what`: refused here as any search would refuse them, which does not
/// know the name of the file; and where there is none.
VectorSet read_queries(const VectorInput& input, const ReadOptions& options, std::size_t dimension,
                       const std::string& what, const Execution& execution);

/// A regular file of text; Io, or NotFound where there is none.
std::ifstream open_text(const std::filesystem::path& path);

/// InvalidArgument for a --max-queries of 0, which would do nothing.
void check_max_queries(const std::optional<std::uint64_t>& most);

/// Runs `body`, whose errors about values then begin with `where`.
void naming(const std::string& where, const std::function<void()>& body);

/// The index that a command works on, and what Microsoft's files do not say of themselves.
struct IndexInput {
  std::filesystem::path path;
  std::optional<std::string> metric;  ///< -m
  std::optional<std::string> type;    ///< --dtype
  bool map = false;                   ///< --map
};

/// Declares -m and --dtype, the type of `typed`; `with_map` also --map.
void declare_index_flags(Arguments& arguments, IndexInput& input, bool with_map,
                         const std::string& typed = "a Microsoft index: f32, i8 or u8");
OpenOptions open_options(const IndexInput& input);
/// Opens it, or reads only what it says of itself; InvalidArgument where -m or --dtype contradicts the file.
Index open_index(const IndexInput& input, const Execution& execution);
IndexFileInfo inspect_index(const IndexInput& input);

/// Whether storing rows of `source` as `type` may change values: all other conversions are exact, or refused.
inline bool rounds(VectorType source, VectorType type) { return source == VectorType::F32 && type == VectorType::F16; }

std::optional<VectorType> parse_type(const std::optional<std::string>& name);

}  // namespace diskann::cli
