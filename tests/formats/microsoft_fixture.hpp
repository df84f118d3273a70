#pragma once

#include <cmath>
#include <set>

#include "formats/microsoft.hpp"
#include "tests/formats/fixture.hpp"

namespace diskann::formats_test {

/// A set of tests/golden/microsoft and what it must be.
struct GoldenSet {
  const char* folder;
  VectorType type;
  Distance metric;
  std::uint64_t frozen;
};
inline constexpr GoldenSet kGoldenSets[] = {
    {"mem_f32_l2", VectorType::F32, Distance::L2, 0},
    {"mem_f32_mips", VectorType::F32, Distance::InnerProduct, 0},
    {"mem_f32_cosine", VectorType::F32, Distance::Cosine, 0},
    {"mem_i8_l2", VectorType::I8, Distance::L2, 0},
    {"mem_i8_cosine", VectorType::I8, Distance::Cosine, 0},
    {"mem_u8_l2", VectorType::U8, Distance::L2, 0},
    {"mem_u8_cosine", VectorType::U8, Distance::Cosine, 0},
    {"dyn_f32_l2/built", VectorType::F32, Distance::L2, 1},
    {"dyn_f32_l2/saved", VectorType::F32, Distance::L2, 1},
    {"dyn_f32_cosine/built", VectorType::F32, Distance::Cosine, 1},
    {"dyn_f32_cosine/saved", VectorType::F32, Distance::Cosine, 1},
    {"dyn_u8_l2/built", VectorType::U8, Distance::L2, 1},
    {"dyn_u8_l2/saved", VectorType::U8, Distance::L2, 1},
    {"dyn_empty_start", VectorType::F32, Distance::L2, 1},
};

class Microsoft : public Formats {
 protected:
  /// Puts a golden set under the prefix "s/ann".
  void load(const GoldenSet& set) {
    for (const char* suffix : {"", ".data", "_metadata.bin"})
      put(suffix, golden(set.folder + std::string("/ann") + suffix));
    if (set.frozen != 0) put(".tags", golden(set.folder + std::string("/ann.tags")));
  }
  void put(const std::string& suffix, Bytes bytes) { files.put("s/ann" + suffix, std::move(bytes)); }
  Bytes get(const std::string& suffix) const { return content("s/ann" + suffix); }
  static formats::MicrosoftMemorySet read(std::optional<Distance> metric = {}, std::optional<VectorType> type = {}) {
    return formats::read_microsoft_memory_set("s/ann", metric, type);
  }
};

/// The graph file read by the letter of its description: header, then count and neighbours of each node.
struct PlainGraph {
  std::uint32_t max_degree = 0, start = 0;
  std::uint64_t frozen = 0;
  std::vector<std::vector<std::uint32_t>> lists;
};
inline PlainGraph parse_graph(const Bytes& bytes) {
  PlainGraph graph;
  EXPECT_EQ(peek<std::uint64_t>(bytes, 0), bytes.size());
  graph.max_degree = peek<std::uint32_t>(bytes, 8);
  graph.start = peek<std::uint32_t>(bytes, 12);
  graph.frozen = peek<std::uint64_t>(bytes, 16);
  std::size_t at = 24;
  while (at < bytes.size()) {
    auto& list = graph.lists.emplace_back(peek<std::uint32_t>(bytes, at));
    at += 4;
    for (auto& neighbor : list) {
      neighbor = peek<std::uint32_t>(bytes, at);
      at += 4;
    }
  }
  EXPECT_EQ(at, bytes.size());
  return graph;
}

}  // namespace diskann::formats_test
