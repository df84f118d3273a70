// An index of any bytes is refused, or opens and answers a query without leaving its memory. Bytes behind right
// checksums and Microsoft's sets, which have none, are tried as well.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "diskann/diskann.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace {

using Bytes = std::vector<std::byte>;

void check(bool holds) {
  if (!holds) std::abort();
}

void open_and_search(const diskann::OpenOptions& options) {
  using namespace diskann;
  try {
    const Index index = Index::open("/index", options);
    const std::vector<float> query(index.dimension(), 1.0f);
    const auto hits = index.search(query, 3);
    check(hits.size() <= 3 && std::is_sorted(hits.begin(), hits.end()));
    index.range_search(query, 1.0f);
    verify("/index", options);
  } catch (const Error& error) {
    check(error.code() != ErrorCode::Internal && error.code() != ErrorCode::Io);
  }
}

}  // namespace

// The first byte says how to open, the second and third where the graph of a Microsoft set ends and its vectors begin.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace diskann;
  if (size < 3) return 0;
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  Bytes file(bytes + 3, bytes + size);
  doubles::FaultFileSystem files;
  const io::FileSystemOverride in_force(files);

  OpenOptions options;
  options.verify_all = (data[0] & 1) != 0;
  options.map = (data[0] & 2) != 0;
  if ((data[0] & 4) != 0) {
    const std::size_t cut = std::min<std::size_t>(file.size(), data[1] + 256u * data[2]);
    files.put("/index.data", Bytes(file.begin() + static_cast<std::ptrdiff_t>(cut), file.end()));
    file.resize(cut);
    files.put("/index", file);
    options.metric = static_cast<Distance>((data[0] >> 3) % 3);
    constexpr VectorType kTypes[] = {VectorType::F32, VectorType::I8, VectorType::U8};
    options.type = kTypes[(data[0] >> 5) % 3];
    open_and_search(options);
    return 0;
  }
  files.put("/index", file);
  open_and_search(options);
  doubles::repair_checksums(file);
  files.put("/index", std::move(file));
  open_and_search(options);
  return 0;
}
