#include <atomic>
#include <thread>

#include "formats/vector_reader.hpp"
#include "tests/formats/fixture.hpp"

namespace diskann::formats_test {
namespace {

using VectorFile = Formats;

struct Case {
  const char* name;
  VectorFormat format;
  VectorType type;
};
// What each format can hold.
constexpr Case kCases[] = {
    {"a.fvecs", VectorFormat::Fvecs, VectorType::F32}, {"a.bvecs", VectorFormat::Bvecs, VectorType::U8},
    {"a.fbin", VectorFormat::Fbin, VectorType::F32},   {"a.f16bin", VectorFormat::F16bin, VectorType::F16},
    {"a.u8bin", VectorFormat::U8bin, VectorType::U8},  {"a.i8bin", VectorFormat::I8bin, VectorType::I8},
    {"a.bin", VectorFormat::Bin, VectorType::F32},     {"a.bin", VectorFormat::Bin, VectorType::F16},
    {"a.data", VectorFormat::Bin, VectorType::I8},     {"a.bin", VectorFormat::Bin, VectorType::U8},
    {"a.npy", VectorFormat::Npy, VectorType::F32},     {"a.npy", VectorFormat::Npy, VectorType::F16},
    {"a.npy", VectorFormat::Npy, VectorType::I8},      {"a.npy", VectorFormat::Npy, VectorType::U8},
};
bool is_xvecs(VectorFormat format) { return format == VectorFormat::Fvecs || format == VectorFormat::Bvecs; }

ReadOptions options_of(const Case& c) {
  ReadOptions options;
  if (c.format == VectorFormat::Bin) options.type = c.type;
  return options;
}

TEST_F(VectorFile, ComesBackAsItWasWrittenInEveryFormatTypeAndShape) {
  int cases = 0;
  for (const Case& c : kCases)
    for (const std::size_t rows : {0u, 1u, 2u, 7u, 1000u})
      for (const std::size_t dimension : {1u, 3u, 12u, 129u}) {
        SCOPED_TRACE(testing::Message() << c.name << " " << to_string(c.type) << " " << rows << "x" << dimension);
        if (rows == 0 && is_xvecs(c.format)) continue;  // refused, see below
        const VectorSet set = random_set(c.type, rows, dimension, rows * 1000 + dimension);
        write_vectors(c.name, set);
        expect_equal(read_vectors(c.name, options_of(c)), set);
        const VectorFileInfo info = inspect_vectors(c.name, options_of(c));
        EXPECT_EQ(info.format, c.format);
        EXPECT_EQ(info.type, c.type);
        EXPECT_EQ(info.rows, rows);
        EXPECT_EQ(info.dimension, dimension);
        EXPECT_EQ(info.file_bytes, content(c.name).size());
        ++cases;
      }
  EXPECT_EQ(cases, 272);
}

TEST_F(VectorFile, IsWrittenFromUnalignedAndStridedRows) {
  for (const Case& c : kCases) {
    const VectorSet set = random_set(c.type, 37, 5, 11);
    const std::size_t row_bytes = set.row_bytes(), stride = row_bytes + 3;
    Bytes room(1 + 37 * stride, std::byte{0xEE});
    for (std::size_t i = 0; i < 37; ++i) std::memcpy(room.data() + 1 + i * stride, set.row(i), row_bytes);
    write_vectors(c.name, VectorView(room.data() + 1, c.type, 37, 5, stride));
    expect_equal(read_vectors(c.name, options_of(c)), set);
  }
}

TEST_F(VectorFile, IsReadInPartsBySkipAndLimit) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const VectorSet set = random_set(c.type, 20, 6, 5);
    write_vectors(c.name, set);
    for (std::uint64_t skip = 0; skip <= 20; ++skip)
      for (const std::uint64_t limit : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{7}, kNoId}) {
        ReadOptions options = options_of(c);
        options.skip = skip;
        options.limit = limit;
        expect_equal(read_vectors(c.name, options), set.view().slice(skip, std::min(limit, 20 - skip)));
        EXPECT_EQ(inspect_vectors(c.name, options).rows, 20u);
      }
    ReadOptions options = options_of(c);
    options.skip = 21;
    expect_error(ErrorCode::InvalidArgument, {"21", "20"}, [&] { read_vectors(c.name, options); });
  }
}

