// A vector file of any bytes, under any suffix, is refused with an error that a file can deserve, or is read whole.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "diskann/error.hpp"
#include "diskann/vector_file.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace {

constexpr const char* kSuffixes[] = {".fvecs", ".bvecs", ".fbin", ".f16bin", ".u8bin", ".i8bin", ".bin", ".npy"};

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The first byte chooses the suffix, the second what is asked for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diskann;
  if (size < 2) return 0;
  const std::string path = std::string("/vectors") + kSuffixes[data[0] % std::size(kSuffixes)];
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  doubles::FaultFileSystem files;
  files.put(path, std::vector<std::byte>(bytes + 2, bytes + size));
  const io::FileSystemOverride in_force(files);

  ReadOptions options;
  if ((data[1] & 1) != 0) options.type = static_cast<VectorType>((data[1] >> 1) % 4);
  if ((data[1] & 8) != 0) options.skip = data[1] >> 6;
  if ((data[1] & 16) != 0) options.limit = data[1] >> 5;
  try {
    const VectorFileInfo info = inspect_vectors(path, options);
    const VectorSet vectors = read_vectors(path, options);
    check(vectors.dimension() == info.dimension && vectors.type() == info.type);
    check(vectors.rows() <= info.rows && vectors.rows() * vectors.row_bytes() <= 2 * size);
  } catch (const Error& error) {
    check(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::InvalidArgument ||
          error.code() == ErrorCode::DimensionMismatch || error.code() == ErrorCode::Unsupported ||
          error.code() == ErrorCode::UnsupportedVersion);
  }
  return 0;
}
