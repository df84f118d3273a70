#include <limits>
#include <nlohmann/json.hpp>

#include "tests/formats/fixture.hpp"

namespace diskann::formats_test {
namespace {

using Results = Formats;
using Ids = Formats;

constexpr float kInf = std::numeric_limits<float>::infinity();

SearchResults sample() {
  // The second query found one hit only.
  return {2, 3, {7, 0, 4294967294, 5, kNoId, kNoId}, {0.5f, 1.0f, 1e-7f, -3.25f, kInf, kInf}};
}
void expect_same(const SearchResults& a, const SearchResults& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.k, b.k);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.distances, b.distances);
}

TEST_F(Results, ReadsTheTruthThatNumpyWroteInEveryForm) {
  files.put("gt.bin", golden("vectors/gt_f32_l2.bin"));
  files.put("ids.bin", golden("vectors/gt_ids_only.bin"));
  files.put("small.ivecs", golden("vectors/small.ivecs"));
  files.put("small.ibin", golden("vectors/small.ibin"));
  const SearchResults truth = read_results("gt.bin");
  ASSERT_EQ(truth.rows, 10u);
  ASSERT_EQ(truth.k, 5u);
  ASSERT_EQ(truth.distances.size(), 50u);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_TRUE(std::is_sorted(truth.distances_of(i).begin(), truth.distances_of(i).end()));
  SearchResults ids = truth;
  ids.distances.clear();
  for (const char* name : {"ids.bin", "small.ivecs", "small.ibin"}) expect_same(read_results(name), ids);
  write_results("out.bin", truth, true);
  EXPECT_EQ(content("out.bin"), content("gt.bin"));
  write_results("out.bin", ids);
  EXPECT_EQ(content("out.bin"), content("ids.bin"));
  write_results("out.ivecs", truth);
  EXPECT_EQ(content("out.ivecs"), content("small.ivecs"));
}

TEST_F(Results, BinaryFormsKeepMissingHits) {
  const SearchResults results = sample();
  write_results("a.bin", results);
  expect_same(read_results("a.bin"), results);
  write_results("a.ivecs", results);
  SearchResults ids = results;
  ids.distances.clear();
  expect_same(read_results("a.ivecs"), ids);
}

TEST_F(Results, TextHasOneLineAQueryWithoutMissingHits) {
  write_results("a.txt", sample());
  EXPECT_EQ(text_of(content("a.txt")), "7 0 4294967294\n5\n");
  write_results("a.txt", sample(), true);
  EXPECT_EQ(text_of(content("a.txt")), "7:0.5 0:1 4294967294:1e-07\n5:-3.25\n");
  write_results("a.txt", {2, 0, {}, {}});
  EXPECT_EQ(text_of(content("a.txt")), "\n\n");
}

TEST_F(Results, JsonIsAnArrayOfObjectsWithExactNumbers) {
  SearchResults results = sample();
  results.ids[0] = kNoId;  // with a distance: a hit
  results.distances[1] = kInf;
  write_results("a.json", results, true);
  const auto json = nlohmann::json::parse(text_of(content("a.json")));
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["query"], 0);
  EXPECT_EQ(json[0]["ids"][0].get<std::uint64_t>(), kNoId);
  EXPECT_EQ(json[0]["distances"][2].get<float>(), 1e-7f);
  EXPECT_TRUE(json[0]["distances"][1].is_null());
  EXPECT_EQ(json[1]["ids"].size(), 1u);
  EXPECT_EQ(json[1]["distances"].size(), 1u);
  write_results("a.json", results);
  EXPECT_FALSE(nlohmann::json::parse(text_of(content("a.json")))[0].contains("distances"));
  write_results("a.json", {0, 3, {}, {}});
  EXPECT_EQ(nlohmann::json::parse(text_of(content("a.json"))).size(), 0u);
}

TEST_F(Results, TextReadsBackAsTheSameFloat) {
  base::Random random(77);
  SearchResults results{1, 2000, {}, {}};
  for (std::uint64_t i = 0; i < 2000; ++i) {
    results.ids.push_back(random.next() >> random.below(64));
    if (results.ids.back() == kNoId) results.ids.back() = 1;
    results.distances.push_back(static_cast<float>(random.normal() * std::pow(10.0, random.uniform() * 60 - 30)));
  }
  write_results("a.txt", results, true);
  const std::string text = text_of(content("a.txt"));
  const char* at = text.c_str();
  for (std::size_t i = 0; i < 2000; ++i) {
    char* end = nullptr;
    ASSERT_EQ(std::strtoull(at, &end, 10), results.ids[i]);
    ASSERT_EQ(*end, ':');
    ASSERT_EQ(std::strtof(end + 1, &end), results.distances[i]);
    at = end + 1;
  }
}