TEST_F(VectorFile, ReadsAcrossBlocksIntoRowsOfAnyStride) {
  // 5 MiB and more, so that a read takes several blocks.
  for (const Case& c : kCases) {
    SCOPED_TRACE(c.name);
    const std::size_t dimension = 100, rows = (std::size_t{5} << 20) / (dimension * size_of(c.type)) + 1;
    const VectorSet set = random_set(c.type, rows, dimension, 17);
    write_vectors(c.name, set);
    const auto reader = formats::open_vectors(c.name, options_of(c));
    const std::size_t stride = set.row_bytes() + 64;
    Bytes room(rows * stride, std::byte{0xEE});
    reader->read(0, rows, room.data(), stride);
    expect_equal(VectorView(room.data(), c.type, rows, dimension, stride), set);
    for (std::size_t i = 0; i < rows; ++i) ASSERT_EQ(room[i * stride + set.row_bytes()], std::byte{0xEE});
  }
}

TEST(VectorFileOnDisk, IsReadByManyThreadsAtOnce) {
  const auto directory =
      std::filesystem::temp_directory_path() /
      ("diskann_vector_file_" + std::to_string(std::hash<std::thread::id>()(std::this_thread::get_id())));
  std::filesystem::create_directories(directory);
  for (const Case& c : kCases) {
    const VectorSet set = random_set(c.type, 5000, 33, 23);
    write_vectors(directory / c.name, set);
    const auto reader = formats::open_vectors(directory / c.name, options_of(c));
    VectorSet got(c.type, 5000, 33);
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < 5; ++t)
      threads.emplace_back([&, t] { reader->read(t * 1000, 1000, got.row(t * 1000), got.row_bytes()); });
    for (auto& thread : threads) thread.join();
    expect_equal(got, set);
  }
  std::filesystem::remove_all(directory);
}

TEST_F(VectorFile, RefusesATypeThatTheFormatCannotHold) {
  const VectorType types[] = {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8};
  int refused = 0;
  for (const char* name : {"a.fvecs", "a.bvecs", "a.fbin", "a.f16bin", "a.u8bin", "a.i8bin", "a.ivecs"})
    for (const VectorType type : types) {
      const bool holds = std::any_of(std::begin(kCases), std::end(kCases),
                                     [&](const Case& c) { return c.name == std::string(name) && c.type == type; });
      if (holds) continue;
      expect_error(ErrorCode::InvalidArgument, {name}, [&] { write_vectors(name, random_set(type, 2, 2, 1)); });
      EXPECT_FALSE(files.exists(name));
      ++refused;
    }
  EXPECT_EQ(refused, 22);
}

TEST_F(VectorFile, RefusesShapesThatAFormatCannotSay) {
  expect_error(ErrorCode::InvalidArgument, {"dimension"},
               [] { write_vectors("a.fvecs", VectorSet(VectorType::F32, 0, 4)); });
  for (const Case& c : kCases)
    expect_error(ErrorCode::InvalidArgument, {"dimension 0"}, [&] { write_vectors(c.name, VectorSet(c.type, 3, 0)); });
  const float one = 1;
  expect_error(ErrorCode::InvalidArgument, {"2147483648 rows"},
               [&] { write_vectors("a.fbin", VectorView(&one, VectorType::F32, std::size_t{1} << 31, 1, 0)); });
  EXPECT_TRUE(files.names().empty());
}

