#include "tests/doubles/allocation_meter.hpp"
#include "tests/formats/fixture.hpp"

namespace diskann::formats_test {
namespace {

using VectorDamage = Formats;

struct Sample {
  std::string name;
  Bytes bytes;
  std::size_t header;  ///< bytes before the first component
};

/// A small file of each kind that the readers know.
std::vector<Sample> samples(doubles::FaultFileSystem& files) {
  std::vector<Sample> result;
  const auto add = [&](const char* name, VectorType type) {
    write_vectors(name, random_set(type, 5, 3, 9));
    const Bytes bytes = files.content(name).value();
    result.push_back({name, bytes, bytes.size() - 5 * 3 * size_of(type)});
  };
  add("a.fvecs", VectorType::F32);
  add("a.bvecs", VectorType::U8);
  add("a.fbin", VectorType::F32);
  add("a.f16bin", VectorType::F16);
  add("a.u8bin", VectorType::U8);
  add("a.i8bin", VectorType::I8);
  add("a.bin", VectorType::F32);
  add("a.npy", VectorType::F32);
  for (const char* name : {"small_v2.npy", "small_v3.npy", "small_fortran.npy", "small_be.npy", "small_i8.npy"})
    result.push_back({name, golden(std::string("vectors/") + name), 128});
  return result;
}

/// Either an Error or rows that the file has room for; never more memory than a small file can ask for.
void read_hostile(const std::string& name, const Bytes& bytes, bool must_fail) {
  doubles::FaultFileSystem files;  // a fresh one: its trace counts as memory too
  const io::FileSystemOverride override(files);
  files.put(name, bytes);
  const doubles::AllocationMeter meter;
  try {
    const VectorSet set = read_vectors(name);
    EXPECT_FALSE(must_fail) << name << " was read";
    EXPECT_LE(set.rows() * set.row_bytes(), 8 * bytes.size());
  } catch (const Error& error) {
    const ErrorCode code = error.code();
    EXPECT_TRUE(code == ErrorCode::Corrupt || code == ErrorCode::InvalidArgument || code == ErrorCode::Unsupported ||
                code == ErrorCode::UnsupportedVersion || code == ErrorCode::DimensionMismatch)
        << to_string(code) << ": " << error.what();
    EXPECT_NE(std::string(error.what()).find(name), std::string::npos) << error.what();
  }
  EXPECT_LT(meter.bytes(), 100'000u) << name;
}

TEST_F(VectorDamage, EveryTruncationAndOneMoreByteAreRefused) {
  std::size_t cases = 0;
  for (const Sample& sample : samples(files)) {
    const bool xvecs = sample.name.ends_with("vecs");
    const std::size_t row = sample.bytes.size() / 5;
    for (std::size_t length = 0; length < sample.bytes.size(); ++length, ++cases) {
      SCOPED_TRACE(testing::Message() << sample.name << " cut to " << length);
      // Whole rows of an xvecs file are a valid file of fewer rows, it has no count; half of an f32 .bin is one of f16.
      const bool whole =
          (xvecs && length != 0 && length % row == 0) || (sample.name == "a.bin" && length == 8 + 5 * 3 * 2);
      read_hostile(sample.name, Bytes(sample.bytes.begin(), sample.bytes.begin() + static_cast<std::ptrdiff_t>(length)),
                   !whole);
    }
    SCOPED_TRACE(sample.name + " with one more byte");
    read_hostile(sample.name, sample.bytes + Bytes(1), true);
  }
  EXPECT_GE(cases, 4'000u);
}

TEST_F(VectorDamage, EveryBitFlipInAHeaderIsRefusedOrHarmless) {
  std::size_t cases = 0;
  for (const Sample& sample : samples(files)) {
    const bool xvecs = sample.name.ends_with("vecs");
    const std::size_t row = sample.bytes.size() / 5;
    for (std::size_t bit = 0; bit < 8 * sample.bytes.size(); ++bit) {
      const std::size_t byte = bit / 8;
      if (xvecs ? byte % row >= 4 : byte >= sample.header) continue;
      SCOPED_TRACE(testing::Message() << sample.name << " bit " << bit);
      Bytes bytes = sample.bytes;
      bytes[byte] ^= static_cast<std::byte>(1 << (bit % 8));
      // A number in a binary header has one right value, but rows of another length may happen to fill an xvecs file;
      // text may change its meaning (a 'u' for an 'i').
      read_hostile(sample.name, bytes, xvecs ? byte >= 4 : !sample.name.ends_with("npy"));
      ++cases;
    }
  }
  EXPECT_GE(cases, 6'000u);
}

TEST_F(VectorDamage, HostileCountsNeverAllocate) {
  const std::pair<std::uint32_t, std::uint32_t> headers[] = {
      {0xFFFFFFFF, 4}, {0x80000000, 1},          {65536, 65536},           {0, 5},
      {5, 0},          {0x7FFFFFFF, 0x7FFFFFFF}, {0xFFFFFFFF, 0xFFFFFFFF}, {1, 0xFFFFFFFF},
      {1u << 30, 1},   {0x40000000, 4},          {0x20000001, 8}};
  std::size_t cases = 0;
  for (const char* name : {"a.fbin", "a.f16bin", "a.u8bin", "a.i8bin", "a.bin", "a.data"})
    for (const auto& [rows, columns] : headers) {
      SCOPED_TRACE(testing::Message() << name << " " << rows << " x " << columns);
      read_hostile(name, pack(rows, columns) + Bytes(32), true);
      ++cases;
    }
  for (const char* name : {"a.fvecs", "a.bvecs"})
    for (const std::uint32_t dimension :
         {0u, 0xFFFFFFFFu, 0x80000000u, 0x7FFFFFFFu, 0x40000000u, 0x3FFFFFFFu, (1u << 20) + 1, 1u << 20}) {
      read_hostile(name, pack(dimension) + Bytes(36), true);
      ++cases;
    }
  EXPECT_EQ(cases, 82u);
}

TEST_F(VectorDamage, RandomBytesNeverCrashAReader) {
  base::Random random(20240601);
  const char* names[] = {"a.fvecs", "a.bvecs", "a.fbin", "a.f16bin", "a.u8bin", "a.i8bin", "a.bin", "a.npy"};
  for (int i = 0; i < 4'000; ++i) {
    Bytes bytes(random.below(64));
    for (auto& byte : bytes) byte = static_cast<std::byte>(random.below(4) == 0 ? random.below(256) : random.below(4));
    SCOPED_TRACE(i);
    read_hostile(names[i % 8], bytes, false);
  }
}

}  // namespace
}  // namespace diskann::formats_test
