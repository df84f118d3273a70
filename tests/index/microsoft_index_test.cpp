#include <gtest/gtest.h>
#include <unistd.h>

#include <barrier>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "diskann/vector_file.hpp"
#include "tests/doubles/allocation_meter.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/index/oracle.hpp"

namespace diskann::index {
namespace {

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(DISKANN_SOURCE_DIR) / "tests/golden/microsoft" / name;
}

nlohmann::json expected(const std::filesystem::path& folder) {
  return nlohmann::json::parse(std::ifstream(folder / "expected.json"));
}

struct GoldenCase {
  std::string folder;
  Distance metric;
  VectorType type;
};

const GoldenCase kStatic[] = {
    {"mem_f32_l2", Distance::L2, VectorType::F32},         {"mem_i8_l2", Distance::L2, VectorType::I8},
    {"mem_u8_l2", Distance::L2, VectorType::U8},           {"mem_f32_mips", Distance::InnerProduct, VectorType::F32},
    {"mem_f32_cosine", Distance::Cosine, VectorType::F32}, {"mem_i8_cosine", Distance::Cosine, VectorType::I8},
    {"mem_u8_cosine", Distance::Cosine, VectorType::U8}};
const GoldenCase kDynamic[] = {{"dyn_f32_l2/built", Distance::L2, VectorType::F32},
                               {"dyn_f32_l2/saved", Distance::L2, VectorType::F32},
                               {"dyn_u8_l2/built", Distance::L2, VectorType::U8},
                               {"dyn_u8_l2/saved", Distance::L2, VectorType::U8},
                               {"dyn_f32_cosine/built", Distance::Cosine, VectorType::F32},
                               {"dyn_f32_cosine/saved", Distance::Cosine, VectorType::F32},
                               {"dyn_empty_start", Distance::L2, VectorType::F32}};

std::string query_file(VectorType type) {
  return "vectors/query_" + std::string(to_string(type)) +
         (type == VectorType::F32  ? ".fbin"
          : type == VectorType::I8 ? ".i8bin"
                                   : ".u8bin");
}

/// Share of Microsoft's own answers among ours, over all their queries.
double agreement(const GoldenCase& golden_case, const Index& index, std::uint32_t list_size) {
  const nlohmann::json answers = expected(golden(golden_case.folder))["ids"];
  const VectorSet queries = read_vectors(golden(query_file(golden_case.type)));
  std::size_t shared = 0, all = 0;
  for (std::size_t q = 0; q < answers.size(); ++q) {
    std::set<std::uint64_t> theirs;
    for (const auto& id : answers[q]) theirs.insert(id.get<std::uint64_t>());
    for (const Hit& hit : index.search(queries.view().slice(q, 1), theirs.size(), {list_size}))
      shared += theirs.count(hit.id);
    all += theirs.size();
  }
  EXPECT_GT(all, 0u);
  return static_cast<double>(shared) / static_cast<double>(all);
}

TEST(MicrosoftIndex, OfEveryKindOpensInPlaceAndGivesTheirAnswers) {
  for (const auto& group : {std::span<const GoldenCase>(kStatic), std::span<const GoldenCase>(kDynamic)}) {
    for (const GoldenCase& golden_case : group) {
      const auto prefix = golden(golden_case.folder) / "ann";
      EXPECT_EQ(file_kind(prefix), FileKind::MicrosoftMemoryIndex);
      OpenOptions options;
      options.metric = golden_case.metric;
      options.type = golden_case.type;
      const Index index = Index::open(prefix, options);
      EXPECT_GE(agreement(golden_case, index, 64), 0.95) << golden_case.folder;
      const VectorSet queries = read_vectors(golden(query_file(golden_case.type)));
      EXPECT_EQ(index.range_search(queries.view().slice(0, 1), std::numeric_limits<float>::infinity(), {10}).size(),
                index.size())
          << golden_case.folder << ": rows that no walk reaches are found too";
      std::vector<Hit> hits(index.size());
      EXPECT_EQ(index.search_into(queries.view().slice(0, 1), hits), hits.size());
      const doubles::AllocationMeter meter;
      EXPECT_EQ(index.search_into(queries.view().slice(1, 1), hits), hits.size());
      EXPECT_EQ(meter.calls(), 0u) << golden_case.folder << ": warm, though it must look at all rows";
      // Their builder does not promise that all is reachable; else their sets are sound.
      const VerifyReport report = verify(prefix, options);
      EXPECT_TRUE(report.ok()) << golden_case.folder << ": " << report.problems.front();
      EXPECT_EQ(report.warnings.size(), report.graph.unreachable > 0 ? 1u : 0u) << golden_case.folder;
      const IndexFileInfo info = inspect_index(prefix, options);
      EXPECT_EQ(info.points, index.size()) << golden_case.folder;
      EXPECT_EQ(info.metric, golden_case.metric);
    }
  }
}

TEST(MicrosoftIndex, NeverReturnsDeletedOrFrozenPoints) {
  for (const GoldenCase& golden_case : kDynamic) {
    OpenOptions options;
    options.metric = golden_case.metric;
    options.type = golden_case.type;
    const Index index = Index::open(golden(golden_case.folder) / "ann", options);
    const nlohmann::json answers = expected(golden(golden_case.folder));
    std::set<std::uint64_t> deleted;
    if (answers.contains("deleted_tags"))
      for (const auto& tag : answers["deleted_tags"]) deleted.insert(tag.get<std::uint64_t>());
    const VectorSet queries = read_vectors(golden(query_file(golden_case.type)));
    const auto hits = index.search(queries.view().slice(0, 1), 1000);
    EXPECT_EQ(hits.size(), index.size()) << golden_case.folder;
    std::set<std::uint64_t> ids;
    for (const Hit& hit : hits) {
      ids.insert(hit.id);
      EXPECT_EQ(deleted.count(hit.id), 0u) << golden_case.folder;
    }
    EXPECT_EQ(ids.size(), hits.size()) << golden_case.folder;
  }
}

TEST(MicrosoftIndex, WhatWeExportIsReadBackWithTheSameAnswers) {
  const std::filesystem::path prefix =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "exported");
  for (const VectorType type : {VectorType::F32, VectorType::I8, VectorType::U8}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      if (metric == Distance::InnerProduct && type != VectorType::F32) continue;  // theirs is for f32 only
      const VectorSet set = doubles::clustered(type, 400, 12, 7);
      const Index index = IndexBuilder().metric(metric).max_degree(16).store_as(type).build_from_vectors(set);
      index.save_microsoft(prefix, true);
      const Index back = Index::open(prefix);  // the metadata file names metric and type
      EXPECT_EQ(back.metric(), metric);
      EXPECT_EQ(back.type(), type);
      for (std::size_t q = 0; q < 40; ++q) {
        const auto ours = index.search(set.view().slice(q, 1), 5, {400});
        const auto theirs = back.search(set.view().slice(q, 1), 5, {400});
        ASSERT_EQ(ours.size(), theirs.size());
        for (std::size_t i = 0; i < ours.size(); ++i) {
          EXPECT_EQ(ours[i].id, theirs[i].id) << to_string(type) << ' ' << to_string(metric);
          EXPECT_NEAR(ours[i].distance, theirs[i].distance, 1e-5f * std::max(1.0f, std::abs(ours[i].distance)));
        }
      }
    }
  }
}

