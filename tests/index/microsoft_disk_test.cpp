// Microsoft's sets for SSDs: searched where they are, read into memory, and written.
#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "diskann/disk_index.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "diskann/vector_file.hpp"
#include "scratch.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/index/oracle.hpp"

namespace diskann::index {
namespace {

namespace fs = std::filesystem;

fs::path golden(const std::string& name) { return fs::path(DISKANN_SOURCE_DIR) / "tests/golden/microsoft" / name; }

/// The files of one of their sets, in a place of its own where they may be changed.
fs::path copied(const std::string& name) {
  const fs::path folder = scratch_path("ms_" + name);
  fs::remove_all(folder);
  fs::copy(golden(name), folder);
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".gz") continue;
    EXPECT_EQ(std::system(("gzip -d " + entry.path().string()).c_str()), 0);
  }
  return folder;
}

struct Case {
  std::string folder;
  Distance metric;
  VectorType type;
  bool exact = true;  ///< the vectors themselves are in the set
};
const Case kCases[] = {{"disk_f32_l2", Distance::L2, VectorType::F32},
                       {"disk_i8_l2", Distance::L2, VectorType::I8},
                       {"disk_u8_l2", Distance::L2, VectorType::U8},
                       {"disk_f32_mips", Distance::InnerProduct, VectorType::F32},
                       {"disk_f32_cosine", Distance::Cosine, VectorType::F32},
                       {"disk_f32_l2_diskpq", Distance::L2, VectorType::F32, false},
                       {"disk_f32_l2_merged", Distance::L2, VectorType::F32},
                       {"disk_multisector", Distance::L2, VectorType::F32}};

VectorSet inputs(const Case& of, const fs::path& folder, const std::string& which) {
  if (of.folder == "disk_multisector") return read_vectors(folder / (which + ".fbin"));
  return read_vectors(golden("vectors/" + which + "_" + std::string(to_string(of.type)) +
                             (of.type == VectorType::F32  ? ".fbin"
                              : of.type == VectorType::I8 ? ".i8bin"
                                                          : ".u8bin")));
}

TEST(MicrosoftDiskSet, OfEveryKindIsSearchedInPlaceAndGivesTheirAnswers) {
  for (const Case& of : kCases) {
    SCOPED_TRACE(of.folder);
    const fs::path folder = copied(of.folder);
    const VectorSet base = inputs(of, folder, "base"), queries = inputs(of, folder, "query");
    const nlohmann::json answers = nlohmann::json::parse(std::ifstream(folder / "expected.json"))["ids"];
    for (const char* name : {"ann", "ann_disk.index", "ann_pq_pivots.bin"})
      EXPECT_EQ(file_kind(folder / name), FileKind::MicrosoftDiskIndex);
    DiskOpenOptions options;
    options.metric = of.metric;
    options.type = of.type;
    const DiskIndex index = DiskIndex::open(folder / "ann", options);
    EXPECT_EQ(index.size(), base.rows());
    EXPECT_EQ(index.dimension(), base.dimension());
    std::size_t shared = 0, all = 0;
    for (std::size_t q = 0; q < answers.size(); ++q) {
      std::set<std::uint64_t> theirs;
      for (const auto& id : answers[q]) theirs.insert(id.get<std::uint64_t>());
      const VectorView query = queries.view().slice(q, 1);
      const std::vector<Hit> hits = index.search(query, theirs.size(), {64});
      for (const Hit& hit : hits) {
        shared += theirs.count(hit.id);
        if (!of.exact) continue;
        const double wanted =
            distance::reference_distance(of.metric, query.row(0), of.type, base.row(hit.id), of.type, base.dimension());
        EXPECT_NEAR(hit.distance, wanted, 1e-4 * std::max(1.0, std::abs(wanted)));
      }
      all += theirs.size();
    }
    EXPECT_GE(static_cast<double>(shared), 0.95 * static_cast<double>(all));
    EXPECT_EQ(index.search(queries.view().slice(0, 1), 1000).size(), base.rows());

    // Whole in memory the same vectors, and all checks.
    OpenOptions whole;
    whole.metric = of.metric;
    whole.type = of.type;
    const Index memory = Index::open(folder / "ann", whole);
    const VerifyReport report = verify(folder / "ann", whole);
    EXPECT_TRUE(report.ok()) << report.problems.front();
    const IndexFileInfo info = inspect_index(folder / "ann", whole);
    EXPECT_EQ(info.points, base.rows());
    EXPECT_TRUE(info.drive.has_value());
    for (std::size_t q = 0; q < queries.rows(); ++q) {
      const VectorView query = queries.view().slice(q, 1);
      const std::vector<Hit> a = memory.search(query, 10, {300}), b = index.search(query, 10, {300});
      for (std::size_t i = 0; i < 10; ++i) EXPECT_FLOAT_EQ(a[i].distance, b[i].distance);
    }
    // And as a file of ours.
    memory.save_for_disk(folder / "ours.idx");
    EXPECT_TRUE(verify(folder / "ours.idx").ok());
    const DiskIndex ours = DiskIndex::open(folder / "ours.idx");
    EXPECT_FLOAT_EQ(ours.search(queries.view().slice(0, 1), 1, {300})[0].distance,
                    index.search(queries.view().slice(0, 1), 1, {300})[0].distance);
  }
}

