#include "index/adopt.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <numeric>
#include <set>

#include "diskann/flat_index.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "diskann/vector_file.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/microsoft.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::index {
namespace {

constexpr const char* kGolden[] = {"mem_f32_l2",           "mem_i8_l2",       "mem_u8_l2",       "mem_f32_mips",
                                   "mem_f32_cosine",       "mem_i8_cosine",   "mem_u8_cosine",   "dyn_f32_l2/built",
                                   "dyn_f32_l2/saved",     "dyn_u8_l2/built", "dyn_u8_l2/saved", "dyn_f32_cosine/built",
                                   "dyn_f32_cosine/saved", "dyn_empty_start"};

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(DISKANN_SOURCE_DIR) / "tests/golden/microsoft" / name / "ann";
}

std::filesystem::path scratch(const std::string& name) {
  return std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + name);
}

/// A set of `rows` rows whose locations `deleted` are listed as such, under this prefix.
void write_set(const std::filesystem::path& prefix, const VectorSet& rows, const std::vector<std::uint32_t>& deleted) {
  IndexBuilder().max_degree(8).build_from_vectors(rows).save_microsoft(prefix, true);
  std::ofstream file(prefix.string() + ".del", std::ios::binary);
  const std::uint32_t header[] = {static_cast<std::uint32_t>(deleted.size()), 1};
  file.write(reinterpret_cast<const char*>(header), sizeof header);
  file.write(reinterpret_cast<const char*>(deleted.data()), static_cast<std::streamsize>(deleted.size() * 4));
}

TEST(Adopt, MakesFilesThatKeepThePromisesOfTheFormat) {
  constexpr std::uint32_t kAll = 400;  // a list that holds every node: what is reached is found
  for (const char* name : kGolden) {
    const Index theirs = Index::open(golden(name));
    const auto queries = doubles::clustered(theirs.type(), 10, theirs.dimension(), 5);
    doubles::FaultFileSystem files;
    const io::FileSystemOverride guard(files);
    theirs.save("a.idx");
    const VerifyReport report = verify("a.idx");
    EXPECT_TRUE(report.ok()) << name << ": " << report.problems.front();
    EXPECT_TRUE(report.warnings.empty()) << name;
    EXPECT_EQ(report.graph.unreachable, 0u) << name;
    const IndexFileInfo info = inspect_index("a.idx");
    EXPECT_EQ(info.points, theirs.size()) << name;
    EXPECT_EQ(info.nodes, theirs.size()) << name << ": none of its points are equal";

    const Index ours = Index::open("a.idx");
    const bool all_reached = theirs.graph_statistics().unreachable == 0;
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const auto query = queries.view().slice(q, 1);
      const auto found = ours.search(query, 10, {kAll}), before = theirs.search(query, 10, {kAll});
      ASSERT_EQ(found.size(), before.size());
      if (all_reached) {
        EXPECT_EQ(found, before) << name;
      }
      for (std::size_t i = 0; i < found.size(); ++i) EXPECT_LE(found[i].distance, before[i].distance) << name;
    }
    ours.save("again.idx");
    EXPECT_TRUE(files.content("again.idx") == files.content("a.idx")) << name << ": adopted twice";
  }
}

TEST(Adopt, LeavesDeletedPointsOut) {
  const auto prefix = scratch("deleted"), path = scratch("deleted.idx");
  const VectorSet all = doubles::clustered(VectorType::U8, 300, 12, 7);
  std::vector<std::uint32_t> deleted;
  for (std::uint32_t i = 0; i < 300; ++i)
    if (i % 4 != 1) deleted.push_back(i);
  write_set(prefix, all, deleted);
  Index::open(prefix).save(path, true);
  EXPECT_TRUE(verify(path).ok());
  const Index index = Index::open(path);
  EXPECT_EQ(index.size(), 75u);
  EXPECT_EQ(inspect_index(path).nodes, 75u);
  for (std::size_t q = 0; q < 300; q += 7) {
    const auto query = all.view().slice(q, 1);
    std::vector<Hit> expected;
    for (const Hit& hit : FlatIndex(all, Distance::L2).search(query, 300))
      if (hit.id % 4 == 1 && expected.size() < 5) expected.push_back(hit);
    EXPECT_EQ(index.search(query, 5, {300}), expected) << q;
  }
}

