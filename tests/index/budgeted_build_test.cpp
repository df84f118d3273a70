// Indexes for a drive of rows that do not fit in memory: as good as those built in one go, and nothing lost on the way.
#include "index/budgeted_build.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <regex>

#include "diskann/disk_index.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "index/ingest.hpp"
#include "scratch.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::index {
namespace {

using diskann::testing::kMetrics;
using doubles::FaultFileSystem;
using doubles::Operation;

constexpr std::uint64_t kBudget = std::uint64_t{40} << 20;

BudgetedRows rows_of(const VectorSet& base, Distance metric, std::uint32_t max_degree) {
  BudgetedRows rows;
  rows.rows = base.rows();
  rows.dimension = base.dimension();
  rows.source = rows.stored = base.type();
  rows.metric = metric;
  rows.parameters.max_degree = max_degree;
  rows.parameters.search_list_size = 60;
  rows.parameters.alpha = metric == Distance::InnerProduct ? 2.0f : 1.5f;
  rows.codes = {Codec::PQ8, 0};
  return rows;
}

void build_in_parts(const VectorSet& base, Distance metric, const std::filesystem::path& path,
                    const Execution& execution = {}, bool resume = false, bool overwrite = true,
                    std::uint32_t max_degree = 24, const std::vector<std::uint64_t>* ids = nullptr) {
  const ViewReader reader(base.view());
  BudgetedRows rows = rows_of(base, metric, max_degree);
  rows.threads = base::threads_of(execution);
  build_within_budget(reader, rows, ids, {path, overwrite, resume, kBudget}, execution);
}

Index build_at_once(const VectorSet& base, Distance metric) {
  return IndexBuilder()
      .metric(metric)
      .max_degree(24)
      .search_list_size(60)
      .store_as(base.type())
      .quantize(Codec::PQ8)
      .for_drive()
      .build_from_vectors(base);
}

TEST(BudgetedBuild, FindsAsMuchAsWhatWasBuiltAtOnce) {
  const std::string path = scratch_path("parts.idx"), whole = scratch_path("whole.idx");
  struct Shape {
    VectorType type;
    std::uint32_t dimension;
    std::vector<Distance> metrics;
  };
  for (const Shape& shape : {Shape{VectorType::U8, 32, {Distance::L2}},
                             {VectorType::F32, 24, {Distance::L2, Distance::Cosine}},
                             {VectorType::F16, 40, {Distance::InnerProduct}}}) {
    const SyntheticSet data = clusters(shape.type, shape.dimension, 3000);
    for (const Distance metric : shape.metrics) {
      SCOPED_TRACE(std::string(to_string(shape.type)) + " " + std::string(to_string(metric)));
      const Index at_once = build_at_once(data.vectors, metric);
      at_once.save_for_disk(whole, true);
      build_in_parts(data.vectors, metric, path);
      EXPECT_FALSE(std::filesystem::exists(path + ".build"));
      const VerifyReport report = verify(path);
      EXPECT_TRUE(report.ok()) << report.problems.front();
      EXPECT_EQ(report.graph.unreachable, 0u);
      const SearchResults truth = compute_ground_truth(data.vectors, data.queries, metric, 10);
      const DiskIndex parts = DiskIndex::open(path), other = DiskIndex::open(whole);
      EXPECT_EQ(parts.type(), shape.type);
      for (const std::uint32_t list : {20u, 60u}) {
        const auto recall = [&](const DiskIndex& index) {
          return recall_at(at_once, data.queries, index.search_batch(data.queries, 10, {list}), truth, 10);
        };
        // Shards have 500 rows here, and no plan makes smaller ones than 4,096; by inner product that is too few.
        EXPECT_GE(recall(parts), recall(other) - (metric == Distance::InnerProduct ? 0.1 : 0.01)) << list;
      }
      const SearchResults chosen = parts.search_batch(data.queries, 10, {.target_recall = 0.9f});
      EXPECT_GE(recall_at(at_once, data.queries, chosen, truth, 10), 0.87);
      for (std::size_t i = 0; i < chosen.ids.size(); i += 31) {
        float distance = 0;
        at_once.distances(data.queries.view().slice(i / 10, 1), std::span(&chosen.ids[i], 1), std::span(&distance, 1));
        EXPECT_EQ(chosen.distances[i], distance);
      }
    }
  }
  std::filesystem::remove(path);
  std::filesystem::remove(whole);
}

TEST(BudgetedBuild, GivesTheSameFileAtEveryThreadCount) {
  const std::string path = scratch_path("parts.idx");
  const SyntheticSet data = clusters(VectorType::F32, 20, 2000);
  std::vector<std::byte> first;
  for (const unsigned threads : {1u, 2u, 5u}) {
    Execution execution;
    execution.threads = threads;
    build_in_parts(data.vectors, Distance::L2, path, execution);
    const std::vector<std::byte> bytes = bytes_of_file(path);
    if (first.empty()) first = bytes;
    EXPECT_TRUE(bytes == first) << threads;
  }
  std::filesystem::remove(path);
}

TEST(BudgetedBuild, EqualRowsAreOneNodeAndIdsStay) {
  const std::string path = scratch_path("parts.idx");
  SyntheticSet data = clusters(VectorType::U8, 16, 4000);
  VectorSet& base = data.vectors;
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < base.rows(); ++i) {
    ids.push_back(base::mix(i));
    if (i % 5 == 4) std::memcpy(base.row(i), base.row(i % 50), base.row_bytes());  // of a few rows very many
  }
  build_in_parts(base, Distance::L2, path, {}, false, true, 24, &ids);
  const VerifyReport report = verify(path);
  EXPECT_TRUE(report.ok()) << report.problems.front();
  EXPECT_LE(report.graph.nodes, 3250u);
  const DiskIndex index = DiskIndex::open(path);
  EXPECT_EQ(index.size(), base.rows());
  for (std::size_t row = 0; row < base.rows(); row += 97) {
    const std::vector<Hit> hits = index.search(base.view().slice(row, 1), 200, {200});
    const auto self = std::find_if(hits.begin(), hits.end(), [&](const Hit& hit) { return hit.id == ids[row]; });
    ASSERT_NE(self, hits.end()) << row;
    EXPECT_EQ(self->distance, 0.0f);
  }
  std::filesystem::remove(path);
}