TEST(MicrosoftDiskSet, IsWrittenForAllMetricsAndTypes) {
  for (const VectorType type : {VectorType::F32, VectorType::U8, VectorType::I8}) {
    for (const std::uint32_t dimension : {40u, 1100u}) {
      if (dimension > 1000 && type != VectorType::F32) continue;  // of those a node takes two sectors
      for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
        SCOPED_TRACE(std::string(to_string(metric)) + " " + std::string(to_string(type)));
        const SyntheticSet data = clusters(type, dimension, 700);
        const fs::path folder = scratch_path("written");
        fs::remove_all(folder);
        fs::create_directory(folder);
        IndexBuilder()
            .metric(metric)
            .max_degree(24)
            .store_as(type)
            .quantize(Codec::PQ8, dimension == 40 ? 20 : 110)
            .build_from_vectors(data.vectors)
            .save_for_disk(folder / "ours.idx");
        const Index ours = Index::open(folder / "ours.idx");
        ours.save_microsoft(folder / "ann");
        const DiskIndex theirs = DiskIndex::open(folder / "ann");
        EXPECT_EQ(theirs.metric(), metric);
        const SearchResults truth = compute_ground_truth(data.vectors, data.queries, metric, 10);
        const double recall = recall_at(theirs.search_batch(data.queries, 10, {60}), truth, 10);
        EXPECT_GE(recall, recall_at(ours.search_batch(data.queries, 10, {60}), truth, 10) - 0.04);
        EXPECT_THROW(ours.save_microsoft(folder / "ann"), Error);
        ours.save_microsoft(folder / "ann", true);
        EXPECT_TRUE(verify(folder / "ann").ok());
      }
    }
  }
}

/// Codes of errors that opening and searching give.
std::optional<ErrorCode> code_of(const fs::path& prefix, const Case& of) {
  try {
    DiskOpenOptions options;
    options.metric = of.metric;
    options.type = of.type;
    const DiskIndex index = DiskIndex::open(prefix, options);
    const VectorSet queries(of.type, 1, index.dimension());
    index.search(queries, 5, {20});
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

TEST(MicrosoftDiskSet, WithDamageIsRefused) {
  for (const Case& of : kCases) {
    SCOPED_TRACE(of.folder);
    const fs::path folder = copied(of.folder);
    EXPECT_EQ(code_of(folder / "ann", of), std::nullopt);
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      const std::string name = entry.path().filename().string();
      if (!name.starts_with("ann_") || name.find("sample") != std::string::npos ||
          name.find("centroids") != std::string::npos)
        continue;
      SCOPED_TRACE(name);
      const std::vector<std::byte> good = bytes_of_file(entry.path().string());
      const auto write = [&](const std::vector<std::byte>& bytes) {
        std::ofstream(entry.path(), std::ios::binary)
            .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      };
      for (const std::size_t left : {std::size_t{0}, std::size_t{7}, good.size() / 2, good.size() - 1}) {
        write({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(left)});
        EXPECT_EQ(code_of(folder / "ann", of), ErrorCode::Corrupt) << left << " bytes left";
      }
      // Every number that a reader goes by: the counts in front, and the header of nodes.
      const std::size_t numbers = name == "ann_disk.index" ? 20 : 2;
      for (std::size_t i = 0; i < numbers; ++i) {
        if (name == "ann_disk.index" && i >= 6 && i < 8) continue;  // any node may be the medoid
        std::vector<std::byte> bad = good;
        for (const auto value : {std::byte{0xFF}, std::byte{0x7F}}) {
          if (4 * i + 4 > bad.size()) break;
          std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(4 * i), 4, value);
          write(bad);
          EXPECT_NE(code_of(folder / "ann", of), std::nullopt) << "number " << i;
        }
      }
      write(good);
    }
    EXPECT_EQ(code_of(folder / "ann", of), std::nullopt);
  }
}