TEST_F(VectorFile, KeepsTheOldFileWhenWritingFails) {
  const VectorSet old = random_set(VectorType::F32, 3, 4, 1), next = random_set(VectorType::F32, 50, 4, 2);
  for (const auto operation :
       {doubles::Operation::Create, doubles::Operation::Write, doubles::Operation::Sync, doubles::Operation::Rename}) {
    write_vectors("a.fbin", old);
    files.arm({operation, 1, 28});
    expect_error(ErrorCode::Io, {}, [&] { write_vectors("a.fbin", next); });
    EXPECT_TRUE(files.fired());
    files.disarm();
    expect_equal(read_vectors("a.fbin"), old);
    EXPECT_EQ(files.names().size(), 1u);
  }
  write_vectors("a.fbin", next);
  write_vectors("a.fbin", old);  // shorter: no stale tail
  EXPECT_EQ(content("a.fbin").size(), 8u + 3 * 4 * 4);
}

TEST_F(VectorFile, ReportsReadErrorsOfTheSystem) {
  for (const Case& c : kCases) {
    write_vectors(c.name, random_set(c.type, 3, 4, 1));
    for (std::size_t nth = 1;; ++nth) {
      files.arm({doubles::Operation::Read, nth, 5});
      try {
        read_vectors(c.name, options_of(c));
      } catch (const IoError& error) {
        EXPECT_EQ(error.system_error(), 5);
      }
      if (!files.fired()) break;
      ASSERT_LT(nth, 100u);
    }
    files.disarm();
  }
}

TEST_F(VectorFile, TellsTheTypeOfABinFileWhereItsSizeDoes) {
  write_vectors("a.bin", random_set(VectorType::F32, 4, 3, 1));
  EXPECT_EQ(inspect_vectors("a.bin").type, VectorType::F32);
  write_vectors("a.bin", random_set(VectorType::F16, 4, 3, 1));
  EXPECT_EQ(inspect_vectors("a.bin").type, VectorType::F16);
  for (const VectorType type : {VectorType::I8, VectorType::U8}) {
    write_vectors("a.bin", random_set(type, 4, 3, 1));
    expect_error(ErrorCode::InvalidArgument, {"a.bin", "--dtype"}, [] { inspect_vectors("a.bin"); });
  }
  write_vectors("a.bin", VectorSet(VectorType::F32, 0, 3));
  expect_error(ErrorCode::InvalidArgument, {"--dtype"}, [] { inspect_vectors("a.bin"); });
  files.put("a.bin", pack(4u, 3u) + Bytes(36));
  expect_error(ErrorCode::Corrupt, {"4 rows of 3", "36"}, [] { inspect_vectors("a.bin"); });
  files.put("a.bin", pack(1u, 3u, 0u, 0x1FFFFFFFu, 0xFFFFFFFFu));  // ids of results are no f32 by chance
  expect_error(ErrorCode::InvalidArgument, {"a.bin", "ids", "--dtype"}, [] { inspect_vectors("a.bin"); });
  EXPECT_EQ(inspect_vectors("a.bin", {{}, VectorType::F32}).rows, 1u);
  files.put("a.bin", pack(1u, 3u, 0u, 0x20000000u, 1u));
  EXPECT_EQ(inspect_vectors("a.bin").type, VectorType::F32);
  files.put("a.bin", pack(1u, 3u, 0u, 0u, 0u));
  EXPECT_EQ(inspect_vectors("a.bin").type, VectorType::F32);
}

TEST_F(VectorFile, RefusesAnotherTypeThanTheFileSays) {
  write_vectors("a.u8bin", random_set(VectorType::U8, 4, 3, 1));
  ReadOptions options;
  options.type = VectorType::F32;
  expect_error(ErrorCode::InvalidArgument, {"u8", "f32"}, [&] { read_vectors("a.u8bin", options); });
  write_vectors("a.bin", random_set(VectorType::U8, 4, 3, 1));
  expect_error(ErrorCode::Corrupt, {"56", "20"}, [&] { read_vectors("a.bin", options); });
}

TEST_F(VectorFile, TakesTheFormatOfTheOptionsBeforeTheSuffix) {
  const VectorSet set = random_set(VectorType::U8, 4, 3, 1);
  WriteOptions write;
  write.format = VectorFormat::Bvecs;
  write_vectors("points", set, write);
  ReadOptions read;
  read.format = VectorFormat::Bvecs;
  expect_equal(read_vectors("points", read), set);
  expect_error(ErrorCode::InvalidArgument, {"points", ".npy"}, [] { read_vectors("points"); });
}