TEST(BudgetedBuild, ManyEqualRowsAndRowsOfZerosAreBuiltAsWell) {
  const std::string path = scratch_path("parts.idx");
  for (const Distance metric : kMetrics) {
    VectorSet base(VectorType::F32, 3000, 12);
    for (std::size_t i = 0; i < base.rows(); ++i)
      reinterpret_cast<float*>(base.row(i))[i % 12] = static_cast<float>(i % 9);
    build_in_parts(base, metric, path);
    const VerifyReport report = verify(path);
    EXPECT_TRUE(report.ok()) << report.problems.front();
    EXPECT_LE(report.graph.nodes, 108u);
    EXPECT_EQ(DiskIndex::open(path).search(base.view().slice(7, 1), 300, {300}).size(), 300u);
  }
  std::filesystem::remove(path);
}

TEST(BudgetedBuild, MakesEveryKindOfCodes) {
  const std::string path = scratch_path("parts.idx");
  const SyntheticSet data = clusters(VectorType::F32, 20, 500);
  std::size_t turn = 0;
  for (const Codec codec :
       {Codec::F16, Codec::SQ8, Codec::LVQ8, Codec::SQ4, Codec::RaBitQ1, Codec::RaBitQ5, Codec::PQ4}) {
    for (int i = 0; i < 2; ++i) {
      const Distance metric = kMetrics[turn++ % std::size(kMetrics)];
      SCOPED_TRACE(std::string(to_string(codec)) + " " + std::string(to_string(metric)));
      BudgetedRows rows = rows_of(data.vectors, metric, 16);
      rows.codes = {codec, 0};
      const ViewReader reader(data.vectors.view());
      const auto build = [&] { build_within_budget(reader, rows, nullptr, {path, true, false, kBudget}, {}); };
      if (codec == Codec::SQ8) {
        EXPECT_THROW(build(), Error);
        continue;
      }
      build();
      const VerifyReport report = verify(path);  // whether codes are those of the rows
      EXPECT_TRUE(report.ok()) << report.problems.front();
    }
  }
  std::filesystem::remove(path);
}

TEST(BudgetedBuild, SaysHowMuchItNeedsAndThatIsEnough) {
  BudgetedRows rows;
  rows.rows = 1'000'000;
  rows.dimension = 128;
  rows.codes = {Codec::PQ8, 0};
  std::uint64_t needed = 0;
  try {
    (void)plan_budget(rows, std::uint64_t{30} << 20);
    FAIL() << "a million rows in 30 MiB";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::OutOfMemory);
    std::smatch number;
    const std::string hint = error.hint();
    ASSERT_TRUE(std::regex_search(hint, number, std::regex("grant ([0-9]+)M"))) << hint;
    needed = std::stoull(number[1]) << 20;
  }
  EXPECT_LT(needed, std::uint64_t{150} << 20);
  const BudgetPlan plan = plan_budget(rows, needed);
  EXPECT_LE(plan.peak, needed);
  EXPECT_THROW((void)plan_budget(rows, needed - (std::uint64_t{4} << 20)), Error);
  // More memory makes larger shards.
  std::uint64_t capacity = 0;
  for (std::uint64_t budget = needed; budget < std::uint64_t{1} << 30; budget += budget / 4) {
    const BudgetPlan larger = plan_budget(rows, budget);
    EXPECT_LE(larger.peak, budget);
    EXPECT_GE(larger.capacity, capacity);
    EXPECT_GE(larger.capacity * larger.shards, 2 * rows.rows);
    EXPECT_EQ(larger.threads, 1u);
    rows.threads = 64;
    const BudgetPlan wide = plan_budget(rows, budget);
    EXPECT_EQ(wide.capacity, larger.capacity);
    EXPECT_GE(wide.threads, 2u);
    EXPECT_LE(wide.peak, budget);
    rows.threads = 1;
    capacity = larger.capacity;
  }
}