TEST(MicrosoftDiskSet, SaysHowFarItIsAndStops) {
  const fs::path folder = copied("disk_u8_l2");
  DiskOpenOptions options;
  options.metric = Distance::L2;
  options.type = VectorType::U8;
  std::uint64_t seen = 0, all = 0;
  options.execution.progress = [&](const Progress& progress) {
    seen = progress.done;
    all = progress.total;
  };
  const std::size_t points = DiskIndex::open(folder / "ann", options).size();
  EXPECT_GE(all, points);
  EXPECT_EQ(seen, all);
  CancelToken token;
  token.cancel();
  options.execution.cancel = &token;
  try {
    DiskIndex::open(folder / "ann", options);
    ADD_FAILURE() << "opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  }
}

TEST(MicrosoftDiskSet, WithCodedCoordinatesHoldsFloatsWhateverTheTypeWas) {
  const fs::path folder = copied("disk_f32_l2_diskpq");
  for (const VectorType type : {VectorType::U8, VectorType::I8, VectorType::F32}) {
    DiskOpenOptions options;
    options.metric = Distance::L2;
    options.type = type;
    const DiskIndex index = DiskIndex::open(folder / "ann", options);
    EXPECT_EQ(index.type(), VectorType::F32);
    EXPECT_EQ(index.source_type(), type);
    const VectorSet queries(VectorType::F32, 1, index.dimension());
    EXPECT_EQ(index.search(queries, 5, {40}).size(), 5u);
  }
}

TEST(MicrosoftDiskSet, KeepsEdgesBehindOnesToTheNodeItself) {
  const fs::path folder = copied("disk_u8_l2");
  OpenOptions options;
  options.metric = Distance::L2;
  options.type = VectorType::U8;
  const std::uint64_t before = Index::open(folder / "ann", options).graph_statistics().edges;
  const fs::path index = folder / "ann_disk.index";
  std::vector<std::byte> bytes = bytes_of_file(index.string());
  const std::size_t record = 12 + 4 * 17;  // of node 3: its first neighbour becomes itself
  const std::uint32_t self = 3;
  std::memcpy(bytes.data() + 4096 + 3 * record + 12 + 4, &self, sizeof self);
  std::ofstream(index, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  EXPECT_EQ(Index::open(folder / "ann", options).graph_statistics().edges, before - 1);
}

TEST(MicrosoftDiskSet, SaysWhatItsFilesDoNot) {
  const fs::path folder = copied("disk_u8_l2");
  EXPECT_THROW(DiskIndex::open(folder / "ann"), Error) << "no metric";
  DiskOpenOptions options;
  options.metric = Distance::InnerProduct;
  options.type = VectorType::U8;
  EXPECT_THROW(DiskIndex::open(folder / "ann", options), Error) << "it has no length of the longest vector";
  options.metric = Distance::L2;
  options.type = VectorType::F32;
  EXPECT_THROW(DiskIndex::open(folder / "ann", options), Error) << "records have no room";
  const fs::path floats = copied("disk_f32_l2");
  options.type = VectorType::I8;  // records would have room for 25 neighbours
  EXPECT_THROW(DiskIndex::open(floats / "ann", options), Error) << "lists are none";
}

}  // namespace
}  // namespace diskann::index
