// Indexes that stay on a drive: the same answers as in memory, and no wrong ones from a drive that fails.
#include "diskann/disk_index.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "diskann/evaluation.hpp"
#include "diskann/inspect.hpp"
#include "diskann/vector_file.hpp"
#include "index/record_pages.hpp"
#include "io/container.hpp"
#include "io/container_layout.hpp"
#include "scratch.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/doubles/test_data.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann::index {
namespace {

using diskann::testing::kMetrics;

Index build(const VectorSet& base, Distance metric, Codec codec, std::uint32_t page_bytes = 0) {
  return IndexBuilder()
      .metric(metric)
      .max_degree(24)
      .store_as(base.type())
      .quantize(codec)
      .page_bytes(page_bytes)
      .build_from_vectors(base);
}

std::uint32_t page_bytes_for(Distance metric) {
  return metric == Distance::L2 ? 0 : metric == Distance::Cosine ? 65'536 : 4096;
}

/// Distances of hits by their rank, over all queries: those of `found` that are greater than those of `other`.
std::size_t worse(const SearchResults& found, const SearchResults& other) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < found.distances.size(); ++i) count += found.distances[i] > other.distances[i] ? 1 : 0;
  return count;
}

struct Shape {
  VectorType type;
  std::uint32_t dimension;
};

TEST(DiskIndex, AnswersAsInMemory) {
  const std::string path = scratch_path("drive.idx");
  for (const Shape shape : {Shape{VectorType::U8, 101},
                            {VectorType::F32, 32},
                            {VectorType::F16, 100},
                            {VectorType::F32, 600},
                            {VectorType::F32, 1100}}) {
    const SyntheticSet data = clusters(shape.type, shape.dimension, 1500);
    for (const Distance metric : kMetrics) {
      SCOPED_TRACE(std::string(to_string(shape.type)) + " " + std::to_string(shape.dimension) + " " +
                   std::string(to_string(metric)));
      const Index memory = build(data.vectors, metric, Codec::SQ4, page_bytes_for(metric));
      if (memory.codec() == Codec::None) continue;
      memory.save_for_disk(path, true);
      EXPECT_TRUE(verify(path).ok());
      const std::uint64_t foretold = IndexBuilder()
                                         .metric(metric)
                                         .max_degree(24)
                                         .store_as(shape.type)
                                         .quantize(Codec::SQ4)
                                         .for_drive()
                                         .page_bytes(page_bytes_for(metric))
                                         .estimate(1500, shape.dimension, shape.type)
                                         .index_bytes;
      EXPECT_GE(foretold, std::filesystem::file_size(path));
      EXPECT_LE(foretold, std::filesystem::file_size(path) * 21 / 20);
      const SearchResults truth = compute_ground_truth(data.vectors, data.queries, metric, 10);
      const SearchResults wanted = memory.search_batch(data.queries, 10, {60});
      const Index again = Index::open(path);
      EXPECT_EQ(again.search_batch(data.queries, 10, {60}).ids, wanted.ids);
      for (const DiskIo io : {DiskIo::Auto, DiskIo::Threads, DiskIo::Mapped}) {
        DiskOpenOptions options;
        options.io = io;
        const DiskIndex index = DiskIndex::open(path, options);
        for (const std::uint32_t beam_width : {1u, 0u}) {
          DiskStatistics statistics;
          const SearchResults found = index.search_batch(data.queries, 10, {60, beam_width}, {}, &statistics);
          // One at a time it is the walk in memory; several find a little else.
          EXPECT_LE(worse(found, wanted), beam_width == 1 ? 0 : found.ids.size() / 100)
              << to_string(io) << " " << beam_width;
          EXPECT_GE(recall_at(memory, data.queries, found, truth, 10),
                    recall_at(memory, data.queries, wanted, truth, 10) - 0.001);
          EXPECT_GT(statistics.reads, data.queries.rows());
          for (std::size_t q = 0; q < data.queries.rows(); q += 17) {
            const std::vector<Hit> hits = index.search(data.queries.view().slice(q, 1), 10, {60, beam_width});
            ASSERT_EQ(hits.size(), 10u);
            ASSERT_TRUE(std::is_sorted(hits.begin(), hits.end()));
            for (std::size_t i = 0; i < 10; ++i) {
              float distance = 0;
              memory.distances(data.queries.view().slice(q, 1), std::span(&hits[i].id, 1), std::span(&distance, 1));
              ASSERT_EQ(hits[i].distance, distance);
            }
          }
        }
      }
    }
  }
}