TEST(Adopt, PutsEqualPointsOnOneNode) {
  const auto prefix = scratch("equal"), path = scratch("equal.idx");
  const VectorSet distinct = doubles::clustered(VectorType::U8, 30, 6, 12);
  VectorSet all(VectorType::U8, 900, 6);
  for (std::size_t i = 0; i < 900; ++i) std::copy_n(distinct.row(i % 30), all.row_bytes(), all.row(i));
  write_set(prefix, all, {31});
  Index::open(prefix).save(path, true);
  EXPECT_TRUE(verify(path).ok());
  const IndexFileInfo info = inspect_index(path);
  EXPECT_EQ(info.points, 899u);
  EXPECT_EQ(info.nodes, 30u);
  const Index index = Index::open(path);
  for (std::size_t q = 0; q < 30; ++q) {
    std::size_t expected = q;
    for (const Hit& hit : index.search(distinct.view().slice(q, 1), q == 1 ? 29 : 30)) {
      if (expected == 31) expected += 30;
      EXPECT_EQ(hit.id, expected);
      expected += 30;
    }
  }
}

TEST(Adopt, TakesASetOfOnePoint) {
  const auto prefix = scratch("one"), path = scratch("one.idx");
  write_set(prefix, doubles::clustered(VectorType::U8, 1, 6, 1), {});
  Index::open(prefix).save(path, true);
  EXPECT_TRUE(verify(path).ok());
  EXPECT_EQ(Index::open(path).size(), 1u);
}

TEST(Adopt, TakesLinearTimeForManyEqualPoints) {
  // One node of ours has the neighbours of half of theirs.
  constexpr std::size_t kRows = 20'000;
  const auto prefix = scratch("half"), path = scratch("half.idx");
  VectorSet all = doubles::clustered(VectorType::U8, kRows, 16, 12);
  for (std::size_t i = 0; i < kRows / 2; ++i) std::copy_n(all.row(kRows - 1), all.row_bytes(), all.row(i));
  VectorSet spread = doubles::clustered(VectorType::U8, kRows, 16, 12);
  IndexBuilder().max_degree(8).build_from_vectors(spread).save_microsoft(prefix, true);
  std::fstream data(prefix.string() + ".data", std::ios::binary | std::ios::in | std::ios::out);
  data.seekp(8);
  data.write(reinterpret_cast<const char*>(all.row(0)), static_cast<std::streamsize>(kRows * all.row_bytes()));
  data.close();
  const auto start = std::chrono::steady_clock::now();
  Index::open(prefix).save(path, true);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_TRUE(verify(path).ok());
  EXPECT_EQ(Index::open(path).size(), kRows);
}

TEST(Adopt, RefusesASetWithoutPoints) {
  const auto prefix = scratch("none");
  std::vector<std::uint32_t> deleted(20);
  std::iota(deleted.begin(), deleted.end(), 0u);
  write_set(prefix, doubles::clustered(VectorType::U8, 20, 6, 1), deleted);
  try {
    Index::open(prefix).save(scratch("none.idx"), true);
    FAIL() << "saved";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("no point of the set is left"), std::string::npos) << error.what();
  }
}

TEST(Verify, NodesOutOfReachOrWithoutPointsAreFaultsInOurFilesOnly) {
  for (const auto& [name, fault] : {std::pair("mem_f32_mips", "24 nodes are not reachable"),
                                    std::pair("dyn_f32_l2/saved", "1 node has no point")}) {
    const VerifyReport theirs = verify(golden(name));
    EXPECT_TRUE(theirs.ok());
    EXPECT_EQ(theirs.warnings.size(), theirs.graph.unreachable > 0 ? 1u : 0u);
    const auto state = open_microsoft(golden(name), {});
    doubles::FaultFileSystem files;
    const io::FileSystemOverride guard(files);
    save_index(*state, "a.idx", false, {});  // as it is
    const VerifyReport report = verify("a.idx");
    EXPECT_TRUE(report.warnings.empty());
    ASSERT_FALSE(report.ok());
    EXPECT_NE(report.problems.front().find(fault), std::string::npos) << report.problems.front();
  }
}

}  // namespace
}  // namespace diskann::index
