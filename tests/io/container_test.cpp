#include "io/container.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "io/container_layout.hpp"
#include "io/posix_file_system.hpp"
#include "sample_container.hpp"
#include "scratch_directory.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::io {
namespace {

using doubles::FaultFileSystem;
using doubles::Operation;

class ContainerTest : public testing::Test {
 protected:
  Bytes saved(const std::vector<Payload>& payloads) {
    save("/f", payloads);
    return *files_.content("/f");
  }
  /// Tells what open() says to a file in which `edit` changed something, with checksums that fit.
  template <class Edit>
  ErrorCode code_after(Bytes bytes, Edit edit) {
    edit(bytes);
    doubles::repair_checksums(bytes);
    files_.put("/f", bytes);
    return code_of([] { Container::open("/f"); });
  }
  template <class T>
  static void poke(Bytes& bytes, std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }
  static constexpr std::size_t entry(std::size_t i) { return sizeof(ContainerHeader) + i * sizeof(ContainerEntry); }

  FaultFileSystem files_;
  FileSystemOverride override_{files_};
};

TEST_F(ContainerTest, GivesBackWhatWasWritten) {
  // Lengths around the page and the buffers of writer and reader.
  std::size_t cases = 0;
  for (const std::size_t length : {0u, 1u, 4095u, 4096u, 4097u, 1048575u, 1048576u, 1048577u, 3000000u}) {
    const std::vector<Payload> payloads = {{SectionKind::Meta, bytes_of("{}")},
                                           {SectionKind::Graph, random_bytes(length, length)},
                                           {SectionKind::Norms, {}, false},
                                           {SectionKind::Ids, random_bytes(8, 1)}};
    save("/f", payloads);
    EXPECT_TRUE(read_back("/f") == payloads) << length;
    const Container container = Container::open("/f");
    EXPECT_EQ(container.format_version(), 1u);
    EXPECT_EQ(container.file_size(), files_.content("/f")->size());
    for (const Section& section : container.sections()) EXPECT_EQ(section.offset % 4096, 0u);
    ++cases;
  }
  EXPECT_EQ(cases, 9u);
}

TEST_F(ContainerTest, GivesBackWhatWasWrittenOnARealFileSystem) {
  ScratchDirectory directory;
  FileSystem& system = posix_file_system();
  const FileSystemOverride in_force(system);
  save(directory / "index", small_sections());
  EXPECT_TRUE(read_back(directory / "index") == small_sections());
}

TEST_F(ContainerTest, SameSectionsGiveTheSameBytesHoweverTheyAreCut) {
  const Bytes payload = random_bytes(10'000, 3);
  const Bytes expected = saved({{SectionKind::Vectors, payload}});
  ContainerWriter writer("/g", false);
  writer.begin(SectionKind::Vectors, 1, true);
  for (std::size_t at = 0; at < payload.size(); at += 7)
    writer.write(std::span(payload).subspan(at, std::min<std::size_t>(7, payload.size() - at)));
  writer.commit();
  EXPECT_TRUE(files_.content("/g") == expected);
}

TEST_F(ContainerTest, AFileWithoutSectionsIsAFile) {
  EXPECT_EQ(saved({}).size(), 4096u);
  EXPECT_TRUE(Container::open("/f").sections().empty());
}

// The bytes of the example in docs/format.md: where this fails, the format has changed.
TEST_F(ContainerTest, TheExampleOfTheSpecificationIsWhatWeWrite) {
  const Bytes file = saved({{SectionKind::Meta, bytes_of("{}")}});
  std::ostringstream hex;
  for (std::size_t i = 0; i < 112; ++i) {
    static const char* kDigits = "0123456789ABCDEF";
    const auto value = std::to_integer<unsigned>(file[i]);
    hex << kDigits[value / 16] << kDigits[value % 16] << (i % 16 == 15 ? '\n' : ' ');
  }
  std::ifstream stream(DISKANN_SOURCE_DIR "/docs/format.md");
  std::stringstream specification;
  specification << stream.rdbuf();
  EXPECT_NE(specification.str().find(hex.str()), std::string::npos) << "not in docs/format.md:\n" << hex.str();
  EXPECT_EQ(file.size(), 8192u);
}

TEST_F(ContainerTest, RefusesANewerVersionAndUnknownFlags) {
  const Bytes file = saved(small_sections());
  EXPECT_EQ(code_after(file, [](Bytes& b) { poke(b, 8, std::uint32_t{2}); }), ErrorCode::UnsupportedVersion);
  EXPECT_EQ(code_after(file, [](Bytes& b) { poke(b, 8, std::uint32_t{0}); }), ErrorCode::Corrupt);
  EXPECT_EQ(code_after(file, [](Bytes& b) { poke(b, 12, std::uint32_t{1}); }), ErrorCode::UnsupportedVersion);
  EXPECT_EQ(code_after(file, [](Bytes& b) { poke(b, entry(0) + 8, std::uint32_t{3}); }), ErrorCode::UnsupportedVersion);
  // A newer version may have changed anything behind it.
  EXPECT_EQ(code_after(file, [](Bytes& b) { poke(b, 8, std::uint32_t{9}), poke(b, 32, std::uint64_t{77}); }),
            ErrorCode::UnsupportedVersion);
}

TEST_F(ContainerTest, RefusesAnUnknownSectionOnlyWhereItIsRequired) {
  const auto unknown = static_cast<SectionKind>(77);
  save("/f", {{SectionKind::Meta, bytes_of("{}")}, {unknown, bytes_of("what"), true}});
  EXPECT_EQ(code_of([] { Container::open("/f"); }), ErrorCode::UnsupportedVersion);
  EXPECT_NE(message_of([] { Container::open("/f"); }).find("kind 77"), std::string::npos);
  save("/f", {{unknown, bytes_of("what"), false}, {SectionKind::Meta, bytes_of("{}")}});
  const Container container = Container::open("/f");
  EXPECT_EQ(container.find(unknown), nullptr);
  EXPECT_EQ(container.read_small(container.require(SectionKind::Meta)), bytes_of("{}"));
  EXPECT_TRUE(container.checksum_ok(container.sections()[0])) << "its damage is found all the same";
}

TEST_F(ContainerTest, SkipsAnOptionalSectionOfANewerVersionAndRefusesARequiredOne) {
  save("/f", {{SectionKind::Norms, bytes_of("1234"), false, 2}});
  EXPECT_EQ(Container::open("/f").find(SectionKind::Norms), nullptr);
  save("/f", {{SectionKind::Norms, bytes_of("1234"), true, 2}});
  EXPECT_EQ(code_of([] { Container::open("/f"); }), ErrorCode::UnsupportedVersion);
}

TEST_F(ContainerTest, RefusesSectionsThatOverlapLeaveGapsOrComeTwice) {
  const Bytes file = saved({{SectionKind::Meta, random_bytes(5000, 1)}, {SectionKind::Graph, random_bytes(5000, 2)}});
  ASSERT_EQ(file.size(), 5 * 4096u);
  using U64 = std::uint64_t;
  const auto corrupt = [&](auto edit) { EXPECT_EQ(code_after(file, edit), ErrorCode::Corrupt); };
  corrupt([](Bytes& b) { poke(b, entry(1) + 16, U64{8192}); });                      // overlap
  corrupt([](Bytes& b) { poke(b, entry(1) + 16, U64{12'289}); });                    // not aligned
  corrupt([](Bytes& b) { poke(b, entry(1) + 16, U64{16'384}); });                    // a gap
  corrupt([](Bytes& b) { poke(b, entry(0) + 16, U64{0}); });                         // over the header
  corrupt([](Bytes& b) { poke(b, entry(1) + 24, U64{8193}); });                      // beyond the file
  corrupt([](Bytes& b) { poke(b, entry(1) + 24, ~U64{0}); });                        // wraps
  corrupt([](Bytes& b) { poke(b, entry(1) + 24, U64{4096}); });                      // leaves bytes behind
  corrupt([](Bytes& b) { poke(b, entry(1), std::uint32_t{1}); });                    // meta twice
  corrupt([](Bytes& b) { poke(b, entry(1), std::uint32_t{0}); });                    // no kind
  corrupt([](Bytes& b) { poke(b, entry(1) + 4, std::uint32_t{0}); });                // no version
  corrupt([](Bytes& b) { poke(b, entry(1) + 12, std::uint32_t{1}); });               // reserved
  corrupt([](Bytes& b) { poke(b, 24, std::uint32_t{101}); });                        // more than fit
  corrupt([](Bytes& b) { b.resize(b.size() + 4096), poke(b, 16, U64{b.size()}); });  // bytes behind the last
  corrupt([](Bytes& b) { b.resize(b.size() + 1), poke(b, 16, U64{b.size()}); });
  corrupt([](Bytes& b) { b.resize(4095), poke(b, 16, U64{b.size()}), poke(b, 24, std::uint32_t{0}); });
  corrupt([](Bytes& b) { b.resize(4096), poke(b, 16, U64{b.size()}), poke(b, 24, std::uint32_t{1}); });
  corrupt([](Bytes& b) {  // wraps to a place that fits the next entry
    poke(b, entry(0) + 24, ~U64{0});
    poke(b, entry(1) + 16, U64{4096});
    poke(b, entry(1) + 24, U64{16'384});
  });
  corrupt([](Bytes& b) { poke(b, 16, U64{b.size() - 4096}); });  // another size than the file has
  corrupt([](Bytes& b) { poke(b, 16, U64{b.size() + 4096}); });
  corrupt([](Bytes& b) { poke(b, 32, U64{104}); });  // table elsewhere
  for (const std::size_t reserved : {28u, 40u, 48u}) corrupt([=](Bytes& b) { poke(b, reserved, std::uint32_t{1}); });
  corrupt([](Bytes& b) { b[4095] = std::byte{1}; });  // behind the table
  corrupt([](Bytes& b) {                              // not sorted
    std::swap_ranges(b.begin() + entry(0), b.begin() + entry(1), b.begin() + entry(1));
  });
}

TEST_F(ContainerTest, SaysWhatItFoundInsteadOfAnIndex) {
  const auto message = [&](const char* content) {
    files_.put("/f", bytes_of(content));
    EXPECT_EQ(code_of([] { Container::open("/f"); }), ErrorCode::Corrupt);
    return message_of([] { Container::open("/f"); });
  };
  EXPECT_NE(message("").find("it is empty"), std::string::npos);
  EXPECT_NE(message("hello, I am a text").find("not an index file"), std::string::npos);
  EXPECT_NE(message("version https://git-lfs.github.com/spec/v1\noid sha256:0\n").find("git lfs pull"),
            std::string::npos);
  EXPECT_NE(message("DANN\r\n").find("truncated"), std::string::npos);
  EXPECT_EQ(message("hello").find("git lfs"), std::string::npos);
}

TEST_F(ContainerTest, ReadsStayInsideTheirSection) {
  save("/f", small_sections());
  const Container container = Container::open("/f");
  const Section& meta = container.require(SectionKind::Meta);
  Bytes out(4);
  EXPECT_NO_THROW(container.read(meta, meta.length - 4, out));
  EXPECT_EQ(code_of([&] { container.read(meta, meta.length - 3, out); }), ErrorCode::Corrupt);
  EXPECT_EQ(code_of([&] { container.read(meta, ~std::uint64_t{0}, out); }), ErrorCode::Corrupt);
  EXPECT_EQ(code_of([&] { container.read_all(meta, out); }), ErrorCode::Corrupt);
  EXPECT_EQ(code_of([&] { container.require(SectionKind::Graph); }), ErrorCode::Corrupt);
}

TEST_F(ContainerTest, ASmallSectionOfMoreThan64MebibytesIsCorrupt) {
  ScratchDirectory directory;
  const FileSystemOverride in_force(posix_file_system());
  {
    ContainerWriter writer(directory / "f", false);
    writer.begin(SectionKind::Meta, 1, true);
    const Bytes part(1 << 20);
    for (int i = 0; i < 64; ++i) writer.write(part);
    writer.write(std::span(part).first(1));
    writer.commit();
  }
  const Container container = Container::open(directory / "f");
  EXPECT_EQ(code_of([&] { container.read_small(container.sections()[0]); }), ErrorCode::Corrupt);
  EXPECT_TRUE(container.checksum_ok(container.sections()[0]));
}

TEST_F(ContainerTest, DamageIsFoundByWhoeverVerifiesAndNamed) {
  Bytes file = saved(small_sections());
  file[8192 + 4199] ^= std::byte{1};  // the last byte of the vectors
  files_.put("/f", file);
  const Container container = Container::open("/f");
  const Section& vectors = container.require(SectionKind::Vectors);
  EXPECT_FALSE(container.checksum_ok(vectors));
  EXPECT_TRUE(container.checksum_ok(container.require(SectionKind::Meta)));
  Bytes out(vectors.length);
  EXPECT_NO_THROW(container.read(vectors, 0, out));
  const std::string message = message_of([&] { container.read_all(vectors, out); });
  EXPECT_NE(message.find("/f: section vectors at offset 8192"), std::string::npos) << message;
}

TEST_F(ContainerTest, EveryReadThatFailsIsReported) {
  save("/f", small_sections());
  std::size_t cases = 0;
  for (const Operation operation : {Operation::Open, Operation::Read, Operation::Map}) {
    for (const int error : {EIO, ESTALE, 0}) {
      if (error == 0 && operation != Operation::Read) continue;
      for (std::size_t nth = 1;; ++nth) {
        files_.arm({operation, nth, error});
        const ErrorCode code = code_of([] { read_back("/f"); });
        if (!files_.fired()) break;
        EXPECT_EQ(code, error == 0 ? ErrorCode::Corrupt : ErrorCode::Io) << to_string(operation) << " " << nth;
        ++cases;
      }
    }
  }
  EXPECT_GE(cases, 30u);
}

TEST_F(ContainerTest, AMappedSectionOutlivesTheContainer) {
  save("/f", small_sections());
  std::shared_ptr<const std::byte> vectors;
  {
    const Container container = Container::open("/f");
    vectors = container.map(container.require(SectionKind::Vectors));
  }
  const Bytes expected = small_sections()[1].bytes;
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), vectors.get()));
}

}  // namespace
}  // namespace diskann::io