TEST(DiskIndex, FindsEveryFlippedBit) {
  const std::string path = scratch_path("drive.idx");
  for (const std::uint32_t dimension : {24u, 700u}) {
    const SyntheticSet data = clusters(VectorType::F32, dimension, 300);
    build(data.vectors, Distance::L2, Codec::SQ8).save_for_disk(path, true);
    const std::vector<std::byte> good = bytes_of_file(path);
    const io::Container container = io::Container::open(path);
    for (const io::Section& section : container.sections()) {
      const bool pages = section.kind == io::SectionKind::NodePages || section.kind == io::SectionKind::EdgePages ||
                         section.kind == io::SectionKind::RowPages;
      if (!pages) continue;
      base::Random random(dimension);
      for (int i = 0; i < 40; ++i) {
        std::vector<std::byte> bad = good;
        bad[section.offset + random.below(section.length)] ^= static_cast<std::byte>(1u << random.below(8));
        doubles::repair_checksums(bad);
        std::ofstream(path, std::ios::binary)
            .write(reinterpret_cast<const char*>(bad.data()), static_cast<std::streamsize>(bad.size()));
        EXPECT_FALSE(verify(path).ok());
        EXPECT_THROW(Index::open(path), Error);
        std::size_t noticed = 0;
        try {  // by a list that holds all nodes every page is touched
          const DiskIndex index = DiskIndex::open(path);
          index.search_batch(data.vectors, 300, {300});
        } catch (const Error& error) {
          EXPECT_EQ(error.code(), ErrorCode::Corrupt);
          ++noticed;
        }
        EXPECT_EQ(noticed, 1u);
      }
    }
  }
}

