#include <limits>
#include <nlohmann/json.hpp>

#include "distance/reference.hpp"
#include "tests/formats/microsoft_fixture.hpp"

namespace diskann::formats_test {
namespace {

class MicrosoftGolden : public Microsoft, public testing::WithParamInterface<GoldenSet> {};
using MicrosoftReader = Microsoft;

TEST_P(MicrosoftGolden, IsReadToTheLastByte) {
  load(GetParam());
  const formats::MicrosoftMemorySet set = read();
  const Bytes data = get(".data");
  const base::RowsView& rows = set.vectors.view();
  EXPECT_EQ(set.metric, GetParam().metric);
  EXPECT_EQ(rows.type, GetParam().type);
  EXPECT_EQ(rows.rows, peek<std::uint32_t>(data, 0));
  EXPECT_EQ(rows.dimension, 12u);
  EXPECT_EQ(set.frozen_points, GetParam().frozen);
  const std::size_t row_bytes = 12 * size_of(rows.type);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    ASSERT_EQ(std::memcmp(rows.row(i), data.data() + 8 + i * row_bytes, row_bytes), 0) << "row " << i;
    for (std::size_t j = row_bytes; j < rows.stride; ++j) ASSERT_EQ(rows.row(i)[j], std::byte{0});
  }
  const PlainGraph plain = parse_graph(get(""));
  EXPECT_EQ(set.start, plain.start);
  EXPECT_EQ(set.max_degree, plain.max_degree);
  ASSERT_EQ(set.graph.nodes(), plain.lists.size());
  EXPECT_EQ(set.graph.stride() % 16, 0u);
  for (base::Slot i = 0; i < plain.lists.size(); ++i) {
    const auto neighbors = set.graph.neighbors(i);
    ASSERT_EQ(std::vector<std::uint32_t>(neighbors.begin(), neighbors.end()), plain.lists[i]) << "node " << i;
  }
  EXPECT_EQ(set.normalized, rows.type == VectorType::F32 && set.metric == Distance::Cosine);
  if (GetParam().frozen == 0) {
    EXPECT_TRUE(set.hidden.empty());
    EXPECT_TRUE(set.ids.empty());
  } else {
    const std::size_t points = rows.rows - 1;
    EXPECT_EQ(set.start, points);
    ASSERT_EQ(set.hidden.size(), rows.rows);
    EXPECT_EQ(std::count(set.hidden.begin(), set.hidden.end(), true), 1);
    EXPECT_TRUE(set.hidden.back());
    ASSERT_EQ(set.ids.size(), points);
    const Bytes tags = get(".tags");
    for (std::size_t i = 0; i < points; ++i) EXPECT_EQ(set.ids[i], peek<std::uint32_t>(tags, 8 + 4 * i));
  }
  const formats::MicrosoftMemorySetInfo info = formats::inspect_microsoft_memory_set("s/ann", {}, {});
  EXPECT_EQ(info.points, rows.rows - set.frozen_points);
  EXPECT_EQ(info.frozen_points, set.frozen_points);
  EXPECT_EQ(info.dimension, 12u);
  EXPECT_EQ(info.type, rows.type);
  EXPECT_EQ(info.metric, set.metric);
  EXPECT_EQ(info.max_degree, set.max_degree);
  EXPECT_EQ(info.has_tags, GetParam().frozen != 0);
  EXPECT_EQ(info.bytes, data.size() + get("").size());
}

TEST_P(MicrosoftGolden, HoldsTheVectorsBehindTheDistancesTheyReturned) {
  load(GetParam());
  const formats::MicrosoftMemorySet set = read();
  const base::RowsView& rows = set.vectors.view();
  const std::string query_name = rows.type == VectorType::F32  ? "query_f32.fbin"
                                 : rows.type == VectorType::I8 ? "query_i8.i8bin"
                                                               : "query_u8.u8bin";
  files.put(query_name, golden("vectors/" + query_name));
  const VectorSet queries = read_vectors(query_name);
  const auto expected = nlohmann::json::parse(text_of(golden(GetParam().folder + std::string("/expected.json"))));
  std::map<std::uint64_t, std::size_t> place;
  for (std::size_t i = 0; i < rows.rows - set.frozen_points; ++i) place[set.ids.empty() ? i : set.ids[i]] = i;
  std::size_t compared = 0;
  for (std::size_t q = 0; q < queries.rows(); ++q)
    for (std::size_t r = 0; r < expected["ids"][q].size(); ++r, ++compared) {
      const std::size_t row = place.at(expected["ids"][q][r].get<std::uint64_t>());
      const double ours =
          distance::reference_distance(set.metric, queries.row(q), rows.type, rows.row(row), rows.type, 12);
      double theirs = expected["distances"][q][r].get<double>();
      if (set.metric == Distance::InnerProduct) theirs = -theirs;
      if (set.normalized) {  // theirs is 1 - |q| cos
        double squared = 0;
        for (std::size_t j = 0; j < 12; ++j) squared += std::pow(distance::component(queries.row(q), rows.type, j), 2);
        theirs = 1 - (1 - theirs) / std::sqrt(squared);
      }
      EXPECT_NEAR(ours, theirs, 1e-4 * std::max(1.0, std::abs(theirs))) << "query " << q << " hit " << r;
    }
  EXPECT_EQ(compared, 50u);
}

INSTANTIATE_TEST_SUITE_P(Sets, MicrosoftGolden, testing::ValuesIn(kGoldenSets), [](const auto& set) {
  std::string name = set.param.folder;
  std::replace(name.begin(), name.end(), '/', '_');
  return name;
});

TEST_F(MicrosoftReader, MeetsDegreesAboveTheirR) {
  load({"dyn_f32_l2/saved", VectorType::F32, Distance::L2, 1});
  EXPECT_GT(read().max_degree, 16u);
  load({"dyn_empty_start", VectorType::F32, Distance::L2, 1});
  EXPECT_EQ(read().max_degree, 20u);
  EXPECT_EQ(read().graph.stride(), 32u);
}

/// Three points on a line, in two dimensions: 0 -> 1 -> 2 -> 0.
struct Small {
  Bytes data = pack(3u, 2u, 1.0f, 0.0f, 0.0f, 2.0f, 3.0f, 0.0f);
  Bytes graph = pack(std::uint64_t{48}, 1u, 1u, std::uint64_t{0}, 1u, 1u, 1u, 2u, 1u, 0u);
};

TEST_F(MicrosoftReader, NeedsTheMetricAndWhereTheSizeLeavesAChoiceTheType) {
  put(".data", Small().data);
  put("", Small().graph);
  EXPECT_TRUE(formats::is_microsoft_memory_set("s/ann"));
  EXPECT_FALSE(formats::is_microsoft_memory_set("s/an"));
  expect_error(ErrorCode::InvalidArgument, {"metric", "-m"}, [] { read(); });
  expect_error(ErrorCode::InvalidArgument, {"metric", "-m"}, [] { read(Distance::Custom); });
  EXPECT_EQ(read(Distance::L2).vectors.view().type, VectorType::F32);
  expect_error(ErrorCode::Corrupt, {".data"}, [] { read(Distance::L2, VectorType::U8); });
  put(".data", pack(3u, 2u) + Bytes(6));
  expect_error(ErrorCode::InvalidArgument, {"--dtype"}, [] { read(Distance::L2); });
  EXPECT_EQ(read(Distance::L2, VectorType::I8).vectors.view().type, VectorType::I8);
}

TEST_F(MicrosoftReader, RefusesToContradictTheMetadata) {
  load(kGoldenSets[0]);
  expect_error(ErrorCode::InvalidArgument, {"l2", "cosine"}, [] { read(Distance::Cosine); });
  expect_error(ErrorCode::InvalidArgument, {"f32", "u8"}, [] { read(Distance::L2, VectorType::U8); });
  EXPECT_EQ(read(Distance::L2, VectorType::F32).graph.nodes(), 300u);
}

TEST_F(MicrosoftReader, TakesRowsOfNanInAFloatCosineSetForZeroVectors) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  put("", Small().graph);
  put(".data", pack(3u, 2u, 1.0f, 0.0f, nan, nan, 0.6f, 0.8f));
  const auto set = read(Distance::Cosine);
  EXPECT_TRUE(set.normalized);
  EXPECT_EQ(peek<float>(Bytes(set.vectors.view().row(1), set.vectors.view().row(1) + 8), 0), 0.0f);
  EXPECT_EQ(peek<float>(Bytes(set.vectors.view().row(1), set.vectors.view().row(1) + 8), 4), 0.0f);
  expect_error(ErrorCode::Corrupt, {"row 1", "column 0"}, [] { read(Distance::L2); });
  put(".data", pack(3u, 2u, 1.0f, 0.0f, 1.0f, nan, 0.6f, 0.8f));
  expect_error(ErrorCode::Corrupt, {"row 1", "column 1"}, [] { read(Distance::Cosine); });
  put(".data", Small().data);
  EXPECT_FALSE(read(Distance::Cosine).normalized);  // raw rows, from another writer
}