TEST(BudgetedBuild, SaysHowMuchLiesBesideItsOutput) {
  const std::string output = "/d/parts.idx";
  for (const Distance metric : {Distance::L2, Distance::InnerProduct}) {
    SCOPED_TRACE(std::string(to_string(metric)));
    const VectorSet base = clusters(VectorType::U8, 64, 3000).vectors;
    FaultFileSystem files;
    std::uint64_t most = 0;
    files.observe([&](const doubles::Event& event) {
      if (event.operation != Operation::Rename) return;  // when one is whole
      std::uint64_t beside = 0;
      for (const std::string& name : files.names())
        if (name.starts_with(output + ".build/")) beside += files.content(name)->size();
      most = std::max(most, beside);
    });
    {
      const io::FileSystemOverride in_force(files);
      build_in_parts(base, metric, output);
    }
    const DriveBuildEstimate told = IndexBuilder()
                                        .metric(metric)
                                        .max_degree(24)
                                        .quantize(Codec::PQ8)
                                        .for_drive()
                                        .estimate_on_drive(base.rows(), base.dimension(), base.type(), kBudget);
    EXPECT_EQ(told.parts, 1u) << "which would do";
    BudgetedRows rows = rows_of(base, metric, 24);
    const std::uint64_t foretold = spilled_bytes(rows, plan_budget(rows, kBudget));
    EXPECT_GE(foretold + (64 << 10), most);  // the map
    EXPECT_LE(foretold, most * 23 / 20);
  }
  // Too many for one go.
  const DriveBuildEstimate parts = IndexBuilder()
                                       .for_drive()
                                       .quantize(Codec::PQ8)
                                       .estimate_on_drive(1'000'000, 128, VectorType::U8, std::uint64_t{160} << 20);
  EXPECT_GE(parts.parts, 2u);
  EXPECT_LE(parts.memory, std::uint64_t{160} << 20);
  EXPECT_GE(parts.beside, std::uint64_t{1'000'000} * (128 + 3 * 65 * 4));
  EXPECT_EQ(parts.part_rows, (2'000'000 + parts.parts - 1) / parts.parts);
  EXPECT_THROW((void)IndexBuilder().estimate_on_drive(10, 4, VectorType::F32, 1), Error) << "not for a drive";
}

/// Takes fewer rows, so that every moment can be tried.
VectorSet few_rows() { return clusters(VectorType::U8, 8, 400).vectors; }

const std::string kOutput = "/d/parts.idx";

TEST(BudgetedBuild, AFaultAtAnyMomentLeavesTheOldIndexAndNothingElse) {
  const VectorSet base = few_rows();
  const std::vector<std::byte> old(100, std::byte{7});
  std::size_t cases = 0;
  for (const Operation operation : {Operation::Create, Operation::Write, Operation::Sync, Operation::Rename}) {
    for (std::size_t nth = 1;; nth += nth < 5 ? 1 : nth / 3) {
      FaultFileSystem files;
      files.put(kOutput, old);
      files.arm({operation, nth, operation == Operation::Sync ? EIO : ENOSPC, false});
      SCOPED_TRACE(std::string(to_string(operation)) + " " + std::to_string(nth));
      const io::FileSystemOverride in_force(files);
      int error = 0;
      try {
        build_in_parts(base, Distance::L2, kOutput, {}, false, true, 8);
      } catch (const IoError& failure) {
        error = failure.system_error();
      }
      files.disarm();
      if (!files.fired()) break;
      ++cases;
      EXPECT_EQ(error, operation == Operation::Sync ? EIO : ENOSPC);
      EXPECT_EQ(files.names(), std::vector<std::string>{kOutput});
      EXPECT_TRUE(files.content(kOutput) == old);
    }
  }
  EXPECT_GE(cases, 40u);
}

