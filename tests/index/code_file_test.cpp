// Codes in index files.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "diskann/inspect.hpp"
#include "index/code_layout.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "scratch.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::index {
namespace {

using diskann::testing::kMetrics;

constexpr Codec kCodecs[] = {Codec::F16,     Codec::SQ8,     Codec::SQ4, Codec::LVQ8, Codec::Mix,
                             Codec::RaBitQ2, Codec::RaBitQ5, Codec::PQ4, Codec::PQ8};

Index build(const VectorSet& base, Distance metric, Codec codec) {
  return IndexBuilder().metric(metric).max_degree(24).quantize(codec).build_from_vectors(base);
}

TEST(CodesInFiles, AreKeptInTheFile) {
  const std::string path = scratch_path("codes.idx"), again = scratch_path("codes2.idx");
  for (const std::uint32_t dimension : {32u, 150u}) {
    const SyntheticSet data = clusters(VectorType::F32, dimension, 800);
    for (const Distance metric : kMetrics) {
      for (const Codec codec : kCodecs) {
        const Index built = build(data.vectors, metric, codec);
        built.save(path, true);
        const IndexFileInfo info = inspect_index(path);
        EXPECT_EQ(info.codec, codec);
        EXPECT_EQ(info.file_bytes, IndexBuilder()
                                       .metric(metric)
                                       .max_degree(24)
                                       .quantize(codec)
                                       .estimate(800, dimension, VectorType::F32)
                                       .index_bytes);
        EXPECT_TRUE(verify(path).ok());
        for (const bool map : {false, true}) {
          OpenOptions options;
          options.map = map;
          options.verify_all = true;
          const Index opened = Index::open(path, options);
          EXPECT_EQ(opened.codec(), codec);
          EXPECT_EQ(opened.memory_usage().codes, built.memory_usage().codes);
          EXPECT_EQ(opened.search_batch(data.queries, 10, {30}).ids, built.search_batch(data.queries, 10, {30}).ids);
          opened.save(again, true);
          EXPECT_TRUE(bytes_of_file(path) == bytes_of_file(again));
        }
      }
    }
  }
}

TEST(CodesInFiles, OfTheFileAreNoPartOfWhatItPromises) {
  using io::SectionKind;
  const SyntheticSet data = clusters(VectorType::F32, 32, 2000);
  const std::string path = scratch_path("codes.idx"), without = scratch_path("without.idx");
  const Index plain = build(data.vectors, Distance::L2, Codec::None);
  const std::vector<std::pair<Codec, std::vector<SectionKind>>> left_out = {
      {Codec::SQ8, {SectionKind::Codes, SectionKind::CodeNorms}},
      {Codec::SQ4, {SectionKind::Codes, SectionKind::CodeNorms, SectionKind::CodeMeans}},
      {Codec::Mix, {SectionKind::CodeDirections}},
      {Codec::RaBitQ5, {SectionKind::CodeNorms}},
      {Codec::RaBitQ5, {SectionKind::CodeMeans}},
      {Codec::SQ4, {SectionKind::CodeNorms}},
      {Codec::SQ4, {SectionKind::CodeMeans}},
      {Codec::PQ8, {SectionKind::CodeCentroids}},
      {Codec::PQ4, {SectionKind::CodeNorms}}};
  for (const auto& [codec, kinds] : left_out) {
    build(data.vectors, Distance::L2, codec).save(path, true);
    const io::Container container = io::Container::open(path);
    io::ContainerWriter writer(without, true);
    for (const io::Section& section : container.sections()) {
      if (std::find(kinds.begin(), kinds.end(), section.kind) != kinds.end()) {
        EXPECT_FALSE(section.required);
        continue;
      }
      writer.begin(section.kind, section.version, section.required);
      writer.write(container.read_small(section));
    }
    writer.commit();
    const Index opened = Index::open(without);
    EXPECT_EQ(opened.codec(), Codec::None);
    EXPECT_EQ(opened.search_batch(data.queries, 10, {30}).ids, plain.search_batch(data.queries, 10, {30}).ids);
  }
}

TEST(CodesInFiles, ThatAreNotThoseOfTheRowsAreFound) {
  using io::SectionKind;
  const SyntheticSet data = clusters(VectorType::F32, 32, 2000);
  const std::string path = scratch_path("codes.idx");
  for (const auto& [codec, kind] : {std::pair{Codec::SQ8, SectionKind::Codes},
                                    {Codec::SQ8, SectionKind::CodeNorms},
                                    {Codec::SQ4, SectionKind::Codes},
                                    {Codec::SQ4, SectionKind::CodeNorms},
                                    {Codec::SQ4, SectionKind::CodeMeans},
                                    {Codec::Mix, SectionKind::Codes},
                                    {Codec::Mix, SectionKind::CodeDirections},
                                    {Codec::LVQ8, SectionKind::Codes},
                                    {Codec::LVQ8, SectionKind::CodeNorms},
                                    {Codec::RaBitQ5, SectionKind::Codes},
                                    {Codec::RaBitQ5, SectionKind::CodeNorms},
                                    {Codec::RaBitQ5, SectionKind::CodeMeans},
                                    {Codec::PQ4, SectionKind::Codes},
                                    {Codec::PQ8, SectionKind::CodeNorms},
                                    {Codec::PQ8, SectionKind::CodeCentroids}}) {
    build(data.vectors, Distance::L2, codec).save(path, true);
    std::vector<std::byte> bytes = bytes_of_file(path);
    bytes[io::Container::open(path).require(kind).offset + 77] ^= std::byte{4};
    doubles::repair_checksums(bytes);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    const VerifyReport report = verify(path);
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_NE(report.problems[0].find("codes"), std::string::npos) << report.problems[0];
  }
}

TEST(CodesInFiles, OfOtherChunksThanOursAreWalkedBy) {
  const std::string path = scratch_path("chunks.idx");
  const VectorSet base = doubles::clustered(VectorType::F32, 300, 7, 1),
                  queries = doubles::clustered(VectorType::F32, 20, 7, 2);
  for (const Distance metric : kMetrics) {
    const Index exact = build(base, metric, Codec::None);
    build(base, metric, Codec::PQ4).save(path, true);
    std::vector<std::byte> bytes = bytes_of_file(path);
    const std::string_view key = "\"chunks\"";  // four of two components or one; three take as many bytes
    auto at = std::search(bytes.begin(), bytes.end(), key.begin(), key.end(),
                          [](std::byte a, char b) { return static_cast<char>(a) == b; });
    at = std::find(at, bytes.end(), std::byte{'4'});
    ASSERT_NE(at, bytes.end());
    *at = std::byte{'3'};
    doubles::repair_checksums(bytes);
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    for (const bool map : {false, true}) {
      OpenOptions options;
      options.map = map;
      const Index index = Index::open(path, options);
      EXPECT_EQ(index.codec(), Codec::PQ4);
      for (std::size_t q = 0; q < queries.rows(); ++q) {
        const VectorView query = queries.view().slice(q, 1);
        EXPECT_EQ(index.search(query, 10, {300}), exact.search(query, 10, {300})) << to_string(metric);
      }
    }
  }
}

TEST(CodesInFiles, OfMetadataThatCannotBeAreRefused) {
  const VectorSet base = doubles::clustered(VectorType::F32, 50, 8, 1);
  const Index index = build(base, Distance::L2, Codec::SQ8);
  std::string good = meta_to_json(index.state());
  EXPECT_EQ(meta_from_json(good, "x").codec, Codec::SQ8);
  const auto with = [&](const std::string& what, const std::string& value) {
    std::string text = good;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos);
    const std::size_t end = text.find_first_of(",\n", at);
    return text.replace(at, end - at, value);
  };
  EXPECT_EQ(meta_from_json(with("\"name\": \"sq8\"", "\"name\": \"sq1\""), "x").codec, Codec::None);
  for (const char* step : {"0", "-1", "1e300", "\"1\"", "null"})
    EXPECT_THROW(meta_from_json(with("\"step\"", std::string("\"step\": ") + step), "x"), Error) << step;
  EXPECT_THROW(meta_from_json(with("\"zero\"", "\"zero\": []"), "x"), Error);
  EXPECT_THROW(meta_from_json(with("\"type\"", "\"type\": \"u8\""), "x"), Error);

