#include "diskann/vector_file.hpp"

#include <algorithm>
#include <string>

#include "base/checked.hpp"
#include "base/threads.hpp"
#include "formats/output_file.hpp"
#include "formats/rows_reader.hpp"

namespace diskann {

namespace {

constexpr std::uint32_t kMaxBinCount = 0x7FFFFFFF;  // Microsoft's readers take the counts as signed

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& what, std::string hint = {}) {
  throw Error(ErrorCode::InvalidArgument, path.string() + ": " + what, std::move(hint));
}

void check_writable(const std::filesystem::path& path, const VectorView& vectors, VectorFormat format) {
  if (format == VectorFormat::Ivecs) refuse(path, "an .ivecs file holds ids, not vectors");
  const auto type = type_told_by(format);
  if (type && *type != vectors.type())
    refuse(path,
           "the format " + std::string(to_string(format)) + " holds " + std::string(to_string(*type)) +
               ", the vectors are " + std::string(to_string(vectors.type())),
           "convert the vectors, or choose a format of their type");
  if (vectors.dimension() == 0 || vectors.dimension() > formats::kMaxFileDimension)
    refuse(path, "vectors of dimension " + std::to_string(vectors.dimension()) + " cannot be written; 1 to " +
                     std::to_string(formats::kMaxFileDimension) + " can");
  const bool xvecs = format == VectorFormat::Fvecs || format == VectorFormat::Bvecs;
  if (xvecs && vectors.rows() == 0) refuse(path, "a file of this format without rows would not say its dimension");
  if (!xvecs && format != VectorFormat::Npy && vectors.rows() > kMaxBinCount)
    refuse(path, std::to_string(vectors.rows()) + " rows are more than the format can count",
           "write an .npy file, or several files");
}

/// Version 1, padded as numpy pads it: the data start at a multiple of 64 bytes.
std::string npy_header(const VectorView& vectors) {
  const char* descr = vectors.type() == VectorType::F32   ? "<f4"
                      : vectors.type() == VectorType::F16 ? "<f2"
                      : vectors.type() == VectorType::I8  ? "|i1"
                                                          : "|u1";
  std::string text = "{'descr': '" + std::string(descr) + "', 'fortran_order': False, 'shape': (" +
                     std::to_string(vectors.rows()) + ", " + std::to_string(vectors.dimension()) + "), }";
  constexpr std::size_t kStart = 10;  // magic, version, length
  text.resize(base::round_up(kStart + text.size() + 1, 64) - kStart, ' ');
  text.back() = '\n';
  std::string header("\x93NUMPY\x01\x00", 8);
  header += static_cast<char>(text.size() & 0xFF);
  header += static_cast<char>(text.size() >> 8);
  return header + text;
}

}  // namespace

VectorFileInfo inspect_vectors(const std::filesystem::path& path, const ReadOptions& options) {
  ReadOptions whole = options;
  whole.skip = 0;
  whole.limit = kNoId;
  const auto reader = formats::open_rows(path, whole);
  return {reader->format(), reader->type(), reader->rows(), reader->dimension(), reader->file_bytes()};
}

VectorSet read_vectors(const std::filesystem::path& path, const ReadOptions& options, const Execution& execution) {
  const auto reader = formats::open_vectors(path, options);
  base::check_cancelled(execution.cancel);
  VectorSet set(reader->type(), reader->rows(), reader->dimension());
  base::ProgressMeter meter(execution, "read vectors", set.rows());
  // One thread: the first bad row of a file is then always the one reported.
  const std::uint64_t block = formats::block_rows(set.row_bytes());
  for (std::uint64_t first = 0; first < set.rows(); first += block) {
    base::check_cancelled(execution.cancel);
    const std::uint64_t count = std::min<std::uint64_t>(block, set.rows() - first);
    reader->read(first, count, set.row(first), set.row_bytes());
    meter.add(count);
  }
  return set;
}

void write_vectors(const std::filesystem::path& path, VectorView vectors, const WriteOptions& options,
                   const Execution& execution) {
  const VectorFormat format = options.format ? *options.format : vector_format_of(path);
  check_writable(path, vectors, format);
  formats::OutputFile file(path, true);
  const bool xvecs = format == VectorFormat::Fvecs || format == VectorFormat::Bvecs;
  const auto dimension = static_cast<std::uint32_t>(vectors.dimension());
  if (format == VectorFormat::Npy) {
    file.put_text(npy_header(vectors));
  } else if (!xvecs) {
    file.put_value(static_cast<std::uint32_t>(vectors.rows()));
    file.put_value(dimension);
  }
  const std::size_t row_bytes = vectors.dimension() * size_of(vectors.type());
  base::ProgressMeter meter(execution, "write vectors", vectors.rows());
  const std::uint64_t block = formats::block_rows(row_bytes);
  for (std::uint64_t first = 0; first < vectors.rows(); first += block) {
    base::check_cancelled(execution.cancel);
    const std::uint64_t count = std::min<std::uint64_t>(block, vectors.rows() - first);
    for (std::uint64_t i = first; i < first + count; ++i) {
      if (xvecs) file.put_value(dimension);
      file.put(vectors.row(i), row_bytes);
    }
    meter.add(count);
  }
  file.commit(execution.cancel);
}

}  // namespace diskann
