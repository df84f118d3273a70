// A file of results or ids of any bytes is refused with an error that a file can deserve, or is read whole.
#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "diskann/error.hpp"
#include "diskann/vector_file.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace {

constexpr const char* kResults[] = {".ivecs", ".bin", ".gt.bin", ".ibin"};
constexpr const char* kIds[] = {".txt", ".npy", ".bin"};

void check(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The first byte chooses what the file is taken for.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diskann;
  if (size < 1) return 0;
  const std::size_t choice = data[0] % (std::size(kResults) + std::size(kIds));
  const bool results = choice < std::size(kResults);
  const std::string path = std::string("/f") + (results ? kResults[choice] : kIds[choice - std::size(kResults)]);
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  doubles::FaultFileSystem files;
  files.put(path, std::vector<std::byte>(bytes + 1, bytes + size));
  const io::FileSystemOverride in_force(files);
  try {
    if (results) {
      const SearchResults read = read_results(path);
      check(read.ids.size() == read.rows * read.k);
      check(read.distances.empty() || read.distances.size() == read.ids.size());
      check(read.ids.size() <= size);
    } else {
      check(read_ids(path).size() <= size);
    }
  } catch (const Error& error) {
    check(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::InvalidArgument ||
          error.code() == ErrorCode::Unsupported || error.code() == ErrorCode::UnsupportedVersion);
  }
  return 0;
}