  const Index nibbles = build(base, Distance::L2, Codec::SQ4);
  good = meta_to_json(nibbles.state());
  EXPECT_EQ(meta_from_json(good, "x").codec, Codec::SQ4);
  for (const char* step : {"0", "-1", "1e300", "\"1\"", "null"})
    EXPECT_THROW(meta_from_json(with("\"step\"", std::string("\"step\": ") + step), "x"), Error) << step;
  const auto places = [&](const std::string& list) {
    std::string text = good;
    const std::size_t at = text.find("\"places\""), end = text.find(']', at);
    return meta_from_json(text.replace(at, end + 1 - at, "\"places\": " + list), "x");
  };
  good = meta_to_json(build(base, Distance::L2, Codec::Mix).state());
  EXPECT_EQ(meta_from_json(good, "x").code_numbers.shape.bytes, 64u);
  for (const auto& [key, value] : {std::pair{"bytes", "0"},
                                   {"bytes", "63"},
                                   {"bytes", "128"},
                                   {"bytes", "1e9"},
                                   {"nibbles", "1"},
                                   {"nibbles", "-1"},
                                   {"nibbles", "\"8\""},
                                   {"shared", "1.5"},
                                   {"shared", "-0.1"}}) {
    const std::string quoted = '"' + std::string(key) + '"';
    EXPECT_THROW(meta_from_json(with(quoted, quoted + ": " + value), "x"), Error) << key << " " << value;
  }
  good = meta_to_json(build(base, Distance::L2, Codec::PQ8).state());
  EXPECT_EQ(meta_from_json(good, "x").code_numbers.product.chunks, 2u);
  EXPECT_EQ(meta_from_json(with("\"chunks\"", "\"chunks\": 8"), "x").code_numbers.product.row_bytes(), 8u);
  for (const auto& [key, value] : {std::pair{"chunks", "0"},
                                   {"chunks", "9"},
                                   {"chunks", "-1"},
                                   {"chunks", "1.5"},
                                   {"chunks", "\"2\""},
                                   {"shared", "1.5"},
                                   {"shared", "null"}}) {
    const std::string quoted = '"' + std::string(key) + '"';
    EXPECT_THROW(meta_from_json(with(quoted, quoted + ": " + value), "x"), Error) << key << " " << value;
  }
  const VectorSet wide = doubles::clustered(VectorType::F32, 300, 20, 1);
  good = meta_to_json(build(wide, Distance::L2, Codec::PQ8).state());
  const quantization::ProductShape shape = meta_from_json(good, "x").code_numbers.product;
  EXPECT_TRUE(shape.along_directions);
  EXPECT_EQ(shape.chunks, 5u);
  const auto lengths = [&](const std::string& list) {
    std::string text = good;
    const std::size_t at = text.find("\"lengths\""), end = text.find(']', at);
    return meta_from_json(text.replace(at, end + 1 - at, "\"lengths\": " + list), "x").code_numbers.product;
  };
  EXPECT_EQ(lengths("[1,2,3,4,10]").dimension, 20u);
  EXPECT_EQ(lengths("[1,2,3,4,5]").begin(4), 10u);
  for (const char* list : {"[1,2,3,4]", "[1,2,3,4,5,1]", "[1,2,3,4,11]", "[1,2,0,4,5]", "[1,2,-3,4,5]", "[1,2,3.5,4,5]",
                           "[18446744073709551615,1,1,1,1]", "[1,2,\"3\",4,5]", "{}", "7"})
    EXPECT_THROW(lengths(list), Error) << list;
  good = meta_to_json(nibbles.state());
  const std::string fifteen = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14";
  EXPECT_EQ(places("[" + fifteen + ",63]").code_numbers.places[15], 63);
  for (const std::string& list : {"[" + fifteen + "]", "[" + fifteen + ",15,16]", "[" + fifteen + ",64]",
                                  "[" + fifteen + ",18446744073709551615]", "[" + fifteen + ",-65]",
                                  "[" + fifteen + ",1.5]", std::string("{}"), std::string("7")})
    EXPECT_THROW(places(list), Error) << list;
}

/// A file with sq4 by inner product as 0.1.0 wrote it first: without means, and with one number a row in place of two.
TEST(CodesInFiles, OfVersionOneAreRead) {
  const std::string path = DISKANN_SOURCE_DIR "/tests/golden/codes/sq4_ip_version1.idx",
                    again = scratch_path("again.idx");
  EXPECT_TRUE(verify(path).ok());
  const Index index = Index::open(path);
  EXPECT_EQ(index.codec(), Codec::SQ4);
  index.save(again, true);
  EXPECT_TRUE(verify(again).ok());
  const Index saved = Index::open(again);
  const VectorSet queries = doubles::clustered(VectorType::F32, 50, 12, 3);
  EXPECT_EQ(saved.search_batch(queries, 5, {20}).ids, index.search_batch(queries, 5, {20}).ids);
  EXPECT_EQ(io::Container::open(again).require(io::SectionKind::CodeNorms).version, 2u);
}

}  // namespace
}  // namespace diskann::index
