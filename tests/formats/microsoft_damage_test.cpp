#include <functional>

#include "tests/doubles/allocation_meter.hpp"
#include "tests/formats/microsoft_fixture.hpp"

namespace diskann::formats_test {
namespace {

using MicrosoftDamage = Microsoft;

constexpr GoldenSet kStatic = {"mem_u8_l2", VectorType::U8, Distance::L2, 0};
constexpr GoldenSet kDynamic = {"dyn_u8_l2/built", VectorType::U8, Distance::L2, 1};

/// Reads the files of a set; the double is fresh, since its trace counts as memory too.
std::optional<formats::MicrosoftMemorySet> read_hostile(const std::map<std::string, Bytes>& set) {
  doubles::FaultFileSystem files;
  const io::FileSystemOverride override(files);
  std::size_t total = 0;
  for (const auto& [suffix, bytes] : set) {
    files.put("s/ann" + suffix, bytes);
    total += bytes.size();
  }
  const doubles::AllocationMeter meter;
  std::optional<formats::MicrosoftMemorySet> result;
  try {
    result = formats::read_microsoft_memory_set("s/ann", {}, {});
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::InvalidArgument ||
                error.code() == ErrorCode::Unsupported)
        << to_string(error.code()) << ": " << error.what();
    EXPECT_NE(std::string(error.what()).find("s/ann"), std::string::npos);
  }
  EXPECT_LT(meter.bytes(), 4 * total + 100'000);
  return result;
}

std::map<std::string, Bytes> files_of(const GoldenSet& set) {
  std::map<std::string, Bytes> files;
  for (const char* suffix : {"", ".data", "_metadata.bin", ".tags"})
    if (set.frozen != 0 || suffix != std::string(".tags"))
      files[suffix] = golden(set.folder + std::string("/ann") + suffix);
  return files;
}

TEST_F(MicrosoftDamage, EveryTruncationAndOneMoreByteAreRefused) {
  std::size_t cases = 0;
  for (const GoldenSet& golden_set : {kStatic, kDynamic}) {
    const auto whole = files_of(golden_set);
    ASSERT_TRUE(read_hostile(whole).has_value());
    for (const auto& [suffix, bytes] : whole) {
      auto damaged = whole;
      // Every length of the headers and the last rows; between them every 7th, which meets all residues.
      for (std::size_t length = 0; length <= bytes.size() + 1;
           length += length < 200 || length + 200 > bytes.size() ? 1 : 7) {
        if (length == bytes.size()) continue;
        damaged[suffix] = bytes;
        damaged[suffix].resize(length);
        EXPECT_FALSE(read_hostile(damaged).has_value()) << suffix << " at " << length;
        ++cases;
      }
    }
  }
  EXPECT_GE(cases, 6'000u);
}

TEST_F(MicrosoftDamage, EveryBitFlipInAHeaderIsRefused) {
  std::size_t cases = 0;
  for (const GoldenSet& golden_set : {kStatic, kDynamic}) {
    const auto whole = files_of(golden_set);
    for (const auto& [suffix, bytes] : whole) {
      const std::size_t header = suffix.empty() ? 24 : suffix == "_metadata.bin" ? 32 : 8;
      for (std::size_t bit = 0; bit < 8 * header; ++bit, ++cases) {
        auto damaged = whole;
        damaged[suffix][bit / 8] ^= static_cast<std::byte>(1 << (bit % 8));
        const auto set = read_hostile(damaged);
        // A larger bound of the degrees, another start inside the graph, another of the three metrics, i8 for u8, and
        // points taken for frozen where nothing contradicts are legal.
        const std::size_t byte = bit / 8;
        const bool legal = suffix.empty() ? byte >= 8 && byte < 16 : suffix == "_metadata.bin" && byte < 16;
        if (!legal) {
          EXPECT_FALSE(set.has_value()) << suffix << " bit " << bit;
        }
        if (set) {
          EXPECT_LT(set->start, set->graph.nodes());
        }
      }
    }
  }
  EXPECT_EQ(cases, 2u * 8 * (24 + 32 + 8) + 8 * 8);
}

TEST_F(MicrosoftDamage, EachHeaderFieldOffByOneIsRefused) {
  const auto whole = files_of(kDynamic);
  const auto with = [&](const std::string& suffix, std::size_t offset, std::size_t width, int step) {
    auto damaged = whole;
    Bytes& bytes = damaged[suffix];
    if (width == 8)
      poke(bytes, offset, peek<std::uint64_t>(bytes, offset) + static_cast<std::uint64_t>(step));
    else
      poke(bytes, offset, peek<std::uint32_t>(bytes, offset) + static_cast<std::uint32_t>(step));
    return read_hostile(damaged).has_value();
  };
  for (const int step : {1, -1}) {
    EXPECT_FALSE(with("", 0, 8, step)) << "size";
    EXPECT_FALSE(with("", 16, 8, step)) << "frozen points";
    EXPECT_FALSE(with(".data", 0, 4, step)) << "rows";
    EXPECT_FALSE(with(".data", 4, 4, step)) << "dimension";
    EXPECT_FALSE(with(".tags", 0, 4, step)) << "tags";
    EXPECT_FALSE(with(".tags", 4, 4, step)) << "columns";
    EXPECT_FALSE(with("_metadata.bin", 16, 8, step)) << "points";
    EXPECT_FALSE(with("_metadata.bin", 24, 8, step)) << "dimension";
  }
  EXPECT_FALSE(with("", 8, 4, -1)) << "a list is longer than the header says";
  EXPECT_TRUE(with("", 8, 4, 1)) << "an upper bound";
  EXPECT_FALSE(with("", 12, 4, 1)) << "start";
  EXPECT_FALSE(with("_metadata.bin", 0, 8, 1)) << "type";
  EXPECT_FALSE(with("_metadata.bin", 8, 8, -1)) << "metric";
}

TEST_F(MicrosoftDamage, EveryWordOfTheGraphIsCheckedBeforeItIsFollowed) {
  const auto whole = files_of(kStatic);
  const std::size_t words = whole.at("").size() / 4;
  std::size_t refused = 0, cases = 0;
  for (std::size_t word = 6; word < words; word += 3, ++cases)
    for (const std::uint32_t value : {300u, 0xFFFFFFFFu, 0x80000000u}) {
      auto damaged = whole;
      poke(damaged[""], 4 * word, value);  // no neighbour and no degree can be 300 or more
      refused += !read_hostile(damaged).has_value();
    }
  EXPECT_EQ(refused, 3 * cases);
  EXPECT_GE(cases, 1'000u);
}

TEST_F(MicrosoftDamage, RandomWordsInTheGraphGiveAnErrorOrAGraph) {
  const auto whole = files_of(kDynamic);
  base::Random random(4242);
  for (int i = 0; i < 1'000; ++i) {
    auto damaged = whole;
    Bytes& graph = damaged[""];
    for (std::uint64_t changes = 1 + random.below(3); changes != 0; --changes)
      poke(graph, 24 + 4 * random.below(graph.size() / 4 - 6), static_cast<std::uint32_t>(random.below(300)));
    const auto set = read_hostile(damaged);
    if (!set) continue;
    for (base::Slot node = 0; node < set->graph.nodes(); ++node)
      for (const base::Slot neighbor : set->graph.neighbors(node)) ASSERT_LT(neighbor, set->graph.nodes());
  }
}

TEST_F(MicrosoftDamage, OneLongListDoesNotMakeEveryRowLong) {
  const std::uint32_t nodes = 100'000, longest = 2'048;
  Bytes graph(24 + 4 * std::size_t{nodes} + 4 * longest);
  poke(graph, 0, std::uint64_t{graph.size()});
  poke(graph, 8, longest);
  poke(graph, 24, longest);
  files.put("s/ann", graph);
  files.put("s/ann.data", pack(nodes, 1u) + Bytes(nodes));
  expect_error(ErrorCode::Corrupt, {"2048", "average"}, [] { read(Distance::L2, VectorType::U8); });
  graph.resize(graph.size() + 4);
  poke(graph, 0, std::uint64_t{graph.size()});
  poke(graph, 8, longest + 1);
  poke(graph, 24, longest + 1);
  files.put("s/ann", graph);
  expect_error(ErrorCode::Unsupported, {"2049", "limit"}, [] { read(Distance::L2, VectorType::U8); });
}

TEST_F(MicrosoftDamage, GitLfsPointersAndMissingFilesAreNamed) {
  load(kStatic);
  put(".data", bytes_of("version https://git-lfs.github.com/spec/v1\n"));
  expect_error(ErrorCode::Corrupt, {"ann.data", "LFS"}, [] { read(); });
  files.remove("s/ann.data");
  expect_error(ErrorCode::NotFound, {"ann.data"}, [] { read(); });
  EXPECT_FALSE(formats::is_microsoft_memory_set("s/ann"));
}

}  // namespace
}  // namespace diskann::formats_test
