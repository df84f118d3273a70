#include "index/index_file.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <functional>
#include <numeric>

#include "base/random.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "index/microsoft.hpp"
#include "io/container.hpp"
#include "io/file_system.hpp"
#include "scratch.hpp"
#include "tests/doubles/allocation_meter.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::index {
namespace {

using doubles::FaultFileSystem;

/// A small index that has every section: ids, twins, norms, codes and theirs; and more entry points than lead.
Index full_index() {
  VectorSet set = doubles::clustered(VectorType::F32, 24, 6, 1);
  std::copy_n(set.row(2), set.row_bytes(), set.row(9));
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 24; ++i) ids.push_back(1000 - 3 * i);
  return IndexBuilder()
      .metric(Distance::Cosine)
      .max_degree(4)
      .search_list_size(10)
      .ids(ids)
      .quantize(Codec::F16)
      .build_from_vectors(set);
}

std::vector<Hit> answers(const Index& index) {
  std::vector<Hit> all;
  const VectorSet queries = doubles::clustered(VectorType::F32, 4, index.dimension(), 55);
  for (std::size_t q = 0; q < queries.rows(); ++q)
    for (const Hit& hit : index.search(queries.view().slice(q, 1), 12)) all.push_back(hit);
  return all;
}

TEST(IndexFile, OpensWithTheSameAnswersReadOrMapped) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      const VectorSet set = doubles::clustered(type, 500, 20, 3);
      const Index built = IndexBuilder().metric(metric).max_degree(12).seed(5).build_from_vectors(set);
      const std::string path = scratch_path("roundtrip.idx");
      built.save(path, true);
      for (const bool map : {false, true}) {
        OpenOptions options;
        options.map = map;
        options.verify_all = true;
        const Index opened = Index::open(path, options);
        EXPECT_EQ(answers(opened), answers(built));
        EXPECT_EQ(opened.size(), built.size());
        EXPECT_EQ(opened.metric(), metric);
        EXPECT_EQ(opened.type(), type);
        EXPECT_EQ(opened.build_parameters().seed, 5u);
        EXPECT_EQ(opened.build_parameters().alpha, metric == Distance::InnerProduct ? 2.0f : 1.2f);
        const std::string again = scratch_path("again.idx");
        opened.save(again, true);
        std::filesystem::path first(path), second(again);
        EXPECT_EQ(std::filesystem::file_size(first), std::filesystem::file_size(second));
        EXPECT_TRUE(verify(again).ok());
      }
    }
  }
}

TEST(IndexFile, OpensWithoutSquaredNormsToo) {
  for (const VectorType type : {VectorType::U8, VectorType::I8}) {
    const VectorSet set = doubles::clustered(type, 500, 20, 3);
    const Index built = IndexBuilder().max_degree(12).build_from_vectors(set);
    const std::string path = scratch_path("norms.idx"), without = scratch_path("without.idx");
    built.save(path, true);
    {
      const io::Container container = io::Container::open(path);
      io::ContainerWriter writer(without, true);
      std::size_t left_out = 0;
      for (const io::Section& section : container.sections()) {
        if (section.kind == io::SectionKind::Norms) {
          ++left_out;
          continue;
        }
        writer.begin(section.kind, section.version, section.required);
        writer.write(container.read_small(section));
      }
      writer.commit();
      EXPECT_EQ(left_out, 1u);
    }
    for (const bool map : {false, true}) {
      OpenOptions options;
      options.map = map;
      const Index opened = Index::open(without, options);
      EXPECT_EQ(opened.memory_usage().norms, 0u);
      EXPECT_EQ(Index::open(path, options).memory_usage().norms, opened.size() * 4);
      EXPECT_EQ(answers(opened), answers(built));
    }
    EXPECT_TRUE(verify(without).ok());
    EXPECT_TRUE(verify(path).ok());
  }
}

TEST(IndexFile, HoldsTheSameBytesAtEveryThreadCount) {
  for (const auto& [metric, type] :
       {std::pair{Distance::Cosine, VectorType::F32}, std::pair{Distance::L2, VectorType::U8},
        std::pair{Distance::InnerProduct, VectorType::F16}}) {
    const VectorSet set = doubles::clustered(type, 2000, 20, 3);
    std::vector<std::byte> expected;
    for (const unsigned threads : {1u, 2u, 6u}) {
      FaultFileSystem files;
      const io::FileSystemOverride guard(files);
      Execution execution;
      execution.threads = threads;
      IndexBuilder().metric(metric).max_degree(16).execution(execution).build_from_vectors(set).save("a.idx");
      const auto content = files.content("a.idx");
      ASSERT_TRUE(content.has_value());
      if (expected.empty()) expected = *content;
      EXPECT_TRUE(expected == *content) << to_string(metric) << ", " << threads << " threads";
    }
  }
}