/// As it was written when pages had 4,096 bytes and nobody said so.
void make_first_form(const std::string& path) {
  std::vector<std::byte> bytes = bytes_of_file(path);
  const io::Section meta = io::Container::open(path).require(io::SectionKind::Meta);
  std::string text(reinterpret_cast<const char*>(bytes.data() + meta.offset), meta.length);
  const std::string field = "\"page_bytes\": 4096,";
  ASSERT_NE(text.find(field), std::string::npos);
  text.replace(text.find(field), field.size(), std::string(field.size(), ' '));
  std::memcpy(bytes.data() + meta.offset, text.data(), text.size());
  io::ContainerHeader header;
  std::memcpy(&header, bytes.data(), sizeof header);
  for (std::uint32_t i = 0; i < header.section_count; ++i) {
    io::ContainerEntry entry;
    std::byte* const at = bytes.data() + sizeof header + i * sizeof entry;
    std::memcpy(&entry, at, sizeof entry);
    if (static_cast<io::SectionKind>(entry.kind) == io::SectionKind::NodePages) entry.version = 1;
    std::memcpy(at, &entry, sizeof entry);
  }
  doubles::repair_checksums(bytes);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

TEST(DiskIndex, OpensFilesOfTheFirstForm) {
  const std::string path = scratch_path("first.idx");
  const SyntheticSet data = clusters(VectorType::U8, 64, 1000);
  build(data.vectors, Distance::L2, Codec::SQ4, 4096).save_for_disk(path, true);
  const SearchResults wanted = DiskIndex::open(path).search_batch(data.queries, 10, {40, 1});
  make_first_form(path);
  EXPECT_TRUE(verify(path).ok());
  EXPECT_EQ(inspect_index(path).parameters.page_bytes, 4096u);
  EXPECT_EQ(DiskIndex::open(path).search_batch(data.queries, 10, {40, 1}).ids, wanted.ids);
}

TEST(DiskIndex, ReportsReadsThatFail) {
  doubles::FaultFileSystem files;
  const io::FileSystemOverride override(files);
  const SyntheticSet data = clusters(VectorType::F32, 32, 800);
  build(data.vectors, Distance::L2, Codec::SQ4, 4096).save_for_disk("/drive.idx", true);
  const DiskIndex index = DiskIndex::open("/drive.idx");
  const VectorView query = data.queries.view().slice(0, 1);
  const std::vector<Hit> wanted = index.search(query, 10, {40, 1});
  std::size_t fired = 0;
  for (const int error : {EIO, 0}) {
    for (std::size_t nth = 1; nth < 40; nth += 3) {
      files.arm({doubles::Operation::Read, nth, error});
      try {
        EXPECT_EQ(index.search(query, 10, {40, 1}), wanted) << "no fault came up";
      } catch (const Error& failure) {
        EXPECT_EQ(failure.code(), error == 0 ? ErrorCode::Corrupt : ErrorCode::Io);
        ++fired;
      }
      files.disarm();
      EXPECT_EQ(index.search(query, 10, {40, 1}), wanted) << "a search after one that failed";
    }
  }
  EXPECT_GE(fired, 6u);
}

TEST(DiskIndex, ConcurrentSearchesAnswerAsOneAfterTheOther) {
  const std::string path = scratch_path("drive.idx");
  const SyntheticSet data = clusters(VectorType::F32, 32, 1500);
  build(data.vectors, Distance::L2, Codec::PQ8).save_for_disk(path, true);
  for (const DiskIo io : {DiskIo::Auto, DiskIo::Threads}) {
    DiskOpenOptions options;
    options.io = io;
    const DiskIndex index = DiskIndex::open(path, options);
    Execution one, four;
    one.threads = 1;
    four.threads = 4;
    const SearchResults wanted = index.search_batch(data.queries, 10, {60, 1}, one);
    EXPECT_EQ(index.search_batch(data.queries, 10, {60, 1}, four).ids, wanted.ids);
    std::vector<std::thread> threads;
    std::vector<SearchResults> found(3);
    for (SearchResults& results : found)
      threads.emplace_back([&] { results = index.search_batch(data.queries, 10, {60, 1}, one); });
    for (std::thread& thread : threads) thread.join();
    for (const SearchResults& results : found) EXPECT_EQ(results.ids, wanted.ids);
  }
}

TEST(DiskIndex, FindsAsMuchAsItIsAskedTo) {
  const std::string path = scratch_path("drive.idx");
  const SyntheticSet data = clusters(VectorType::F32, 64, 6000);
  DiskConfig config;
  config.max_degree = 32;
  config.num_chunks = 12;
  config.page_bytes = 4096;  // larger ones bring most of so few rows
  const DiskIndex index = DiskIndex::build_from_vectors(path, data.vectors, config, true);
  EXPECT_FALSE(index.calibration().stops.empty());
  const SearchResults truth = compute_ground_truth(data.vectors, data.queries, Distance::L2, 10);
  std::uint64_t before = 0;
  for (const float target : {0.8f, 0.9f, 0.97f}) {
    DiskSearchParameters parameters;
    parameters.target_recall = target;
    DiskStatistics statistics;
    EXPECT_GE(recall_at(index.search_batch(data.queries, 10, parameters, {}, &statistics), truth, 10), target - 0.04);
    EXPECT_GT(statistics.reads, before);
    before = statistics.reads;
  }
  EXPECT_GE(recall_at(index.search_batch(data.queries, 10, {100}), truth, 10), 0.99) << "as it comes";
}

TEST(DiskIndex, TakesLessTimeWithMoreUnderWay) {
  const std::string path = scratch_path("drive.idx");
  const SyntheticSet data = clusters(VectorType::F32, 32, 2000);
  build(data.vectors, Distance::L2, Codec::SQ8, 4096).save_for_disk(path, true);
  DiskOpenOptions options;
  options.simulated = SimulatedDrive{3000, 1e6};  // beside which computing is nothing, with sanitizers either
  const DiskIndex index = DiskIndex::open(path, options);
  const auto seconds = [&](std::uint32_t beam_width) {
    DiskStatistics statistics;
    const auto start = std::chrono::steady_clock::now();
    for (std::size_t q = 0; q < 5; ++q)
      index.search(data.queries.view().slice(q, 1), 10, {40, beam_width}, &statistics);
    EXPECT_EQ(statistics.bytes, statistics.reads * io::kBlockBytes);
    EXPECT_GE(statistics.walk.hops, 5u * 40u);
    EXPECT_LT(statistics.reads, statistics.walk.hops) << "what stands in a page is read at once";
    EXPECT_LE(statistics.waits, statistics.reads);
    const double taken = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (beam_width == 1) {
      EXPECT_GE(taken, static_cast<double>(statistics.reads) * 3000e-6);
    }
    return taken;
  };
  const double one = seconds(1), four = seconds(4);
  EXPECT_LT(four, 0.8 * one);
  DiskStatistics hundred;  // none more is under way while hits are compared
  const auto start = std::chrono::steady_clock::now();
  index.search(data.queries.view().slice(0, 1), 100, {100, 1}, &hundred);
  EXPECT_GE(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(),
            static_cast<double>(hundred.reads) * 3000e-6);
}

TEST(DiskIndex, IsBuiltByOneCall) {
  const std::string path = scratch_path("built.idx");
  const SyntheticSet data = clusters(VectorType::F32, 48, 3000);
  DiskConfig config;
  config.dimension = 48;
  config.max_degree = 24;
  config.num_chunks = 16;
  const SearchResults truth = compute_ground_truth(data.vectors, data.queries, Distance::L2, 10);
  std::uint64_t reads[2] = {};
  for (const bool reorder : {false, true}) {
    config.reorder_data = reorder;
    const DiskIndex index = DiskIndex::build_from_vectors(path, data.vectors, config, true);
    EXPECT_EQ(index.codec(), Codec::PQ8);
    EXPECT_LT(index.memory_usage_mb(), 3000 * 48 * 4 * 1e-6);
    DiskStatistics statistics;
    EXPECT_GE(recall_at(index.search_batch(data.queries, 10, {60, 1}, {}, &statistics), truth, 10), 0.97);
    reads[reorder ? 1 : 0] = statistics.reads;
  }
  EXPECT_LT(static_cast<double>(reads[1]), 0.8 * static_cast<double>(reads[0]));

  config.search_cache_size = 500;
  const DiskIndex cached = DiskIndex::build_from_vectors(path, data.vectors, config, true);
  DiskStatistics statistics;
  cached.search_batch(data.queries, 10, {60, 1}, {}, &statistics);
  EXPECT_LT(statistics.reads, reads[1]);
  EXPECT_GE(cached.memory_usage().graph, 500u * 25u * 4u);

  const std::string vectors = scratch_path("built.fbin");
  write_vectors(vectors, data.vectors);
  const DiskIndex from_file = DiskIndex::build_from_file(path, vectors, config, true);
  EXPECT_EQ(from_file.search_batch(data.queries, 10, {60, 1}).ids, cached.search_batch(data.queries, 10, {60, 1}).ids);

  const auto code_of = [&](const DiskConfig& with, bool overwrite) {
    try {
      DiskIndex::build_from_vectors(path, data.vectors, with, overwrite);
    } catch (const Error& error) {
      return std::optional(error.code());
    }
    return std::optional<ErrorCode>();
  };
  EXPECT_EQ(code_of(config, false), ErrorCode::AlreadyExists);
  DiskConfig other = config;
  other.dimension = 47;
  EXPECT_EQ(code_of(other, true), ErrorCode::DimensionMismatch);
  other = config;
  other.bits_per_chunk = 5;
  EXPECT_EQ(code_of(other, true), ErrorCode::InvalidArgument);
  other = config;
  other.num_chunks = 49;
  EXPECT_EQ(code_of(other, true), ErrorCode::InvalidArgument);
  for (const std::uint32_t page_bytes : {1u, 2048u, 12'288u, 131'072u}) {
    other = config;
    other.page_bytes = page_bytes;
    EXPECT_EQ(code_of(other, true), ErrorCode::InvalidArgument) << page_bytes;
  }
  EXPECT_EQ(DiskIndex::open(path).size(), 3000u) << "what was there is there";
}

/// Of a file with pages of rows and edges: nobody has an edge any more.
void cut_all_edges(const std::string& path) {
  std::vector<std::byte> bytes = bytes_of_file(path);
  const io::Container container = io::Container::open(path);
  const io::Section& section = container.require(io::SectionKind::NodePages);
  const IndexFileInfo info = inspect_index(path);
  const NodePages pages(info.type, info.dimension, info.parameters.max_degree, info.parameters.page_bytes);
  for (base::Slot node = 0; node < info.nodes; ++node) {
    const std::size_t at = pages.edges.unit_of(node) * pages.edges.unit_bytes() + pages.edges.offset_of(node);
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(section.offset + at + pages.edges_at),
                sizeof(std::uint32_t), std::byte{0});
  }
  doubles::seal_pages(bytes);
  doubles::repair_checksums(bytes);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

TEST(DiskIndex, FindsAllThatItIsAskedForWhereNoWalkLeads) {
  const std::string path = scratch_path("cut.idx");
  const SyntheticSet data = clusters(VectorType::F32, 32, 900);
  build(data.vectors, Distance::L2, Codec::SQ8).save_for_disk(path, true);
  cut_all_edges(path);
  const DiskIndex index = DiskIndex::open(path);
  EXPECT_LT(Index::open(path).graph_statistics().edges, 1u);
  const SearchResults truth = compute_ground_truth(data.vectors, data.queries, Distance::L2, 900);
  EXPECT_EQ(index.search_batch(data.queries, 900).ids, truth.ids);
  DiskStatistics statistics;
  const std::vector<Hit> hits = index.search(data.queries.view().slice(3, 1), 2000, {}, &statistics);
  EXPECT_GE(statistics.bytes, 900u * 32u * sizeof(float)) << "all rows were read";
  EXPECT_GE(statistics.walk.distance_computations, 900u);
  ASSERT_EQ(hits.size(), 900u);
  for (std::size_t i = 0; i < hits.size(); ++i) EXPECT_EQ(hits[i].id, truth.ids[3 * 900 + i]);
}

TEST(DiskIndex, KeepsItsWordWithLongLists) {
  const std::string path = scratch_path("long.idx");
  const SyntheticSet data = clusters(VectorType::F32, 400, 2500);  // of their pages no walk keeps all
  build(data.vectors, Distance::L2, Codec::SQ8).save_for_disk(path, true);
  const DiskIndex index = DiskIndex::open(path);
  const VectorView queries = data.queries.view().slice(0, 20);
  const SearchResults truth = compute_ground_truth(data.vectors, queries, Distance::L2, 2500);
  for (const std::uint32_t beam_width : {0u, 1u}) {
    DiskStatistics statistics;
    const SearchResults all = index.search_batch(queries, 2500, {2500, beam_width}, {}, &statistics);
    EXPECT_EQ(all.ids, truth.ids);
    EXPECT_LT(statistics.reads, 2u * 20u * 2500u);
    const SearchResults hundred = index.search_batch(queries, 100, {2000, beam_width});
    EXPECT_GE(recall_at(hundred, truth, 100), beam_width == 1 ? 1.0 : 0.99);
  }
}

TEST(DiskIndex, NoticesAFileThatIsReplacedWhileItOpens) {
  doubles::FaultFileSystem files;
  const io::FileSystemOverride override(files);
  const SyntheticSet data = clusters(VectorType::F32, 32, 800);
  build(data.vectors, Distance::L2, Codec::SQ4).save_for_disk("/drive.idx", true);
  build(data.vectors, Distance::Cosine, Codec::SQ4).save_for_disk("/other.idx", true);
  const std::vector<std::byte> first = *files.content("/drive.idx"), other = *files.content("/other.idx");
  const std::vector<std::byte> shorter(first.begin(), first.begin() + io::kBlockBytes / 2);
  for (const DiskIo io : {DiskIo::Threads, DiskIo::Mapped}) {
    for (const std::vector<std::byte>& next : {other, shorter}) {
      files.put("/drive.idx", first);
      std::size_t opened = 0;
      files.observe([&](const doubles::Event& event) {
        if (event.operation == doubles::Operation::Open && ++opened == 2) files.put("/drive.idx", next);
      });
      DiskOpenOptions options;
      options.io = io;
      try {
        DiskIndex::open("/drive.idx", options);
        ADD_FAILURE() << to_string(io);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Corrupt);
      }
      files.observe({});
      EXPECT_EQ(opened, 2u);
    }
  }
}