TEST(BudgetedBuild, GoesOnWhereItWasKilled) {
  const VectorSet base = few_rows();
  std::vector<std::byte> whole;
  std::size_t operations = 0;
  {
    FaultFileSystem files;
    const io::FileSystemOverride in_force(files);
    build_in_parts(base, Distance::L2, kOutput, {}, true, false, 8);
    whole = *files.content(kOutput);
    operations = files.trace().size();
    EXPECT_EQ(files.names(), std::vector<std::string>{kOutput});
  }
  // The power fails at some moments; what is left differs by the seed.
  std::size_t gone_on = 0;
  for (std::size_t moment = 7; moment < operations; moment += operations / 7) {
    FaultFileSystem files;
    std::optional<FaultFileSystem> left;
    std::size_t seen = 0;
    files.observe([&](const doubles::Event&) {
      if (++seen == moment) left = files.crash(moment % 5);
    });
    {
      const io::FileSystemOverride in_force(files);
      build_in_parts(base, Distance::L2, kOutput, {}, true, false, 8);
    }
    ASSERT_TRUE(left) << moment;
    left->observe({});
    SCOPED_TRACE("killed at " + std::to_string(moment) + " of " + std::to_string(operations));
    const io::FileSystemOverride in_force(*left);
    if (left->content(kOutput)) continue;  // it had just ended
    std::size_t before = left->trace().size();
    build_in_parts(base, Distance::L2, kOutput, {}, true, false, 8);
    EXPECT_TRUE(*left->content(kOutput) == whole);
    for (const std::string& name : left->names())  // a temporary file of the process that was killed may be there
      EXPECT_TRUE(name == kOutput || name.ends_with(".tmp")) << name;
    gone_on += left->trace().size() - before + 50 < operations ? 1 : 0;
  }
  EXPECT_GE(gone_on, 3u) << "it began anew";
}

TEST(BudgetedBuild, RefusesToGoOnWithSomethingElse) {
  const VectorSet base = few_rows();
  FaultFileSystem files;
  const io::FileSystemOverride in_force(files);
  CancelToken cancel;
  Execution execution;
  execution.cancel = &cancel;
  execution.progress = [&](const Progress& progress) {
    if (progress.stage == "merge shards") cancel.cancel();
  };
  const auto code_of = [](const auto& f) -> std::optional<ErrorCode> {
    try {
      f();
    } catch (const Error& error) {
      return error.code();
    }
    return {};
  };
  EXPECT_EQ(code_of([&] { build_in_parts(base, Distance::L2, kOutput, execution, true, false, 8); }),
            ErrorCode::Cancelled);
  EXPECT_FALSE(files.names().empty());
  EXPECT_EQ(code_of([&] { build_in_parts(base, Distance::L2, kOutput, {}, false, false, 8); }),
            ErrorCode::AlreadyExists);
  EXPECT_EQ(code_of([&] { build_in_parts(base, Distance::L2, kOutput, {}, true, false, 9); }),
            ErrorCode::InvalidArgument);
  VectorSet other = base;
  other.row(17)[3] ^= std::byte{1};
  EXPECT_EQ(code_of([&] { build_in_parts(other, Distance::L2, kOutput, {}, true, false, 8); }),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { build_in_parts(base, Distance::L2, kOutput, {}, true, false, 8); }), std::nullopt);
  EXPECT_EQ(files.names(), std::vector<std::string>{kOutput});
}

TEST(BudgetedBuild, NothingStaysOfWhatWasCancelled) {
  const VectorSet base = few_rows();
  for (const char* const stage : {"carve shards", "build shards", "merge shards", "make codes", "count visits"}) {
    FaultFileSystem files;
    const io::FileSystemOverride in_force(files);
    CancelToken cancel;
    Execution execution;
    execution.cancel = &cancel;
    execution.progress = [&](const Progress& progress) {
      if (progress.stage == stage) cancel.cancel();
    };
    try {
      build_in_parts(base, Distance::L2, kOutput, execution, false, false, 8);
      ADD_FAILURE() << "not cancelled in " << stage;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
    EXPECT_TRUE(files.names().empty()) << stage;
  }
}

TEST(BudgetedBuild, NamesTheRowThatCannotBe) {
  VectorSet base = clusters(VectorType::F32, 8, 600).vectors;
  reinterpret_cast<float*>(base.row(417))[3] = std::numeric_limits<float>::quiet_NaN();
  const std::string path = scratch_path("parts.idx");
  try {
    build_in_parts(base, Distance::L2, path, {}, false, false, 8);
    FAIL() << "took NaN";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find("row 417, column 3"), std::string::npos) << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(path + ".build"));
}

}  // namespace
}  // namespace diskann::index