/// A file whose list of entry points is another; its checksums are right.
void replace_entry_points(const std::string& from, const std::string& to, const std::vector<base::Slot>& entries) {
  const io::Container container = io::Container::open(from);
  io::ContainerWriter writer(to, true);
  for (const io::Section& section : container.sections()) {
    writer.begin(section.kind, section.version, section.required);
    if (section.kind == io::SectionKind::EntryPoints)
      writer.write(std::as_bytes(std::span(entries)));
    else
      writer.write(container.read_small(section));
  }
  writer.commit();
}

TEST(IndexFile, RefusesEntryPointsThatAreRepeatedBeyondOrTooMany) {
  const VectorSet set = doubles::clustered(VectorType::U8, 2000, 20, 3);
  const std::string path = scratch_path("entries.idx"), other = scratch_path("others.idx");
  const Index built = IndexBuilder().max_degree(12).build_from_vectors(set);
  built.save(path, true);
  const auto error_with = [&](const std::vector<base::Slot>& entries) -> std::string {
    replace_entry_points(path, other, entries);
    EXPECT_EQ(verify(other).ok(), entries.size() == 1024);
    try {
      EXPECT_EQ(answers(Index::open(other)), answers(built));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Corrupt);
      return error.what();
    }
    return "";
  };
  std::vector<base::Slot> many(1024);
  std::iota(many.begin(), many.end(), base::Slot{7});
  EXPECT_EQ(error_with(many), "");
  many.push_back(0);
  EXPECT_NE(error_with(many).find("1025 entry points"), std::string::npos);
  EXPECT_NE(error_with({4, 9, 4}).find("entry point 4 is repeated"), std::string::npos);
  EXPECT_NE(error_with({4, 2000}).find("entry point 2000 is beyond"), std::string::npos);
  EXPECT_NE(error_with({}).find("not whole"), std::string::npos);
}

TEST(IndexFile, IsNotOverwrittenUnlessAsked) {
  const std::string path = scratch_path("there.idx");
  const Index index = full_index();
  index.save(path, true);
  try {
    index.save(path);
    FAIL() << "an index was overwritten";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::AlreadyExists);
  }
  index.save(path, true);
}

/// Every damaged file must be refused, or give the answers of the sound one.
template <class Damage>
std::size_t damage_all(const std::vector<std::byte>& sound, std::size_t cases, const Damage& damage) {
  const std::vector<Hit> expected = answers(full_index());
  std::size_t refused = 0;
  for (std::size_t i = 0; i < cases; ++i) {
    FaultFileSystem files;
    const io::FileSystemOverride guard(files);
    files.put("damaged.idx", damage(sound, i));
    for (const bool map : {false, true}) {
      OpenOptions options;
      options.map = map;
      options.verify_all = map;
      try {
        const doubles::AllocationMeter meter;
        const Index index = Index::open("damaged.idx", options);
        EXPECT_LT(meter.bytes(), std::size_t{64} << 20) << "case " << i;
        EXPECT_EQ(answers(index), expected) << "case " << i << (map ? " mapped" : " read");
      } catch (const Error& error) {
        EXPECT_TRUE(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::UnsupportedVersion)
            << "case " << i << ": " << error.what();
        ++refused;
      }
    }
  }
  return refused;
}

std::vector<std::byte> sound_file() {
  FaultFileSystem files;
  const io::FileSystemOverride guard(files);
  full_index().save("sound.idx");
  return *files.content("sound.idx");
}

