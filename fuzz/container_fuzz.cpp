// An index file of any bytes is refused with one of the two errors for that, or can be read to its end.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "diskann/error.hpp"
#include "io/container.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace {

void check(bool holds) {
  if (!holds) std::abort();
}

void open_and_read(const std::vector<std::byte>& file) {
  using namespace diskann;
  doubles::FaultFileSystem files;
  files.put("/f", file);
  const io::FileSystemOverride in_force(files);
  try {
    const io::Container container = io::Container::open("/f");
    check(container.file_size() == file.size());
    for (const io::Section& section : container.sections()) {
      std::vector<std::byte> content(section.length);
      container.read(section, 0, content);
      const auto mapped = container.map(section);
      check(std::equal(content.begin(), content.end(), mapped.get()));
      if (container.checksum_ok(section)) check(container.read_small(section) == content);
      if (const io::Section* found = container.find(section.kind)) check(found->offset == section.offset);
    }
  } catch (const Error& error) {
    check(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::UnsupportedVersion);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto* bytes = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> file(bytes, bytes + size);
  open_and_read(file);
  diskann::doubles::repair_checksums(file);
  open_and_read(file);
  return 0;
}