TEST_F(Results, RefusesWhatAFormatCannotHold) {
  SearchResults results = sample();
  results.ids[1] = 4294967295;
  for (const char* name : {"a.bin", "a.ivecs"})
    expect_error(ErrorCode::InvalidArgument, {"query 0", "4294967295", ".txt"}, [&] { write_results(name, results); });
  expect_error(ErrorCode::InvalidArgument, {"distances"}, [] { write_results("a.ivecs", sample(), true); });
  expect_error(ErrorCode::InvalidArgument, {".csv", ".json"}, [] { write_results("a.csv", sample()); });
  expect_error(ErrorCode::InvalidArgument, {"of 0"}, [] { write_results("a.bin", {2, 0, {}, {}}); });
  expect_error(ErrorCode::InvalidArgument, {"5 ids"}, [] { write_results("a.txt", {2, 3, {1, 2, 3, 4, 5}, {}}); });
  results = sample();
  results.distances.clear();
  expect_error(ErrorCode::InvalidArgument, {"none"}, [&] { write_results("a.txt", results, true); });
  EXPECT_TRUE(files.names().empty());
  expect_error(ErrorCode::NotFound, {"a.gz"}, [] { read_results("a.gz"); });  // rather than its suffix
  files.put("a.gz", Bytes(8));
  expect_error(ErrorCode::InvalidArgument, {".gz", ".ivecs"}, [] { read_results("a.gz"); });
}

TEST_F(Results, AreInspectedInEveryBinaryForm) {
  const auto expect_info = [&](const char* name, ResultKind kind, std::uint64_t k, std::uint64_t hits, bool distances) {
    const ResultFileInfo info = inspect_results(name);
    EXPECT_EQ(info.kind, kind) << name;
    EXPECT_EQ(info.rows, 10u) << name;
    EXPECT_EQ(info.k, k) << name;
    EXPECT_EQ(info.hits, hits) << name;
    EXPECT_EQ(info.distances, distances) << name;
    EXPECT_EQ(info.file_bytes, content(name).size()) << name;
  };
  const std::pair<const char*, bool> forms[] = {
      {"gt_f32_l2.bin", true}, {"gt_ids_only.bin", false}, {"small.ivecs", false}, {"small.ibin", false}};
  for (const auto& [name, distances] : forms) {
    files.put(name, golden("vectors/" + std::string(name)));
    expect_info(name, ResultKind::Nearest, 5, 50, distances);
  }
  std::vector<std::vector<Hit>> ranges(10);
  ranges[3] = {{7, 1.0f}, {8, 2.0f}, {9, 3.0f}};
  write_range_results("range.bin", ranges);
  expect_info("range.bin", ResultKind::Range, 0, 3, true);
  files.put("cut.bin", Bytes(11));
  expect_error(ErrorCode::Corrupt, {"cut.bin"}, [] { inspect_results("cut.bin"); });
}

TEST_F(Results, FormsOfTheSameSizeAreToldApart) {
  using Ranges = std::vector<std::vector<Hit>>;
  const auto kind = [] { return inspect_results("a.bin").kind; };
  // 3 queries with 3 hits in all are as long as 3 x 3 ids, 2 with 1 as long as 2 x 1 ids with distances.
  write_range_results("a.bin", Ranges{{{7, 0.0f}}, {{8, 0.5f}}, {{2, 1e-6f}}});
  EXPECT_EQ(kind(), ResultKind::Range);
  write_range_results("a.bin", Ranges{{{500'000'000, 2.5f}}, {}});
  EXPECT_EQ(kind(), ResultKind::Range);
  write_range_results("a.bin", Ranges{{{1, -3.0f}, {2, kInf}}, {}, {}, {}});
  EXPECT_EQ(kind(), ResultKind::Range);
  // The first ids add up to the number of columns.
  write_results("a.bin", {3, 3, {0, 1, 2, 3, 4, 5, 6, 7, 8}, {}}, false);
  EXPECT_EQ(kind(), ResultKind::Nearest);
  write_results("a.bin", {2, 1, {1, 0}, {0.5f, 0.25f}}, true);
  EXPECT_EQ(kind(), ResultKind::Nearest);
  expect_same(read_results("a.bin"), {2, 1, {1, 0}, {0.5f, 0.25f}});
}

