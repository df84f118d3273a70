#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "diskann/types.hpp"
#include "formats/microsoft_files.hpp"
#include "formats/output_file.hpp"
#include "io/file_exchange.hpp"

namespace diskann::formats {

/// Writes a set of files whose names begin alike, in the place of an older one whole. On failure or cancellation that
/// is untouched; where the power fails meanwhile there may be no set, but never a mixture of two.
class SetWriter {
 public:
  /// `files` by the ends of their names, and `optional` ones, which must not be left of an older set. Throws what
  /// io::check_replaceable() does.
  SetWriter(std::filesystem::path prefix, std::span<const char* const> files, std::span<const char* const> optional,
            bool overwrite);

  /// The last one staged is the key, without which the prefix names no set.
  template <class Write>
  void stage(const char* suffix, const Write& write) {
    const std::filesystem::path path = set_file(prefix_, suffix);
    OutputFile file(path, overwrite_);
    write(file);
    exchange_.stage(file.release(), path);
  }
  void commit(const Execution& execution);

 private:
  std::vector<std::filesystem::path> old_files() const;

  std::filesystem::path prefix_, directory_;
  std::span<const char*const> files_, optional_;
  bool overwrite_;
  io::FileExchange exchange_;
};

}  // namespace diskann::formats