TEST(IndexFile, EveryTruncationIsRefused) {
  const std::vector<std::byte> sound = sound_file();
  const std::size_t cases = sound.size();
  EXPECT_GE(cases, 10'000u);
  EXPECT_EQ(damage_all(sound, cases,
                       [&](std::vector<std::byte> bytes, std::size_t i) {
                         bytes.resize(i);
                         return bytes;
                       }),
            2 * cases);
}

/// A quarter of all bits each, so that sanitizers are not at it for minutes on end.
class IndexFileBits : public testing::TestWithParam<std::size_t> {};

TEST_P(IndexFileBits, FlippedAreRefusedOrHarmless) {
  const std::vector<std::byte> sound = sound_file();
  // Every bit of header, table and sections; of the padding between them, which is all the same, some.
  std::vector<bool> used(sound.size());
  {
    FaultFileSystem files;
    const io::FileSystemOverride guard(files);
    files.put("sound.idx", sound);
    const io::Container container = io::Container::open("sound.idx");
    std::fill_n(used.begin(), 64 + 64 * container.sections().size(), true);
    for (const io::Section& section : container.sections())
      std::fill_n(used.begin() + static_cast<std::ptrdiff_t>(section.offset), section.length, true);
  }
  std::vector<std::size_t> bits;
  for (std::size_t i = 0; i < sound.size(); ++i) {
    if (i % 4 != GetParam() || (!used[i] && i % 97 != 0)) continue;
    for (std::size_t bit = 0; bit < 8; ++bit) bits.push_back(i * 8 + bit);
  }
  EXPECT_GE(bits.size(), 12'500u);
  const std::size_t refused = damage_all(sound, bits.size(), [&](std::vector<std::byte> bytes, std::size_t i) {
    bytes[bits[i] / 8] ^= std::byte{1} << (bits[i] % 8);
    return bytes;
  });
  EXPECT_GE(refused, bits.size() * 2 * 95 / 100);
}
INSTANTIATE_TEST_SUITE_P(Of, IndexFileBits, testing::Range<std::size_t>(0, 4));

TEST(IndexFile, SectionsOfOneFileInAnotherAreRefusedOrSafe) {
  // Checksums say nothing of fit: an index of fewer nodes with the metadata of one of more.
  const std::vector<std::byte> sound = sound_file();
  base::Random random(3);
  std::size_t cases = 0;
  for (std::size_t i = 0; i < 3000; ++i) {
    std::vector<std::byte> bytes = sound;
    const std::size_t at = 4096 + random.below(bytes.size() - 4096);
    bytes[at] = static_cast<std::byte>(random.below(256));
    FaultFileSystem files;
    const io::FileSystemOverride guard(files);
    files.put("spliced.idx", bytes);
    OpenOptions options;
    options.map = true;  // large sections unchecked: wrong bytes reach the search
    try {
      const Index index = Index::open("spliced.idx", options);
      EXPECT_LE(answers(index).size(), 4u * 12u);
      index.graph_statistics();
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::Internal) << error.what();
    }
    ++cases;
  }
  EXPECT_EQ(cases, 3000u);
}

TEST(IndexFile, IsNotSavedFromAMappedFileWhoseEdgesLeadNowhere) {
  for (const std::string builder : {"partitioned", kMicrosoftBuilder}) {
    const std::string path = scratch_path("mapped.idx"), copy = scratch_path("copy.idx");
    full_index().save(path, true);
    {
      const io::Container container = io::Container::open(path);
      io::ContainerWriter writer(copy, true);
      for (const io::Section& section : container.sections()) {
        std::vector<std::byte> bytes = container.read_small(section);
        if (section.kind == io::SectionKind::Graph) bytes[2] = std::byte{0x7F};
        if (section.kind == io::SectionKind::Meta) {
          std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
          const std::size_t at = text.find("incremental");
          ASSERT_NE(at, std::string::npos);
          text.replace(at, 11, builder);
          bytes.resize(text.size());
          std::memcpy(bytes.data(), text.data(), text.size());
        }
        writer.begin(section.kind, section.version, section.required);
        writer.write(bytes);
      }
      writer.commit();
    }
    OpenOptions options;
    options.map = true;
    const Index index = Index::open(copy, options);
    for (const auto& save : {std::function<void()>([&] { index.save(scratch_path("saved.idx"), true); }),
                             std::function<void()>([&] { index.save_microsoft(scratch_path("saved"), true); })}) {
      try {
        save();
        ADD_FAILURE() << "saved with a right checksum";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt) << error.what();
      }
    }
  }
}