TEST_F(Results, EveryTruncationAndOneMoreByteAreRefused) {
  std::size_t cases = 0;
  for (const char* name : {"gt_f32_l2.bin", "gt_ids_only.bin", "small.ivecs", "small.ibin"}) {
    const Bytes whole = golden("vectors/" + std::string(name));
    for (std::size_t length = 0; length <= whole.size() + 1; ++length) {
      const bool ids_only = name == std::string("gt_f32_l2.bin") && length == 208;
      const bool rows = name == std::string("small.ivecs") && length % 24 == 0 && length != 0;
      if (length == whole.size() || ids_only || rows) continue;
      Bytes bytes = whole;
      bytes.resize(length);
      files.put(name, bytes);
      SCOPED_TRACE(testing::Message() << name << " at " << length);
      expect_error(ErrorCode::Corrupt, {name}, [&] { read_results(name); });
      ++cases;
    }
  }
  EXPECT_GE(cases, 1'000u);
}

TEST_F(Results, HostileCountsAreRefused) {
  for (const auto& [rows, k] : {std::pair{0xFFFFFFFFu, 4u},
                                {0x80000000u, 1u},
                                {65536u, 65536u},
                                {0u, 5u},
                                {5u, 0u},
                                {0xFFFFFFFFu, 0xFFFFFFFFu},
                                {0x40000000u, 0x10u}}) {
    files.put("a.bin", pack(rows, k) + Bytes(32));
    expect_error(ErrorCode::Corrupt, {"a.bin"}, [] { read_results("a.bin"); });
  }
  for (const std::uint32_t k : {0u, 0xFFFFFFFFu, 0x7FFFFFFFu, 0x3FFFFFFFu, 8u}) {
    files.put("a.ivecs", pack(k) + Bytes(36));
    expect_error(ErrorCode::Corrupt, {"a.ivecs"}, [] { read_results("a.ivecs"); });
  }
  files.put("a.ivecs", pack(1, 5, 2, 5, 6));
  expect_error(ErrorCode::Corrupt, {"row 1", "offset 8", "2 ids"}, [] { read_results("a.ivecs"); });
}

TEST_F(Results, RangeTruthOfBothWritersIsKnown) {
  for (const std::string name : {"range_gt_bigann.bin", "range_gt_msft.bin"}) {
    const Bytes bytes = golden("vectors/" + name);
    files.put("a.bin", bytes);
    const ResultFileInfo info = inspect_results("a.bin");
    EXPECT_EQ(info.kind, ResultKind::Range) << name;
    EXPECT_EQ(info.rows, peek<std::uint32_t>(bytes, 0)) << name;
    EXPECT_EQ(info.hits, peek<std::uint32_t>(bytes, 4)) << name;
    EXPECT_EQ(info.distances, name == "range_gt_bigann.bin");
    expect_error(ErrorCode::InvalidArgument, {"a.bin", "range results"}, [] { read_results("a.bin"); });
  }
}

TEST_F(Results, RangeResultsAreWrittenAsBigAnnDoes) {
  // Read by hand from the file that numpy wrote: counts, ids, distances.
  const Bytes bytes = golden("vectors/range_gt_bigann.bin");
  const auto queries = peek<std::uint32_t>(bytes, 0), total = peek<std::uint32_t>(bytes, 4);
  std::vector<std::vector<Hit>> hits(queries);
  std::size_t at = 8 + 4 * std::size_t{queries}, place = 0;
  for (std::size_t i = 0; i < queries; ++i)
    for (auto left = peek<std::uint32_t>(bytes, 8 + 4 * i); left != 0; --left, ++place)
      hits[i].push_back({peek<std::uint32_t>(bytes, at + 4 * place), peek<float>(bytes, at + 4 * (total + place))});
  ASSERT_EQ(place, total);
  ASSERT_TRUE(hits[3].empty());
  write_range_results("a.bin", hits);
  EXPECT_EQ(content("a.bin"), bytes);
  expect_error(ErrorCode::InvalidArgument, {"a.bin", "range results"}, [] { read_results("a.bin"); });

  hits = {{{7, 0.5f}, {1, 2.0f}}, {}, {{kNoId - 1, 3.0f}}};
  write_range_results("a.txt", hits);
  EXPECT_EQ(text_of(content("a.txt")), "7 1\n\n18446744073709551614\n");
  write_range_results("a.txt", hits, true);
  EXPECT_EQ(text_of(content("a.txt")), "7:0.5 1:2\n\n18446744073709551614:3\n");
  write_range_results("a.json", hits, true);
  const auto json = nlohmann::json::parse(text_of(content("a.json")));
  EXPECT_EQ(json[1]["ids"].size(), 0u);
  EXPECT_EQ(json[0]["distances"][1], 2.0);
  expect_error(ErrorCode::InvalidArgument, {"query 2"}, [&] { write_range_results("b.bin", hits); });
  expect_error(ErrorCode::InvalidArgument, {".ivecs"}, [&] { write_range_results("b.ivecs", hits); });
  EXPECT_FALSE(files.exists("b.bin"));
}

TEST_F(Ids, ReadFromTextOneALine) {
  files.put("a.txt", bytes_of("0\n18446744073709551615\r\n007\n42"));
  EXPECT_EQ(read_ids("a.txt"), (std::vector<std::uint64_t>{0, 18446744073709551615u, 7, 42}));
  files.put("a.txt", bytes_of("1\n2\n"));
  EXPECT_EQ(read_ids("a.txt").size(), 2u);
  files.put("a.txt", {});
  EXPECT_TRUE(read_ids("a.txt").empty());
  for (const char* line : {"-1", "+1", " 7", "7 ", "7abc", "", "0x7", "1.0", "18446744073709551616", "1,2"}) {
    files.put("a.txt", bytes_of("5\n" + std::string(line) + "\n6\n"));
    expect_error(ErrorCode::InvalidArgument, {"a.txt", "line 2"}, [] { read_ids("a.txt"); });
  }
  files.put("a.txt", bytes_of(std::string(100, '0') + "1\n"));
  expect_error(ErrorCode::InvalidArgument, {"line 1"}, [] { read_ids("a.txt"); });
}

TEST_F(Ids, ReadFromTextOfSeveralBlocks) {
  std::string text;
  std::vector<std::uint64_t> expected;
  for (std::uint64_t i = 0; text.size() < (std::size_t{9} << 20); ++i) {
    expected.push_back(i * 7919);
    text += std::to_string(i * 7919) + "\n";
  }
  files.put("a.txt", bytes_of(text));
  EXPECT_EQ(read_ids("a.txt"), expected);
}

Bytes npy_1d(const std::string& descr, std::size_t rows, const Bytes& data) {
  const std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + std::to_string(rows) + ",), }\n";
  return bytes_of(std::string("\x93NUMPY\x01\x00", 8)) + pack(static_cast<std::uint16_t>(header.size())) +
         bytes_of(header) + data;
}

TEST_F(Ids, ReadFromIntegerArraysOfEveryWidth) {
  const std::vector<std::uint64_t> expected = {1, 0, 100};
  const auto check = [&](const char* descr, const Bytes& data) {
    files.put("a.npy", npy_1d(descr, 3, data));
    EXPECT_EQ(read_ids("a.npy"), expected) << descr;
  };
  check("|u1", pack(std::uint8_t{1}, std::uint8_t{0}, std::uint8_t{100}));
  check("<i2", pack(std::int16_t{1}, std::int16_t{0}, std::int16_t{100}));
  check(">i2", pack(std::int16_t{0x100}, std::int16_t{0}, std::int16_t{0x6400}));
  check("<u4", pack(1u, 0u, 100u));
  check("<i8", pack(std::int64_t{1}, std::int64_t{0}, std::int64_t{100}));
  files.put("a.npy", npy_1d("<u8", 1, pack(kNoId - 1)));
  EXPECT_EQ(read_ids("a.npy"), std::vector<std::uint64_t>{kNoId - 1});
  files.put("a.npy", npy_1d("<i4", 3, pack(5, 6, -1)));
  expect_error(ErrorCode::InvalidArgument, {"row 2", "negative"}, [] { read_ids("a.npy"); });
  files.put("a.npy", npy_1d("<f4", 1, pack(5.0f)));
  expect_error(ErrorCode::InvalidArgument, {"integers"}, [] { read_ids("a.npy"); });
  files.put("a.npy", golden("vectors/small_i8.npy"));
  expect_error(ErrorCode::InvalidArgument, {"2 dimensions"}, [] { read_ids("a.npy"); });
}

TEST_F(Ids, ReadFromMicrosoftsTags) {
  files.put("a.bin", pack(2u, 1u, 7u, 0xFFFFFFFFu));
  EXPECT_EQ(read_ids("a.bin"), (std::vector<std::uint64_t>{7, 0xFFFFFFFF}));
  files.put("a.bin", pack(2u, 1u, std::uint64_t{7}, std::uint64_t{1} << 40));
  EXPECT_EQ(read_ids("a.bin"), (std::vector<std::uint64_t>{7, std::uint64_t{1} << 40}));
  files.put("a.bin", pack(0u, 1u));
  EXPECT_TRUE(read_ids("a.bin").empty());
  files.put("a.bin", pack(1u, 1u) + Bytes(16));
  expect_error(ErrorCode::Unsupported, {"128"}, [] { read_ids("a.bin"); });
  for (const Bytes& bad : {pack(2u, 1u, 7u), pack(1u, 2u, 7u, 8u), pack(2u, 1u, 7u, 8u, 9u), pack(0u, 1u, 7u),
                           pack(0xFFFFFFFFu, 1u, 7u), Bytes(7), Bytes()}) {
    files.put("a.bin", bad);
    expect_error(ErrorCode::Corrupt, {"a.bin"}, [] { read_ids("a.bin"); });
  }
  expect_error(ErrorCode::NotFound, {"a.csv"}, [] { read_ids("a.csv"); });  // rather than its suffix
  files.put("a.csv", Bytes(8));
  expect_error(ErrorCode::InvalidArgument, {".csv"}, [] { read_ids("a.csv"); });
}

}  // namespace
}  // namespace diskann::formats_test
