// Codes whose vectors were dropped: distances are what they say, and nothing else may change them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "index/code_layout.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "scratch.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::index {
namespace {

using diskann::testing::kMetrics;
using diskann::testing::set_component;
using io::SectionKind;

constexpr Codec kCodecs[] = {Codec::F16,     Codec::SQ8,     Codec::LVQ8,    Codec::SQ4, Codec::Mix,
                             Codec::RaBitQ1, Codec::RaBitQ4, Codec::RaBitQ8, Codec::PQ4, Codec::PQ8};

Index build(const VectorSet& base, Distance metric, Codec codec, bool alone = true) {
  return IndexBuilder()
      .metric(metric)
      .max_degree(24)
      .store_as(base.type())
      .quantize(codec)
      .drop_vectors(alone)
      .build_from_vectors(base);
}

/// Nothing where nothing is thrown.
std::optional<ErrorCode> code_of(const auto& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

/// How far distances are off, in parts of those of usual neighbours, and what is found.
TEST(LoneCodes, SayHowFarRowsAre) {
  const std::string path = scratch_path("alone.idx");
  for (const auto& [type, dimension] : {std::pair{VectorType::F32, 32u},
                                        {VectorType::F32, 100u},
                                        {VectorType::F16, 300u},
                                        {VectorType::U8, 32u},
                                        {VectorType::I8, 100u}}) {
    const SyntheticSet data = clusters(type, dimension, 1000);
    for (const Distance metric : kMetrics) {
      const Index exact = build(data.vectors, metric, Codec::None, false);
      const SearchResults truth = compute_ground_truth(data.vectors, data.queries, metric, 10);
      double usual = 0;  // by inner product, what tells rows apart
      for (std::size_t q = 0; q < data.queries.rows(); ++q)
        usual += metric == Distance::InnerProduct ? std::abs(truth.distances_of(q)[9] - truth.distances_of(q)[0])
                                                  : truth.distances_of(q)[9];
      usual /= static_cast<double>(data.queries.rows());
      for (const Codec codec : kCodecs) {
        if (!has_codes(codec, type, data.vectors.dimension())) continue;
        SCOPED_TRACE(std::string(to_string(type)) + " " + std::to_string(dimension) + " " +
                     std::string(to_string(metric)) + " " + std::string(to_string(codec)));
        const Index built = build(data.vectors, metric, codec);
        EXPECT_FALSE(built.has_vectors());
        EXPECT_EQ(built.codec(), codec);
        EXPECT_EQ(built.memory_usage().vectors, 0u);
        built.save(path, true);
        EXPECT_TRUE(verify(path).ok());
        EXPECT_FALSE(inspect_index(path).has_vectors);
        const Index index = Index::open(path);
        const SearchResults found = index.search_batch(data.queries, 10, {100});
        EXPECT_EQ(found.ids, built.search_batch(data.queries, 10, {100}).ids);
        double off = 0, pairs = 0;
        for (std::size_t q = 0; q < data.queries.rows(); q += 3) {
          const VectorView query = data.queries.view().slice(q, 1);
          std::vector<float> distances(10);
          exact.distances(query, {found.ids_of(q).data(), 10}, distances);
          const std::vector<Hit> hits = index.search(query, 10, {100});
          ASSERT_TRUE(std::is_sorted(hits.begin(), hits.end()));
          for (std::size_t i = 0; i < 10; ++i) {
            ASSERT_EQ(hits[i], (Hit{found.ids_of(q)[i], found.distances_of(q)[i]}));
            off += std::abs(static_cast<double>(hits[i].distance - distances[i]));
            ++pairs;
          }
        }
        const bool product = codec == Codec::PQ4 || codec == Codec::PQ8;
        const double most = codec == Codec::RaBitQ1                          ? 2.0
                            : product                                        ? 0.5
                            : codec == Codec::SQ4 || codec == Codec::RaBitQ4 ? 0.3
                            : codec == Codec::Mix || codec == Codec::RaBitQ8 ? 0.1
                                                                             : 0.05;
        EXPECT_LT(off / pairs, most * usual);
        const double recall = recall_at(index, data.queries, found, truth, 10);
        const bool some = codec == Codec::SQ4 || codec == Codec::RaBitQ4 || (codec == Codec::Mix && dimension > 192);
        EXPECT_GT(recall, codec == Codec::RaBitQ1 ? 0.2 : product ? 0.4 : some ? 0.7 : 0.85);
        const auto& lists = index.calibration().lists;
        const auto hundred = std::find_if(lists.begin(), lists.end(),
                                          [](const ListMeasurement& list) { return list.search_list_size == 100; });
        ASSERT_NE(hundred, lists.end());
        EXPECT_NEAR(hundred->recall[1], recall, 0.1);
      }
    }
  }
}

TEST(LoneCodes, SayTheSameWhateverWasAskedBefore) {
  const std::string path = scratch_path("asked.idx");
  for (const std::uint32_t dimension : {5u, 100u, 150u}) {
    const SyntheticSet data = clusters(VectorType::F32, dimension, 300);
    const VectorView one = data.queries.view().slice(0, 1), other = data.queries.view().slice(1, 1);
    for (const Distance metric : kMetrics) {
      for (const Codec codec : kCodecs) {
        build(data.vectors, metric, codec).save(path, true);
        const Index fresh = Index::open(path), used = Index::open(path);
        used.search(other, 10);
        const std::vector<Hit> hits = fresh.search(one, 10);
        EXPECT_EQ(used.search(one, 10), hits) << dimension << to_string(metric) << to_string(codec);
        std::vector<float> distances(1);
        used.distances(one, std::span(&hits[3].id, 1), distances);
        EXPECT_EQ(distances[0], hits[3].distance);
        const std::vector<Hit> near = used.range_search(one, hits[4].distance, {300});
        EXPECT_GE(near.size(), 5u);
        EXPECT_LE(near.back().distance, hits[4].distance);
        EXPECT_EQ(near.front(), hits.front());
      }
    }
  }
}

TEST(LoneCodes, FindTheSameWithIdsAndTwins) {
  const SyntheticSet data = clusters(VectorType::F32, 100, 600);
  VectorSet doubled(VectorType::F32, 1200, 100);
  for (std::size_t i = 0; i < 1200; ++i) std::copy_n(data.vectors.row(i / 2), doubled.row_bytes(), doubled.row(i));
  std::vector<std::uint64_t> ids;
  for (std::uint64_t i = 0; i < 600; ++i) ids.push_back(5000 - i);
  for (const Codec codec : {Codec::RaBitQ1, Codec::RaBitQ2, Codec::SQ4}) {
    const Index plain = build(data.vectors, Distance::L2, codec), twins = build(doubled, Distance::L2, codec);
    const Index named =
        IndexBuilder().max_degree(24).quantize(codec).drop_vectors().ids(ids).build_from_vectors(data.vectors);
    for (std::size_t q = 0; q < data.queries.rows(); q += 3) {
      const VectorView query = data.queries.view().slice(q, 1);
      std::vector<std::uint64_t> wanted, by_id, of_twins;
      for (const Hit& hit : plain.search(query, 10, {600})) wanted.push_back(hit.id);
      for (const Hit& hit : named.search(query, 10, {600})) by_id.push_back(5000 - hit.id);
      for (const Hit& hit : twins.search(query, 20, {600})) of_twins.push_back(hit.id / 2);
      std::sort(wanted.begin(), wanted.end());
      std::sort(by_id.begin(), by_id.end());
      std::sort(of_twins.begin(), of_twins.end());
      of_twins.erase(std::unique(of_twins.begin(), of_twins.end()), of_twins.end());
      EXPECT_EQ(by_id, wanted) << to_string(codec) << " " << q;
      EXPECT_EQ(of_twins, wanted) << to_string(codec) << " " << q;
    }
  }
}

TEST(LoneCodes, GiveVectorsOfZeroTheirDistances) {
  SyntheticSet data = clusters(VectorType::F32, 100, 1500);
  for (std::size_t j = 0; j < 100; ++j) set_component(data.vectors, 7, j, 0);
  const std::uint64_t zero = 7;
  float distance = 0;
  for (const Codec codec : kCodecs) {
    const Index index = build(data.vectors, Distance::Cosine, codec);
    index.distances(data.queries.view().slice(0, 1), std::span(&zero, 1), std::span(&distance, 1));
    EXPECT_NEAR(distance, 1, codec == Codec::RaBitQ1 || codec == Codec::PQ4 || codec == Codec::PQ8 ? 0.3 : 0.1)
        << to_string(codec);
    for (const Hit& hit : index.search(std::vector<float>(100, 0.0f), 5)) EXPECT_EQ(hit.distance, 1);
  }
}

TEST(LoneCodes, AreAskedForByName) {
  const VectorSet base = doubles::clustered(VectorType::F32, 50, 8, 1);
  for (const Codec codec : {Codec::None, Codec::Auto})
    EXPECT_EQ(code_of([&] { build(base, Distance::L2, codec); }), ErrorCode::InvalidArgument);
  const VectorSet bytes = doubles::clustered(VectorType::U8, 50, 8, 1);
  EXPECT_EQ(code_of([&] { build(bytes, Distance::L2, Codec::SQ8); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { build(VectorSet(VectorType::F32, 3, 5000), Distance::L2, Codec::Mix); }),
            ErrorCode::InvalidArgument);
  EXPECT_EQ(code_of([&] { build(VectorSet(VectorType::F32, 3, 8), Distance::L2, Codec::SQ4); }),
            ErrorCode::InvalidArgument);
}

TEST(LoneCodes, RefuseWhatWantsVectors) {
  const VectorSet base = doubles::clustered(VectorType::F32, 300, 8, 1);
  Index index = build(base, Distance::L2, Codec::SQ8);
  EXPECT_EQ(code_of([&] { index.calibrate(); }), ErrorCode::Unsupported);
  EXPECT_EQ(code_of([&] { index.save_microsoft(scratch_path("theirs")); }), ErrorCode::Unsupported);
  EXPECT_EQ(code_of([&] { measure_quality(index); }), ErrorCode::Unsupported);
}

std::vector<std::byte> saved(const Index& index) {
  const std::string path = scratch_path("saved.idx");
  index.save(path, true);
  return bytes_of_file(path);
}

/// Opens what a file of these bytes holds, and uses all of it.
void use(const std::vector<std::byte>& bytes, bool map) {
  doubles::FaultFileSystem files;
  const io::FileSystemOverride in_force(files);
  files.put("/index", bytes);
  OpenOptions options;
  options.map = map;
  const Index index = Index::open("/index", options);
  const std::vector<float> query(index.dimension(), 1.0f);
  const std::vector<Hit> hits = index.search(query, 5);
  EXPECT_LE(hits.size(), 5u);
  index.range_search(query, 1.0f);
  verify("/index", options);
}

TEST(LoneCodes, OfDamagedFilesAreRefusedOrSafe) {
  std::size_t cases = 0, opened = 0;
  for (const bool alone : {true, false}) {
    for (const auto& [codec, dimension] : {std::pair{Codec::SQ8, 9},
                                           {Codec::SQ4, 9},
                                           {Codec::LVQ8, 9},
                                           {Codec::Mix, 70},
                                           {Codec::RaBitQ1, 9},
                                           {Codec::RaBitQ4, 70},
                                           {Codec::PQ4, 9},
                                           {Codec::PQ8, 9}}) {
      const VectorSet base = doubles::clustered(VectorType::F32, 20, static_cast<std::size_t>(dimension), 1);
      for (const Distance metric : kMetrics) {
        const std::vector<std::byte> good = saved(build(base, metric, codec, alone));
        use(good, true);
        const io::Container container = io::Container::open(scratch_path("saved.idx"));
        for (const io::Section& section : container.sections()) {
          const bool of_codes = section.kind >= SectionKind::Codes || section.kind == SectionKind::Meta;
          base::Random random(cases);
          for (int i = 0; of_codes && i < 40; ++i, ++cases) {
            std::vector<std::byte> bad = good;
            const std::size_t at = section.offset + random.below(section.length);
            bad[at] = i % 4 == 0 ? std::byte{0xFF} : bad[at] ^ static_cast<std::byte>(1u << random.below(8));
            if (i % 8 == 0 && section.length >= 4)  // a float that is none
              std::fill_n(bad.begin() + static_cast<std::ptrdiff_t>(at / 4 * 4), 4, std::byte{0xFF});
            doubles::repair_checksums(bad);
            const std::optional<ErrorCode> code = code_of([&] {
              use(bad, i % 2 == 0);
              ++opened;
            });
            EXPECT_TRUE(!code || code == ErrorCode::Corrupt || code == ErrorCode::UnsupportedVersion)
                << to_string(codec) << " " << at;
          }
        }
      }
    }
  }
  EXPECT_GT(cases, 4000u);
  EXPECT_GT(opened, cases / 4);
}

TEST(LoneCodes, MissNothingThatTheyNeed) {
  const VectorSet base = doubles::clustered(VectorType::F32, 200, 70, 1);
  for (const Codec codec : {Codec::SQ4, Codec::LVQ8, Codec::Mix, Codec::RaBitQ4, Codec::PQ8}) {
    saved(build(base, Distance::L2, codec));
    const io::Container container = io::Container::open(scratch_path("saved.idx"));
    for (const SectionKind left_out : {SectionKind::Codes, SectionKind::CodeNorms, SectionKind::CodeMeans,
                                       SectionKind::CodeDirections, SectionKind::CodeCentroids}) {
      if (container.find(left_out) == nullptr) continue;
      const std::string path = scratch_path("less.idx");
      io::ContainerWriter writer(path, true);
      for (const io::Section& section : container.sections()) {
        if (section.kind == left_out) continue;
        writer.begin(section.kind, section.version, section.required);
        writer.write(container.read_small(section));
      }
      writer.commit();
      try {
        Index::open(path);
        ADD_FAILURE() << to_string(codec) << " without " << to_string(left_out);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
        EXPECT_NE(std::string(error.what()).find("section " + to_string(left_out) + " is missing"), std::string::npos)
            << error.what();
      }
    }
  }
}

TEST(LoneCodes, OfMetadataThatCannotBeAreRefused) {
  const Index index = build(doubles::clustered(VectorType::F32, 50, 8, 1), Distance::InnerProduct, Codec::SQ8);
  const std::string good = meta_to_json(index.state());
  EXPECT_FALSE(meta_from_json(good, "x").has_vectors);
  const auto with = [&](const std::string& what, const std::string& value) {
    std::string text = good;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    const std::size_t end = text.find_first_of(",\n", at);
    return code_of([&] { meta_from_json(text.replace(at, end - at, value), "x"); });
  };
  EXPECT_EQ(with("\"vectors\"", "\"vectors\": null"), ErrorCode::Corrupt);
  EXPECT_EQ(with("\"vectors\"", "\"vectors\": \"kept\""), ErrorCode::Corrupt);
  EXPECT_EQ(with("\"name\": \"sq8\"", "\"name\": \"sq1\""), ErrorCode::UnsupportedVersion);
  EXPECT_EQ(with("\"name\": \"sq8\"", "\"name\": \"none\""), ErrorCode::Corrupt);
  EXPECT_EQ(with("\"longest\"", "\"other\": 1"), ErrorCode::Corrupt);
}

/// Rows that no float has room for apart, and those that directions of a sample hardly see.
TEST(LoneCodes, AreNoneWhereRowsLieTooFarApart) {
  VectorSet base = doubles::clustered(VectorType::F32, 300, 8, 1);
  for (std::size_t i = 0; i < 300; ++i) set_component(base, i, 0, i == 7 ? 1.5e19 : -1.5e19);
  for (const Codec codec : {Codec::SQ4, Codec::LVQ8, Codec::Mix, Codec::RaBitQ4})
    EXPECT_EQ(build(base, Distance::L2, codec, false).codec(), Codec::None) << to_string(codec);
}

TEST(LoneCodes, DoNotInventProductsOfRowsThatTheyHardlySee) {
  SyntheticSet data = clusters(VectorType::F32, 400, 1500);
  for (std::size_t i = 0; i < data.vectors.rows(); ++i)
    for (std::size_t j = 0; j < 400; ++j)
      if ((j >= 200) != (i == 5)) set_component(data.vectors, i, j, 0);  // one row lies where no other does
  const Index index = build(data.vectors, Distance::InnerProduct, Codec::Mix);
  const std::uint64_t lonely = 5;
  float distance = 0;
  double norm = 0;
  for (std::size_t j = 0; j < 400; ++j)
    norm += std::pow(distance::component(data.vectors.row(5), VectorType::F32, j), 2);
  for (std::size_t q = 0; q < data.queries.rows(); ++q) {
    double length = 0;
    for (std::size_t j = 0; j < 400; ++j)
      length += std::pow(distance::component(data.queries.row(q), VectorType::F32, j), 2);
    index.distances(data.queries.view().slice(q, 1), std::span(&lonely, 1), std::span(&distance, 1));
    EXPECT_LE(std::abs(distance), 1.1 * std::sqrt(norm * length));
  }
}

}  // namespace
}  // namespace diskann::index
