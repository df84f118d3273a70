#include <unistd.h>

#include <cerrno>
#include <sstream>

#include "tests/formats/microsoft_fixture.hpp"

namespace diskann::formats_test {
namespace {

using MicrosoftWriter = Microsoft;

/// Rows and a graph with lists of 0 to 6 neighbours.
struct Sample {
  base::RowStore rows;
  base::Adjacency graph;
};
Sample sample(VectorType type, std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  Sample result{base::RowStore(type, rows, dimension), base::Adjacency(rows, 16)};
  const VectorSet set = random_set(type, rows, dimension, seed);
  base::Random random(seed + 1);
  for (std::size_t i = 0; i < rows; ++i) {
    base::copy_row(set, i, result.rows.row(i));
    std::set<base::Slot> list;
    for (std::uint64_t left = random.below(7); left != 0; --left) {
      const auto neighbor = static_cast<base::Slot>(random.below(rows));
      if (neighbor != i) list.insert(neighbor);
    }
    const std::vector<base::Slot> neighbors(list.begin(), list.end());
    result.graph.assign(static_cast<base::Slot>(i), neighbors);
  }
  return result;
}
void write(const Sample& set, Distance metric, bool overwrite = false, base::Slot start = 0) {
  formats::write_microsoft_memory_set("s/ann", set.rows, set.graph, start, metric, overwrite);
}

TEST_F(MicrosoftWriter, FollowsTheirByteRules) {
  struct Kind {
    VectorType type;
    Distance metric;
    std::uint64_t type_code, metric_code;
  };
  for (const Kind& kind : {Kind{VectorType::F32, Distance::L2, 0, 0},
                           {VectorType::F32, Distance::InnerProduct, 0, 1},
                           {VectorType::I8, Distance::L2, 1, 0},
                           {VectorType::I8, Distance::Cosine, 1, 2},
                           {VectorType::U8, Distance::L2, 2, 0},
                           {VectorType::U8, Distance::Cosine, 2, 2}})
    for (const std::size_t rows : {1u, 2u, 50u})
      for (const std::size_t dimension : {1u, 12u, 17u}) {
        SCOPED_TRACE(testing::Message() << to_string(kind.type) << " " << to_string(kind.metric) << " " << rows << "x"
                                        << dimension);
        const Sample set = sample(kind.type, rows, dimension, rows + dimension);
        write(set, kind.metric, true, static_cast<base::Slot>(rows - 1));
        const Bytes data = get(".data");
        const std::size_t row_bytes = dimension * size_of(kind.type);
        ASSERT_EQ(data.size(), 8 + rows * row_bytes);  // not padded
        EXPECT_EQ(peek<std::uint32_t>(data, 0), rows);
        EXPECT_EQ(peek<std::uint32_t>(data, 4), dimension);
        for (std::size_t i = 0; i < rows; ++i)
          EXPECT_EQ(std::memcmp(data.data() + 8 + i * row_bytes, set.rows.view().row(i), row_bytes), 0);
        EXPECT_EQ(get("_metadata.bin"),
                  pack(kind.type_code, kind.metric_code, std::uint64_t{rows}, std::uint64_t{dimension}));
        const PlainGraph plain = parse_graph(get(""));
        EXPECT_EQ(plain.start, rows - 1);
        EXPECT_EQ(plain.frozen, 0u);
        ASSERT_EQ(plain.lists.size(), rows);
        std::size_t longest = 0;
        for (base::Slot i = 0; i < rows; ++i) {
          const auto neighbors = set.graph.neighbors(i);
          EXPECT_EQ(plain.lists[i], std::vector<base::Slot>(neighbors.begin(), neighbors.end()));
          longest = std::max(longest, plain.lists[i].size());
        }
        EXPECT_EQ(plain.max_degree, longest);  // their disk layout cuts what is longer
        EXPECT_EQ(files.names().size(), 3u);
        const auto back = read();
        EXPECT_EQ(back.metric, kind.metric);
        EXPECT_EQ(back.start, rows - 1);
        EXPECT_EQ(back.vectors.view().type, kind.type);
      }
}

TEST_F(MicrosoftWriter, NormalisesFloatRowsForCosine) {
  Sample set = sample(VectorType::F32, 40, 9, 3);
  std::memset(set.rows.row(7), 0, 36);
  write(set, Distance::Cosine);
  const auto back = read();
  EXPECT_TRUE(back.normalized);
  for (std::size_t i = 0; i < 40; ++i) {
    const auto* ours = reinterpret_cast<const float*>(set.rows.view().row(i));
    const auto* theirs = reinterpret_cast<const float*>(back.vectors.view().row(i));
    double norm = 0;
    for (std::size_t j = 0; j < 9; ++j) norm += double{ours[j]} * double{ours[j]};
    for (std::size_t j = 0; j < 9; ++j) EXPECT_NEAR(theirs[j], i == 7 ? 0 : ours[j] / std::sqrt(norm), 1e-7);
  }
}

TEST_F(MicrosoftWriter, GivesBackWhatTheirWriterWrote) {
  for (const char* folder :
       {"mem_f32_l2", "mem_f32_mips", "mem_i8_l2", "mem_i8_cosine", "mem_u8_l2", "mem_u8_cosine"}) {
    load({folder, VectorType::F32, Distance::L2, 0});
    const Bytes data = get(".data"), graph = get(""), metadata = get("_metadata.bin");
    const auto set = read();
    formats::write_microsoft_memory_set("s/ann", set.vectors, set.graph, set.start, set.metric, true);
    EXPECT_EQ(get(".data"), data);
    EXPECT_EQ(get(""), graph);
    EXPECT_EQ(get("_metadata.bin"), metadata);
  }
}

TEST_F(MicrosoftWriter, RemovesFilesOfAnOlderSetThatWouldChangeTheNewOne) {
  load({"dyn_f32_l2/built", VectorType::F32, Distance::L2, 1});
  const char* stale[] = {
      ".tags", ".del", "_labels.txt", "_labels_map.txt", "_labels_to_medoids.txt", "_universal_label.txt"};
  for (const char* suffix : stale) put(suffix, pack(1));
  put("_other.bin", pack(1));
  const Sample small = sample(VectorType::U8, 5, 3, 1);
  write(small, Distance::L2, true);
  for (const char* suffix : stale) EXPECT_FALSE(files.exists("s/ann" + std::string(suffix))) << suffix;
  EXPECT_TRUE(files.exists("s/ann_other.bin"));
  EXPECT_EQ(get(".data").size(), 8u + 15);  // no stale tail
  EXPECT_EQ(read().frozen_points, 0u);
}

TEST_F(MicrosoftWriter, RefusesToTouchAnExistingSetUnlessToldTo) {
  const Sample set = sample(VectorType::U8, 5, 3, 1);
  for (const char* suffix : {"", ".data", "_metadata.bin", ".tags", "_labels.txt"}) {
    put(suffix, pack(1));
    expect_error(ErrorCode::AlreadyExists, {suffix, "--force"}, [&] { write(set, Distance::L2); });
    EXPECT_EQ(files.names().size(), 1u);
    EXPECT_EQ(get(suffix), pack(1));
    files.remove("s/ann" + std::string(suffix));
  }
}

TEST_F(MicrosoftWriter, RefusesWhatTheirFilesCannotHold) {
  expect_error(ErrorCode::Unsupported, {"f16"}, [] { write(sample(VectorType::F16, 3, 2, 1), Distance::L2); });
  expect_error(ErrorCode::Unsupported, {"ip"}, [] { write(sample(VectorType::U8, 3, 2, 1), Distance::Custom); });
  expect_error(ErrorCode::Unsupported, {"inner product"},
               [] { write(sample(VectorType::I8, 3, 2, 1), Distance::InnerProduct); });
  expect_error(ErrorCode::InvalidArgument, {"starts at 3"},
               [] { write(sample(VectorType::U8, 3, 2, 1), Distance::L2, false, 3); });
  EXPECT_TRUE(files.names().empty());
}

/// The old set, the new set, or no set; never a mixture that opens.
void expect_old_new_or_none(doubles::FaultFileSystem& files, std::size_t old_rows, std::size_t new_rows) {
  const io::FileSystemOverride override(files);
  if (!formats::is_microsoft_memory_set("s/ann")) return;
  const auto set = formats::read_microsoft_memory_set("s/ann", {}, {});
  const bool is_old = set.vectors.view().rows == old_rows, is_new = set.vectors.view().rows == new_rows;
  ASSERT_TRUE(is_old || is_new);
  EXPECT_EQ(set.graph.nodes(), set.vectors.view().rows);
  EXPECT_EQ(set.ids.empty(), is_new);
  EXPECT_EQ(set.vectors.view().type, is_old ? VectorType::F32 : VectorType::U8);
}

/// What opens now.
std::size_t rows_of(doubles::FaultFileSystem& files) {
  const io::FileSystemOverride override(files);
  return formats::read_microsoft_memory_set("s/ann", {}, {}).vectors.view().rows;
}

TEST_F(MicrosoftWriter, EveryFaultLeavesTheOldSetOrSaysThatTheNewOneIsThere) {
  const Sample next = sample(VectorType::U8, 5, 3, 1);
  std::size_t faults = 0, kept = 0;
  for (const auto operation : doubles::kOperations)
    for (std::size_t nth = 1; nth < 100; ++nth) {
      doubles::FaultFileSystem fresh;
      const io::FileSystemOverride override(fresh);
      for (const char* suffix : {"", ".data", "_metadata.bin", ".tags"})
        fresh.put("s/ann" + std::string(suffix), golden("dyn_f32_l2/built/ann" + std::string(suffix)));
      std::vector<doubles::FaultFileSystem> crashes;  // also on the way back
      fresh.observe([&](const doubles::Event& event) {
        if (event.operation != doubles::Operation::Rename && event.operation != doubles::Operation::SyncDirectory)
          return;
        for (std::uint64_t seed = 0; seed < 4; ++seed) crashes.push_back(fresh.crash(seed));
      });
      fresh.arm({operation, nth, EIO});
      std::string failure;
      try {
        formats::write_microsoft_memory_set("s/ann", next.rows, next.graph, 0, Distance::L2, true);
      } catch (const Error& error) {
        failure = error.what();
      }
      const bool fired = fresh.fired();
      fresh.disarm();
      fresh.observe(nullptr);
      if (!fired) break;
      ++faults;
      SCOPED_TRACE(testing::Message() << doubles::to_string(operation) << " " << nth << ": " << failure);
      const bool is_old = !failure.empty() && failure.find("the new files are in place") == std::string::npos;
      EXPECT_EQ(rows_of(fresh), is_old ? 281u : 5u);
      doubles::FaultFileSystem after = fresh.crash(0);
      EXPECT_EQ(rows_of(after), is_old ? 281u : 5u);
      if (is_old) {
        ++kept;
        EXPECT_EQ(failure.find(".tmp"), std::string::npos) << "names a file that users do not know";
        EXPECT_EQ(failure.find("is in place"), std::string::npos);
        EXPECT_EQ(fresh.names().size(), 4u);
      }
      for (auto& crashed : crashes) expect_old_new_or_none(crashed, 281, 5);
    }
  EXPECT_GE(faults, 50u);
  EXPECT_GE(kept, 45u);
}

TEST_F(MicrosoftWriter, FaultsThatDoNotEndLeaveNoMixtureAndNoFileLost) {
  const Sample next = sample(VectorType::U8, 5, 3, 1);
  std::size_t stuck = 0;
  for (const auto operation : doubles::kOperations)
    for (std::size_t nth = 1; nth < 100; ++nth) {
      doubles::FaultFileSystem fresh;
      const io::FileSystemOverride override(fresh);
      const char* suffixes[] = {"", ".data", "_metadata.bin", ".tags"};
      for (const char* suffix : suffixes)
        fresh.put("s/ann" + std::string(suffix), golden("dyn_f32_l2/built/ann" + std::string(suffix)));
      fresh.arm({operation, nth, EIO, true});
      std::string failure, hint;
      try {
        formats::write_microsoft_memory_set("s/ann", next.rows, next.graph, 0, Distance::L2, true);
      } catch (const Error& error) {
        failure = error.what();
        hint = error.hint();
      }
      const bool fired = fresh.fired();
      fresh.disarm();
      if (!fired) break;
      SCOPED_TRACE(testing::Message() << doubles::to_string(operation) << " " << nth << ": " << failure);
      ASSERT_FALSE(failure.empty());
      expect_old_new_or_none(fresh, 281, 5);
      for (std::uint64_t seed = 0; seed < 10; ++seed) {
        doubles::FaultFileSystem crashed = fresh.crash(seed);
        expect_old_new_or_none(crashed, 281, 5);
      }
      if (failure.find("could not be put back") == std::string::npos) continue;
      ++stuck;  // by hand, as the hint says
      const std::string introduction = "what is named first: ";
      std::istringstream words(hint.substr(hint.find(introduction) + introduction.size()));
      std::vector<std::pair<std::string, std::string>> renames;
      std::string from, to, path;
      while (words >> from >> to >> path) renames.insert(renames.begin(), {"s/" + from, path});
      for (const auto& [name, old] : renames) fresh.rename(name, old);
      for (const char* suffix : suffixes) {
        EXPECT_EQ(fresh.content("s/ann" + std::string(suffix)), golden("dyn_f32_l2/built/ann" + std::string(suffix)));
      }
    }
  EXPECT_GE(stuck, 3u);
}

TEST_F(MicrosoftWriter, StopsWhenItIsCancelled) {
  load({"dyn_f32_l2/built", VectorType::F32, Distance::L2, 1});
  const std::vector<std::string> before = files.names();
  const Sample next = sample(VectorType::U8, 10'000, 3, 1);
  CancelToken token;
  Execution execution;
  execution.cancel = &token;
  files.observe([&](const doubles::Event& event) {
    if (event.operation == doubles::Operation::Create && event.path.find("ann.data") == std::string::npos)
      token.cancel();
  });
  expect_error(ErrorCode::Cancelled, {}, [&] {
    formats::write_microsoft_memory_set("s/ann", next.rows, next.graph, 0, Distance::L2, true, execution);
  });
  files.observe(nullptr);
  EXPECT_EQ(files.names(), before);
  EXPECT_EQ(read().vectors.view().rows, 281u);
}

TEST(MicrosoftSetOnDisk, WhatNoFileCanReplaceIsRefusedBeforeAnythingIsTouched) {
  const std::filesystem::path directory =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "refused-set");
  std::filesystem::create_directory(directory);
  const std::filesystem::path prefix = directory / "ms";
  const Sample old = sample(VectorType::U8, 7, 3, 2), next = sample(VectorType::U8, 5, 3, 1);
  formats::write_microsoft_memory_set(prefix, old.rows, old.graph, 0, Distance::L2, false);
  for (const char* suffix : {".tags", "_pylabels.txt"}) {
    const std::filesystem::path path = prefix.string() + suffix;
    for (const bool is_link : {false, true}) {
      if (is_link)
        std::filesystem::create_symlink("/dev/null", path);
      else
        std::filesystem::create_directory(path);
      try {
        formats::write_microsoft_memory_set(prefix, next.rows, next.graph, 0, Distance::L2, true);
        ADD_FAILURE() << path;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), is_link ? ErrorCode::InvalidArgument : ErrorCode::Io);
        EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
      }
      std::filesystem::remove(path);
      EXPECT_EQ(formats::read_microsoft_memory_set(prefix, {}, {}).vectors.view().rows, 7u);
      EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 3);
    }
  }
  formats::write_microsoft_memory_set(prefix, next.rows, next.graph, 0, Distance::L2, true);
  EXPECT_EQ(formats::read_microsoft_memory_set(prefix, {}, {}).vectors.view().rows, 5u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory), {}), 3);
  std::filesystem::remove_all(directory);
}

TEST_F(MicrosoftWriter, ACrashAtAnyStepLeavesNoMixtureOfTwoSets) {
  const Sample next = sample(VectorType::U8, 5, 3, 1);
  load({"dyn_f32_l2/built", VectorType::F32, Distance::L2, 1});
  std::vector<doubles::FaultFileSystem> crashes;
  files.observe([&](const doubles::Event& event) {
    if (event.operation == doubles::Operation::Status || event.operation == doubles::Operation::Open) return;
    for (std::uint64_t seed = 0; seed < 10; ++seed) crashes.push_back(files.crash(seed));
  });
  write(next, Distance::L2, true);
  files.observe(nullptr);
  for (auto& crashed : crashes) expect_old_new_or_none(crashed, 281, 5);
  EXPECT_GE(crashes.size(), 200u);
  doubles::FaultFileSystem after = files.crash(0);  // nothing that was promised is lost
  const io::FileSystemOverride override(after);
  EXPECT_EQ(read().vectors.view().rows, 5u);
}

}  // namespace
}  // namespace diskann::formats_test
