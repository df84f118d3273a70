#include <algorithm>
#include <utility>

#include "base/random.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::doubles {
namespace {

constexpr std::size_t kBlock = 4096;
constexpr std::size_t kSector = 512;

/// Chooses what survives.
class Fate {
 public:
  explicit Fate(std::uint64_t seed) : seed_(seed), random_(base::mix(seed)) {}
  bool all() const { return seed_ == 1; }
  bool spared() { return seed_ > 1 ? random_.below(2) == 0 : all(); }
  bool seldom() { return seed_ > 1 && random_.below(8) == 0; }
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_.below(bound)); }

 private:
  std::uint64_t seed_;
  base::Random random_;
};

}  // namespace

FaultFileSystem FaultFileSystem::crash(std::uint64_t seed) const {
  Fate fate(seed);
  Names names = durable_;
  for (const NameChange& change : unsynced_names_)
    if (fate.spared()) apply(change, names);

  FaultFileSystem after;
  for (const auto& [name, inode] : names) {
    std::vector<std::byte> content = inode->durable;
    for (const Extent& extent : inode->unsynced) {
      for (std::size_t start = 0; start < extent.bytes.size(); start += kBlock) {
        auto block = std::span(extent.bytes).subspan(start, std::min(kBlock, extent.bytes.size() - start));
        if (!fate.spared()) continue;
        if (fate.seldom()) block = block.first(std::min(block.size(), kSector * fate.below(kBlock / kSector)));
        overwrite(content, extent.offset + start, block);
      }
    }
    // The size may be newer than the data.
    if (content.size() < inode->content.size() && fate.spared()) content.resize(inode->content.size());
    after.put(name, std::move(content));
  }
  return after;
}

}  // namespace diskann::doubles