TEST_F(MicrosoftReader, DropsSelfLoopsAndRepeats) {
  put(".data", Small().data);
  put("", pack(std::uint64_t{60}, 4u, 1u, std::uint64_t{0}, 4u, 0u, 1u, 1u, 2u, 0u, 1u, 2u, 0u) + Bytes());
  // 24 + 5 * 4 + 4 + 2 * 4 + ... : node 0 has 0 1 1 2, node 1 nothing, node 2 has 2 (itself), and one word is left
  // over.
  Bytes graph = get("");
  poke(graph, 0, std::uint64_t{graph.size()});
  put("", graph);
  expect_error(ErrorCode::Corrupt, {"4 bytes follow"}, [] { read(Distance::L2); });
  graph.resize(graph.size() - 4);
  poke(graph, 0, std::uint64_t{graph.size()});
  put("", graph);
  const auto set = read(Distance::L2);
  EXPECT_EQ(std::vector<base::Slot>(set.graph.neighbors(0).begin(), set.graph.neighbors(0).end()),
            (std::vector<base::Slot>{1, 2}));
  EXPECT_EQ(set.graph.degree(1), 0u);
  EXPECT_EQ(set.graph.degree(2), 0u);
}

TEST_F(MicrosoftReader, HidesDeletedLocationsAndTheirTags) {
  load({"dyn_u8_l2/built", VectorType::U8, Distance::L2, 1});
  const auto points = [] { return formats::inspect_microsoft_memory_set("s/ann", {}, {}); };
  EXPECT_EQ(points().deleted, 0u);
  put(".del", pack(2u, 1u, 279u, 3u));
  EXPECT_EQ(points().deleted, 2u);
  auto set = read();
  EXPECT_EQ(std::count(set.hidden.begin(), set.hidden.end(), true), 3);
  EXPECT_TRUE(set.hidden[3] && set.hidden[279] && set.hidden[280]);
  // A deleted location may keep a tag that lives on elsewhere.
  Bytes tags = get(".tags");
  poke(tags, 8 + 4 * 3, peek<std::uint32_t>(tags, 8));
  put(".tags", tags);
  EXPECT_EQ(read().ids[3], read().ids[0]);
  poke(tags, 8 + 4 * 4, peek<std::uint32_t>(tags, 8));
  put(".tags", tags);
  expect_error(ErrorCode::Corrupt, {"ann.tags", "twice"}, [] { read(); });
  load({"dyn_u8_l2/built", VectorType::U8, Distance::L2, 1});
  for (const Bytes& bad : {pack(1u, 1u, 280u), pack(1u, 1u, 0xFFFFFFFFu), pack(2u, 1u, 3u, 3u), pack(1u, 2u, 3u, 4u),
                           pack(2u, 1u, 3u), Bytes(5)}) {
    put(".del", bad);
    expect_error(ErrorCode::Corrupt, {"ann.del"}, [] { read(); });
  }
}

TEST_F(MicrosoftReader, RefusesADynamicSetWithoutItsTags) {
  load({"dyn_u8_l2/built", VectorType::U8, Distance::L2, 1});
  files.remove("s/ann.tags");
  expect_error(ErrorCode::Corrupt, {"frozen", ".tags"}, [] { read(); });
}

TEST_F(MicrosoftReader, ReadsTagsOf64Bits) {
  load({"dyn_u8_l2/built", VectorType::U8, Distance::L2, 1});
  Bytes tags = pack(281u, 1u);
  for (std::uint64_t i = 0; i < 280; ++i) tags = tags + pack((i << 32) + 5);
  put(".tags", tags + pack(std::uint64_t{0}));
  EXPECT_EQ(read().ids[279], (std::uint64_t{279} << 32) + 5);
  poke(tags, 8 + 8 * 7, kNoId);
  put(".tags", tags + pack(std::uint64_t{0}));
  EXPECT_EQ(read().ids[7], kNoId);
}

}  // namespace
}  // namespace diskann::formats_test
