// An index on a drive of any bytes is refused, or opens and answers without leaving its memory: our file, with bytes
// behind right checksums as well, and Microsoft's sets, which have none.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "diskann/diskann.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace {

using namespace diskann;
using Bytes = std::vector<std::byte>;

void check(bool holds) {
  if (!holds) std::abort();
}

/// What the call must not do is to fail for reasons that are no one's fault but ours.
template <class F>
void try_to(const F& f) {
  try {
    f();
  } catch (const Error& error) {
    check(error.code() != ErrorCode::Internal && error.code() != ErrorCode::Io &&
          error.code() != ErrorCode::OutOfMemory);
  }
}

void search_and_read(const std::string& path, std::optional<Distance> metric, std::optional<VectorType> type) {
  try_to([&] {
    DiskOpenOptions options;
    options.io = DiskIo::Mapped;
    options.metric = metric;
    options.type = type;
    const DiskIndex index = DiskIndex::open(path, options);
    const std::vector<float> query(2 * index.dimension(), 1.0f);
    const auto hits = index.search(VectorView(query.data(), 1, index.dimension()), 3);
    check(hits.size() <= 3 && std::is_sorted(hits.begin(), hits.end()));
    index.search_batch(VectorView(query.data(), 2, index.dimension()), 1000);
  });
  try_to([&] {
    OpenOptions options;
    options.metric = metric;
    options.type = type;
    const Index index = Index::open(path, options);
    index.search(std::vector<float>(index.dimension(), 1.0f), 3);
  });
  try_to([&] {
    OpenOptions options;
    options.metric = metric;
    options.type = type;
    verify(path, options);
  });
}

constexpr const char* kBeside[] = {"/p_pq_pivots.bin",
                                   "/p_pq_compressed.bin",
                                   "/p_metadata.bin",
                                   "/p_disk.index_max_base_norm.bin",
                                   "/p_disk.index_pq_pivots.bin",
                                   "/p_disk.index_medoids.bin",
                                   "/p_pq_pivots.bin_rotation_matrix.bin",
                                   "/p_sample_data.bin"};

}  // namespace

// The first byte says which of both, for Microsoft's the metric and the type that are asked for. Then the lengths of
// the files beside the index follow as u16 each (0: there is none), and those files; the index is the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const unsigned choice = data[0];
  const auto* at = reinterpret_cast<const std::byte*>(data) + 1;
  const auto* const end = reinterpret_cast<const std::byte*>(data) + size;
  doubles::FaultFileSystem files;
  const io::FileSystemOverride in_force(files);
  if (choice % 2 == 0) {
    Bytes file(at, end);
    files.put("/index", file);
    search_and_read("/index", {}, {});
    doubles::seal_pages(file);
    doubles::repair_checksums(file);
    files.put("/index", std::move(file));
    search_and_read("/index", {}, {});
    return 0;
  }
  const auto* lengths = at;
  if (end - at < static_cast<std::ptrdiff_t>(2 * std::size(kBeside))) return 0;
  at += 2 * std::size(kBeside);
  for (const char* name : kBeside) {
    std::uint16_t length = 0;
    std::memcpy(&length, lengths, sizeof length);
    lengths += sizeof length;
    const auto* const stop = at + std::min<std::ptrdiff_t>(length, end - at);
    if (length != 0) files.put(name, {at, stop});
    at = stop;
  }
  files.put("/p_disk.index", {at, end});
  std::optional<Distance> metric;
  std::optional<VectorType> type;
  if (choice / 2 % 4 != 3) metric = static_cast<Distance>(choice / 2 % 4);
  constexpr VectorType kTypes[] = {VectorType::F32, VectorType::I8, VectorType::U8};
  if (choice / 8 % 4 != 3) type = kTypes[choice / 8 % 4];
  search_and_read("/p", metric, type);
  return 0;
}