TEST_F(VectorFile, NamesTheWholeRowsOfAPartialDownload) {
  files.put("a.fbin", pack(1'000'000u, 4u) + Bytes(16 * 123));
  expect_error(ErrorCode::Corrupt, {"a.fbin", "1000000 rows of 4", "16000008", "1976", "123 whole rows"},
               [] { read_vectors("a.fbin"); });
  files.put("a.fvecs", pack(1, 1.0f, 1, 2.0f, 1));
  expect_error(ErrorCode::Corrupt, {"row 2", "offset 16", "2 whole rows"}, [] { read_vectors("a.fvecs"); });
}

TEST_F(VectorFile, NamesTheRowOfARaggedFile) {
  files.put("a.bvecs", pack(2) + Bytes(2) + pack(2) + Bytes(2) + pack(3) + Bytes(3));
  const auto ragged = {"row 2", "offset 12", "dimension 3", "has 2"};
  expect_error(ErrorCode::DimensionMismatch, ragged, [] { read_vectors("a.bvecs"); });
  files.put("a.bvecs", pack(2) + Bytes(2) + pack(2) + Bytes(2) + pack(3) + Bytes(2));  // the size fits
  expect_error(ErrorCode::DimensionMismatch, ragged, [] { read_vectors("a.bvecs"); });
  files.put("a.bvecs", pack(9) + Bytes(9) + pack(3) + Bytes(3));  // shorter than the first, at the end
  expect_error(ErrorCode::DimensionMismatch, {"row 1", "offset 13", "dimension 3", "has 9"},
               [] { read_vectors("a.bvecs"); });
  files.put("a.bvecs", pack(9) + Bytes(9) + pack(9) + Bytes(3));
  expect_error(ErrorCode::Corrupt, {"row 1", "is cut"}, [] { read_vectors("a.bvecs"); });
  files.put("a.fvecs", pack(1, 1.0f, 1, 2.0f, -1, 3.0f));  // the size fits
  expect_error(ErrorCode::Corrupt, {"row 2", "offset 16", "dimension -1"}, [] { read_vectors("a.fvecs"); });
  ReadOptions options;
  options.skip = 1;
  expect_error(ErrorCode::Corrupt, {"row 2"}, [&] { read_vectors("a.fvecs", options); });
  options.limit = 1;
  EXPECT_EQ(read_vectors("a.fvecs", options).rows(), 1u);  // the bad row is not asked for
}

TEST_F(VectorFile, RecognisesAGitLfsPointer) {
  files.put("a.fbin", bytes_of("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"));
  expect_error(ErrorCode::Corrupt, {"Git LFS", "git lfs pull"}, [] { read_vectors("a.fbin"); });
  expect_error(ErrorCode::Corrupt, {"Git LFS"}, [] { inspect_vectors("a.fbin"); });
}

TEST_F(VectorFile, SaysWhichFileIsMissing) {
  expect_error(ErrorCode::NotFound, {"nowhere.fbin"}, [] { read_vectors("nowhere.fbin"); });
  files.put("ids.ivecs", pack(1, 7));
  expect_error(ErrorCode::InvalidArgument, {"ids"}, [] { read_vectors("ids.ivecs"); });
}

