#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "base/row_store.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "io/container.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::index {
namespace {

using doubles::FaultFileSystem;

constexpr std::size_t kRows = 50, kDimension = 20;

OpenOptions checked(bool map) {
  OpenOptions options;
  options.map = map;
  options.verify_all = map;  // what is read into memory is checked anyway
  return options;
}

/// Saves an index as "a.idx", changes one byte of a section and makes the checksums right again.
void forge(FaultFileSystem& files, VectorType type, Distance metric, io::SectionKind kind, std::size_t at) {
  const VectorSet set = doubles::clustered(type, kRows, kDimension, 3);
  IndexBuilder().metric(metric).max_degree(12).store_as(type).build_from_vectors(set).save("a.idx", true);
  ASSERT_TRUE(verify("a.idx").ok());
  std::vector<std::byte> bytes = *files.content("a.idx");
  bytes[io::Container::open("a.idx").require(kind).offset + at] ^= std::byte{1};
  doubles::repair_checksums(bytes);
  files.put("a.idx", bytes);
}

TEST(Verify, RefusesPaddingOfRowsThatIsNotZero) {
  for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
    const std::size_t used = kDimension * size_of(type), stride = base::row_stride(type, kDimension);
    for (const std::size_t byte : {used, stride - 1}) {
      FaultFileSystem files;
      const io::FileSystemOverride guard(files);
      forge(files, type, Distance::L2, io::SectionKind::Vectors, 7 * stride + byte);
      const std::string expected = "row 7: byte " + std::to_string(byte) + ", in the padding";
      for (const bool map : {false, true}) {
        OpenOptions options;
        options.map = map;
        const VerifyReport report = verify("a.idx", options);
        ASSERT_EQ(report.problems.size(), 1u) << to_string(type) << (map ? " mapped" : " read");
        EXPECT_NE(report.problems.front().find(expected), std::string::npos) << report.problems.front();
        try {
          Index::open("a.idx", checked(map));
          ADD_FAILURE() << "opened: " << to_string(type) << (map ? " mapped" : " read");
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::Corrupt);
          EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
        }
      }
    }
  }
}

TEST(IndexFile, MappedWithAllChecksRefusesAnEdgeBeyondTheLastNode) {
  FaultFileSystem files;
  const io::FileSystemOverride guard(files);
  forge(files, VectorType::U8, Distance::L2, io::SectionKind::Graph, 7 * 16 * sizeof(base::Slot) + 3);
  try {
    Index::open("a.idx", checked(true));
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    EXPECT_NE(std::string(error.what()).find("an edge to node"), std::string::npos) << error.what();
  }
}

TEST(Verify, NamesTheRowWhoseNormIsWrong) {
  struct Case {
    VectorType type;
    Distance metric;
  };
  for (const Case c : {Case{VectorType::U8, Distance::L2}, Case{VectorType::I8, Distance::L2},
                       Case{VectorType::F32, Distance::Cosine}, Case{VectorType::U8, Distance::Cosine}}) {
    FaultFileSystem files;
    const io::FileSystemOverride guard(files);
    forge(files, c.type, c.metric, io::SectionKind::Norms, 7 * sizeof(float));
    for (const bool map : {false, true}) {
      OpenOptions options;
      options.map = map;
      const VerifyReport report = verify("a.idx", options);
      ASSERT_EQ(report.problems.size(), 1u) << to_string(c.type) << ' ' << to_string(c.metric);
      EXPECT_EQ(report.problems.front(), "row 7: the stored norm is not that of the row");
    }
  }
}

}  // namespace
}  // namespace diskann::index
