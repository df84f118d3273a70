// Microsoft's in-memory sets. The input starts with a byte of options and four u16 lengths: data, tags, delete list,
// metadata; the files follow in that order, the graph is the rest. A length of 0 leaves the file out.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "formats/microsoft.hpp"
#include "tests/doubles/fault_file_system.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 9) return 0;
  const unsigned choice = data[0];
  const auto* at = reinterpret_cast<const std::byte*>(data) + 9;
  const auto* end = reinterpret_cast<const std::byte*>(data) + size;
  diskann::doubles::FaultFileSystem files;
  const diskann::io::FileSystemOverride override(files);
  static constexpr const char* kNames[] = {"p.data", "p.tags", "p.del", "p_metadata.bin"};
  for (std::size_t i = 0; i < 4; ++i) {
    std::uint16_t length;
    std::memcpy(&length, data + 1 + 2 * i, sizeof length);
    const auto* stop = at + std::min<std::ptrdiff_t>(length, end - at);
    if (length != 0) files.put(kNames[i], {at, stop});
    at = stop;
  }
  files.put("p", {at, end});

  std::optional<diskann::Distance> metric;
  std::optional<diskann::VectorType> type;
  if (choice % 4 != 3) metric = static_cast<diskann::Distance>(choice % 4);
  if (choice / 4 % 8 < 4) type = static_cast<diskann::VectorType>(choice / 4 % 8);
  try {
    const auto info = diskann::formats::inspect_microsoft_memory_set("p", metric, type);
    const auto set = diskann::formats::read_microsoft_memory_set("p", metric, type);
    const std::size_t nodes = set.graph.nodes();
    if (set.vectors.view().rows != nodes || info.points + info.frozen_points != nodes || set.start >= nodes)
      std::abort();
    for (std::size_t node = 0; node < nodes; ++node)
      for (const auto neighbor : set.graph.neighbors(static_cast<diskann::base::Slot>(node)))
        if (neighbor >= nodes) std::abort();
  } catch (const diskann::Error& error) {
    if (error.code() == diskann::ErrorCode::Internal || error.code() == diskann::ErrorCode::OutOfMemory) std::abort();
  }
  return 0;
}