TEST(ConcurrentMicrosoftExports, ToOnePrefixNeverMix) {
  const std::filesystem::path prefix =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "both");
  const VectorSet sets[] = {doubles::clustered(VectorType::U8, 300, 12, 7),
                            doubles::clustered(VectorType::U8, 300, 12, 8)};
  const Index indexes[] = {IndexBuilder().max_degree(16).seed(1).build_from_vectors(sets[0]),
                           IndexBuilder().max_degree(16).seed(2).build_from_vectors(sets[1])};
  for (int round = 0; round < 100; ++round) {
    for (const char* suffix : {"", ".data", "_metadata.bin"}) std::filesystem::remove(prefix.string() + suffix);
    std::barrier start(2);
    std::vector<std::thread> writers;
    for (const Index& index : indexes) {
      writers.emplace_back([&] {
        start.arrive_and_wait();
        index.save_microsoft(prefix, true);
      });
    }
    for (std::thread& writer : writers) writer.join();
    const Index found = Index::open(prefix);
    const bool first = found.search(sets[0].view().slice(0, 1), 1)[0].distance == 0.0f;
    const Index& expected = indexes[first ? 0 : 1];
    EXPECT_EQ(found.graph_statistics().edges, expected.graph_statistics().edges) << "round " << round;
    for (std::size_t q = 0; q < 300; ++q) {
      const VectorView query = sets[first ? 0 : 1].view().slice(q, 1);
      ASSERT_EQ(found.search(query, 3), expected.search(query, 3)) << "round " << round;
    }
  }
}

TEST(MicrosoftIndex, TwinsBecomeNodesThatAreAllReachable) {
  const std::filesystem::path prefix =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "twins");
  const VectorSet distinct = doubles::clustered(VectorType::U8, 30, 6, 12);
  VectorSet base(VectorType::U8, 900, 6);
  for (std::size_t i = 0; i < 900; ++i) std::copy_n(distinct.row(i % 30), base.row_bytes(), base.row(i));
  const Index index = IndexBuilder().max_degree(8).build_from_vectors(base);
  index.save_microsoft(prefix, true);
  const VerifyReport report = verify(prefix);
  EXPECT_TRUE(report.ok()) << report.problems.front();
  EXPECT_EQ(report.graph.nodes, 900u);
  EXPECT_EQ(Index::open(prefix).search(distinct.view().slice(3, 1), 900).size(), 900u);
}

TEST(MicrosoftIndex, IsNotTakenForAnIndexOfOursBesideItsVectors) {
  // "name.data" is a vector file of theirs, and "name" a fine name for an index of it.
  const std::filesystem::path path =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "beside");
  const VectorSet set = doubles::clustered(VectorType::U8, 50, 6, 1);
  write_vectors(path.string() + ".data", set);
  IndexBuilder().build_from_vectors(set).save(path, true);
  EXPECT_EQ(file_kind(path), FileKind::Index);
  EXPECT_EQ(Index::open(path).size(), 50u);
  EXPECT_TRUE(verify(path).ok());
}

TEST(MicrosoftIndex, RefusesWhatTheirFilesCannotHold) {
  const std::filesystem::path prefix =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "refused");
  const auto code = [&](const Index& index) {
    try {
      index.save_microsoft(prefix, true);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  const VectorSet set = doubles::clustered(VectorType::F32, 20, 4, 1);
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 20; ++i) ids.push_back(i + 1);
  EXPECT_EQ(code(IndexBuilder().ids(ids).build_from_vectors(set)), ErrorCode::Unsupported);
  EXPECT_EQ(code(IndexBuilder().store_as(VectorType::F16).build_from_vectors(set)), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace diskann::index