TEST(IndexFile, EveryFaultWhileSavingLeavesTheOldFileAndNothingElse) {
  const Index index = full_index();
  const VectorSet other = doubles::clustered(VectorType::U8, 9, 6, 4);
  std::size_t cases = 0;
  for (const auto operation : {doubles::Operation::Create, doubles::Operation::Write, doubles::Operation::Sync,
                               doubles::Operation::Close, doubles::Operation::Rename}) {
    for (std::size_t nth = 1;; ++nth) {
      FaultFileSystem files;
      const io::FileSystemOverride guard(files);
      IndexBuilder().build_from_vectors(other).save("a.idx");
      const auto before = files.content("a.idx");
      files.arm({operation, nth, ENOSPC});
      bool failed = false;
      try {
        index.save("a.idx", true);
      } catch (const Error& error) {
        failed = true;
        EXPECT_EQ(error.code(), ErrorCode::Io) << error.what();
      }
      EXPECT_EQ(failed, files.fired());
      files.disarm();
      if (!failed) break;
      EXPECT_EQ(files.content("a.idx"), before);
      EXPECT_EQ(files.names().size(), 1u) << "something was left behind";
      ++cases;
    }
  }
  EXPECT_GE(cases, 5u);
}

TEST(IndexFile, CancelledSavesLeaveNothingBehind) {
  FaultFileSystem files;
  const io::FileSystemOverride guard(files);
  CancelToken token;
  token.cancel();
  Execution execution;
  execution.cancel = &token;
  try {
    full_index().save("a.idx", false, execution);
    FAIL() << "the save went on";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  }
  EXPECT_TRUE(files.names().empty());
}

TEST(IndexFile, OfAUsersDistanceOpensOnlyWithThatDistance) {
  class Named : public DistanceFunction {
   public:
    explicit Named(std::string name) : name_(std::move(name)) {}
    float distance(std::span<const float> a, std::span<const float> b) const override { return std::abs(a[0] - b[0]); }
    std::string name() const override { return name_; }

   private:
    std::string name_;
  };
  const VectorSet set = doubles::clustered(VectorType::F32, 60, 3, 2);
  const auto first = std::make_shared<Named>("first");
  const std::string path = scratch_path("custom.idx");
  IndexBuilder().distance_function(first).build_from_vectors(set).save(path, true);
  OpenOptions options;
  EXPECT_THROW(Index::open(path, options), Error);
  options.distance_function = std::make_shared<Named>("second");
  EXPECT_THROW(Index::open(path, options), Error);
  options.distance_function = first;
  const Index index = Index::open(path, options);
  EXPECT_EQ(index.search(set.view().slice(5, 1), 1)[0].id, 5u);
  const Index unsaved = IndexBuilder().distance_function(std::make_shared<Named>("a\x1b[2J")).build_from_vectors(set);
  EXPECT_THROW(unsaved.save(path, true), Error) << "a file with that name could not be opened";
}

TEST(Verify, PassesASoundFileAndNamesWhatItChecked) {
  const std::string path = scratch_path("verify.idx");
  full_index().save(path, true);
  const VerifyReport report = verify(path);
  EXPECT_TRUE(report.ok());
  EXPECT_GE(report.checks.size(), 8u);
  EXPECT_EQ(report.graph.unreachable, 0u);
  EXPECT_EQ(report.graph.nodes, 23u) << "two of the rows are twins";
}

TEST(IndexMeta, RefusesControlCharactersInText) {
  const std::string path = scratch_path("meta.idx");
  full_index().save(path, true);
  const io::Container container = io::Container::open(path);
  const std::vector<std::byte> bytes = container.read_small(container.require(io::SectionKind::Meta));
  const std::string sound(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::string version = "\"library_version\": \"";
  const std::size_t at = sound.find(version);
  ASSERT_NE(at, std::string::npos);
  const auto with = [&](const std::string& text) { return std::string(sound).insert(at + version.size(), text); };
  EXPECT_NO_THROW(meta_from_json(with("é ☃ "), "x"));
  for (const char* text : {"\\u001b[2J", "\\n", "\\u0000", "\\u007f", "\\u009b", "\xC2\x9B"}) {
    try {
      meta_from_json(with(text), "x");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Corrupt);
      EXPECT_NE(std::string(error.what()).find("control characters in 'library_version'"), std::string::npos);
    }
  }
}

TEST(Inspect, TellsWhatAnIndexFileIs) {
  const std::string path = scratch_path("inspect.idx");
  full_index().save(path, true);
  EXPECT_EQ(file_kind(path), FileKind::Index);
  const IndexFileInfo info = inspect_index(path);
  EXPECT_EQ(info.points, 24u);
  EXPECT_EQ(info.nodes, 23u);
  EXPECT_EQ(info.dimension, 6u);
  EXPECT_EQ(info.metric, Distance::Cosine);
  EXPECT_TRUE(info.custom_ids);
  EXPECT_EQ(info.parameters.max_degree, 4u);
  EXPECT_EQ(info.sections.size(), 9u);
}

}  // namespace
}  // namespace diskann::index