TEST(RecordPages, HoldAllRecords) {
  for (const std::size_t bytes : {4u, 100u, 2044u, 4088u, 4089u, 8184u, 10000u}) {
    for (const std::size_t page_bytes : {4096u, 16'384u, 65'536u}) {
      const RecordPages pages(bytes, true, page_bytes);
      EXPECT_GE(pages.unit_bytes(), pages.records() * bytes + RecordPages::kSumBytes) << bytes;
      EXPECT_LT(pages.unit_bytes() - pages.records() * bytes - RecordPages::kSumBytes, io::kBlockBytes)
          << "no block in vain";
      EXPECT_TRUE(pages.records() == 1 || pages.unit_bytes() <= page_bytes);
      EXPECT_GT((pages.records() + 1) * bytes + RecordPages::kSumBytes, page_bytes) << "one more would not fit";
      for (const std::uint64_t count : {1u, 7u, 4000u}) {
        const auto last = static_cast<base::Slot>(count - 1);
        EXPECT_EQ(pages.unit_of(last) + 1, pages.units(count));
        EXPECT_LE(pages.offset_of(last) + bytes + RecordPages::kSumBytes, pages.unit_bytes());
      }
    }
  }
  EXPECT_EQ(NodePages(VectorType::U8, 128, 64, 0).edges.records(), 10u) << "eight and more fit the smallest page";
  EXPECT_EQ(NodePages(VectorType::U8, 236, 68, 0).page_bytes, 8192u);
  EXPECT_EQ(NodePages(VectorType::F32, 384, 64, 0).page_bytes, 16'384u);
  EXPECT_EQ(NodePages(VectorType::F32, 384, 64, 8192).page_bytes, 8192u) << "as it was asked for";
  std::vector<std::byte> unit(io::kBlockBytes, std::byte{7});
  seal_unit(unit, 5);
  EXPECT_TRUE(is_sealed(unit, 5));
  EXPECT_FALSE(is_sealed(unit, 6)) << "a page that stands where another belongs";
}

}  // namespace
}  // namespace diskann::index