TEST_F(VectorFile, ReportsProgressAndStopsWhenCancelled) {
  write_vectors("a.u8bin", random_set(VectorType::U8, 90'000, 100, 3));  // three blocks
  std::uint64_t last = 0;
  Execution execution;
  execution.progress = [&](const Progress& progress) {
    EXPECT_EQ(progress.total, 90'000u);
    last = progress.done;
  };
  read_vectors("a.u8bin", {}, execution);
  EXPECT_EQ(last, 90'000u);

  CancelToken token;
  execution.cancel = &token;
  files.observe([&](const doubles::Event& event) {
    if (event.operation == doubles::Operation::Read && event.bytes > 1'000'000) token.cancel();
  });
  expect_error(ErrorCode::Cancelled, {}, [&] { read_vectors("a.u8bin", {}, execution); });
  files.observe(nullptr);
}

TEST_F(VectorFile, StopsWritingWhenCancelledAndKeepsTheOldFile) {
  const VectorSet old = random_set(VectorType::U8, 3, 100, 1), next = random_set(VectorType::U8, 90'000, 100, 3);
  for (const auto operation : {doubles::Operation::Write, doubles::Operation::Sync}) {
    write_vectors("a.u8bin", old);
    std::uint64_t written = 0;
    CancelToken token;
    Execution execution;
    execution.cancel = &token;
    files.observe([&](const doubles::Event& event) {
      if (event.operation == operation) token.cancel();
      if (event.operation == doubles::Operation::Write) written += event.bytes;
    });
    expect_error(ErrorCode::Cancelled, {}, [&] { write_vectors("a.u8bin", next, {}, execution); });
    files.observe(nullptr);
    EXPECT_EQ(written == 9'000'008, operation == doubles::Operation::Sync) << written;
    expect_equal(read_vectors("a.u8bin"), old);
    EXPECT_EQ(files.names().size(), 1u);
  }
}

TEST_F(VectorFile, EqualsTheRowsThatNumpyWroteInEveryFormat) {
  for (const char* name :
       {"base_f32.fbin", "base_u8.u8bin", "base_i8.i8bin", "small.fvecs", "small.bvecs", "small.f16bin"})
    files.put(name, golden("vectors/" + std::string(name)));
  const VectorSet f32 = read_vectors("base_f32.fbin"), u8 = read_vectors("base_u8.u8bin");
  ASSERT_EQ(f32.rows(), 300u);
  ASSERT_EQ(f32.dimension(), 12u);
  expect_equal(read_vectors("small.fvecs"), f32.view().slice(0, 20));
  expect_equal(read_vectors("small.bvecs"), u8.view().slice(0, 20));
  expect_equal(read_vectors("small.f16bin"), convert_vectors(f32.view().slice(0, 20), VectorType::F16));
  // And what we write is what numpy wrote, byte for byte.
  write_vectors("out.fvecs", f32.view().slice(0, 20));
  EXPECT_EQ(content("out.fvecs"), content("small.fvecs"));
  write_vectors("out.bvecs", u8.view().slice(0, 20));
  EXPECT_EQ(content("out.bvecs"), content("small.bvecs"));
  write_vectors("out.fbin", f32);
  EXPECT_EQ(content("out.fbin"), content("base_f32.fbin"));
  write_vectors("out.i8bin", read_vectors("base_i8.i8bin"));
  EXPECT_EQ(content("out.i8bin"), content("base_i8.i8bin"));
}

TEST(VectorFormat, NamesReadBack) {
  for (int i = 0; i <= static_cast<int>(VectorFormat::Npy); ++i) {
    const auto format = static_cast<VectorFormat>(i);
    EXPECT_EQ(parse_vector_format(to_string(format)), format);
    EXPECT_EQ(vector_format_of("dir.x/a." + std::string(to_string(format))), format);
  }
  EXPECT_EQ(vector_format_of("x.data"), VectorFormat::Bin);
  EXPECT_EQ(type_told_by(VectorFormat::Bvecs), VectorType::U8);
  EXPECT_EQ(type_told_by(VectorFormat::F16bin), VectorType::F16);
  for (const auto format : {VectorFormat::Bin, VectorFormat::Npy, VectorFormat::Ivecs})
    EXPECT_FALSE(type_told_by(format)) << to_string(format);
  for (const char* bad : {"", "a", "fvecs", "a.", "a.hdf5", "a.fbin.gz"})
    expect_error(ErrorCode::InvalidArgument, {".fvecs"}, [&] { vector_format_of(bad); });
  expect_error(ErrorCode::InvalidArgument, {"tiff", "fvecs"}, [] { parse_vector_format("tiff"); });
}

}  // namespace
}  // namespace diskann::formats_test
