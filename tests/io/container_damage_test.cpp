// Systematic damage to a small index file: every truncation, every bit, every field with every odd value.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <set>

#include "io/container_layout.hpp"
#include "sample_container.hpp"
#include "tests/doubles/allocation_meter.hpp"
#include "tests/doubles/container_forge.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::io {
namespace {

using doubles::FaultFileSystem;

Bytes small_file() {
  FaultFileSystem files;
  const FileSystemOverride in_force(files);
  save("/f", small_sections());
  return *files.content("/f");
}

enum class Outcome { Refused, Identical, Different };

/// Opens and reads all; any error but the two for bad files fails the test, as does memory beyond what the file's size
/// justifies.
Outcome outcome(const Bytes& file) {
  FaultFileSystem files;
  files.put("/f", file);
  const FileSystemOverride in_force(files);
  const doubles::AllocationMeter meter;
  Outcome result = Outcome::Refused;
  try {
    result = read_back("/f") == small_sections() ? Outcome::Identical : Outcome::Different;
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::UnsupportedVersion) << error.what();
  }
  EXPECT_GT(meter.calls(), 0u);
  EXPECT_LE(meter.bytes(), std::size_t{256} << 10);
  return result;
}

TEST(ContainerDamage, EveryTruncationIsRefused) {
  const Bytes file = small_file();
  std::size_t cases = 0;
  FaultFileSystem files;
  const FileSystemOverride in_force(files);
  for (std::size_t length = 0; length < file.size(); ++length, ++cases) {
    files.put("/f", {file.begin(), file.begin() + static_cast<std::ptrdiff_t>(length)});
    EXPECT_EQ(code_of([] { Container::open("/f"); }), ErrorCode::Corrupt) << "length " << length;
  }
  EXPECT_GE(cases, 16'384u);
}

TEST(ContainerDamage, EveryExtensionIsRefused) {
  for (const std::size_t extra : {1u, 7u, 511u, 512u, 4095u, 4096u, 8192u, 100'000u}) {
    Bytes file = small_file();
    file.resize(file.size() + extra);
    EXPECT_EQ(outcome(file), Outcome::Refused) << extra;
  }
}

/// What verify does: opens, and compares all checksums.
bool verifies(const std::filesystem::path& path) {
  try {
    const Container container = Container::open(path);
    return std::all_of(container.sections().begin(), container.sections().end(),
                       [&](const Section& section) { return container.checksum_ok(section); });
  } catch (const Error& error) {
    EXPECT_TRUE(error.code() == ErrorCode::Corrupt || error.code() == ErrorCode::UnsupportedVersion) << error.what();
    return false;
  }
}

TEST(ContainerDamage, EverySingleBitFlipIsFound) {
  Bytes file = small_file();
  std::size_t cases = 0;
  for (std::size_t bit = 0; bit < file.size() * 8; ++bit, ++cases) {
    FaultFileSystem files;
    const FileSystemOverride in_force(files);
    if (bit == 0) {
      files.put("/f", file);
      ASSERT_TRUE(verifies("/f"));
    }
    const auto mask = static_cast<std::byte>(1u << (bit % 8));
    file[bit / 8] ^= mask;
    files.put("/f", file);
    ASSERT_FALSE(verifies("/f")) << "bit " << bit % 8 << " of byte " << bit / 8;
    file[bit / 8] ^= mask;
  }
  EXPECT_GE(cases, 131'072u);
}

TEST(ContainerDamage, EveryLostOrExchangedSectorIsFound) {
  const Bytes file = small_file();
  std::size_t cases = 0;
  for (std::size_t a = 0; a < file.size(); a += 512) {
    Bytes zeroed = file;
    std::fill_n(zeroed.begin() + static_cast<std::ptrdiff_t>(a), 512, std::byte{});
    EXPECT_EQ(outcome(zeroed), zeroed == file ? Outcome::Identical : Outcome::Refused) << a;
    ++cases;
    for (std::size_t b = a + 512; b < file.size(); b += 512, ++cases) {
      Bytes exchanged = file;
      std::swap_ranges(exchanged.begin() + static_cast<std::ptrdiff_t>(a),
                       exchanged.begin() + static_cast<std::ptrdiff_t>(a) + 512,
                       exchanged.begin() + static_cast<std::ptrdiff_t>(b));
      EXPECT_EQ(outcome(exchanged), exchanged == file ? Outcome::Identical : Outcome::Refused) << a << " and " << b;
    }
  }
  EXPECT_GE(cases, 500u);
}

struct Field {
  std::size_t at, size;
};

std::vector<Field> fields() {
  std::vector<Field> fields = {{8, 4}, {12, 4}, {16, 8}, {24, 4}, {28, 4}, {32, 8}, {40, 8}, {48, 8}, {56, 8}};
  for (std::size_t entry = 0; entry < 2; ++entry) {
    const std::size_t at = sizeof(ContainerHeader) + entry * sizeof(ContainerEntry);
    for (const Field field : {Field{0, 4}, {4, 4}, {8, 4}, {12, 4}, {16, 8}, {24, 8}, {32, 8}})
      fields.push_back({at + field.at, field.size});
  }
  fields.push_back({sizeof(ContainerHeader) + 2 * sizeof(ContainerEntry), 8});  // the table's checksum
  return fields;
}

std::set<std::uint64_t> odd_values(const Bytes& file, Field field) {
  std::uint64_t value = 0;
  std::memcpy(&value, file.data() + field.at, field.size);
  const std::uint64_t size = file.size();
  std::set<std::uint64_t> values = {0,
                                    1,
                                    2,
                                    value - 1,
                                    value + 1,
                                    value ^ (value << 1),
                                    0x7FFF,
                                    0x8000,
                                    0xFFFF,
                                    1u << 31,
                                    (1u << 31) - 1,
                                    0xFFFFFFFF,
                                    1ull << 32,
                                    1ull << 63,
                                    ~0ull,
                                    ~4095ull,
                                    (1ull << 63) - 1,
                                    size,
                                    size - 1,
                                    size + 1,
                                    size / 2,
                                    4096,
                                    8192,
                                    ~0ull - 4096};
  if (field.size == 8) return values;
  std::set<std::uint64_t> narrow;
  for (const std::uint64_t wide : values) narrow.insert(wide & 0xFFFFFFFF);
  return narrow;
}

void poke(Bytes& file, Field field, std::uint64_t value) { std::memcpy(file.data() + field.at, &value, field.size); }

TEST(ContainerDamage, OddValuesInAnyFieldAreRefusedOrSafe) {
  const Bytes file = small_file();
  std::size_t cases = 0, refused = 0;
  for (const Field field : fields()) {
    for (const std::uint64_t value : odd_values(file, field)) {
      Bytes changed = file;
      poke(changed, field, value);
      SCOPED_TRACE("offset " + std::to_string(field.at) + " value " + std::to_string(value));
      const Outcome raw = outcome(changed);
      EXPECT_EQ(raw, changed == file ? Outcome::Identical : Outcome::Refused);
      doubles::repair_checksums(changed);
      refused += outcome(changed) == Outcome::Refused;
      cases += 2;
    }
  }
  EXPECT_GE(cases, 900u);
  EXPECT_GE(refused, 300u) << "with checksums that fit, the checks behind them must hold";
}

TEST(ContainerDamage, OddValuesInTwoSizesAtOnceAreRefusedOrSafe) {
  const Bytes file = small_file();
  const std::vector<Field> sizes = {{16, 8}, {24, 4}, {80, 8}, {88, 8}, {120, 8}, {128, 8}};
  std::size_t cases = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    for (std::size_t j = i + 1; j < sizes.size(); ++j) {
      for (const std::uint64_t a : odd_values(file, sizes[i])) {
        for (const std::uint64_t b : odd_values(file, sizes[j])) {
          Bytes changed = file;
          poke(changed, sizes[i], a);
          poke(changed, sizes[j], b);
          doubles::repair_checksums(changed);
          SCOPED_TRACE("offsets " + std::to_string(sizes[i].at) + ", " + std::to_string(sizes[j].at) + " values " +
                       std::to_string(a) + ", " + std::to_string(b));
          (void)outcome(changed);
          ++cases;
        }
      }
    }
  }
  EXPECT_GE(cases, 5000u);
}

}  // namespace
}  // namespace diskann::io
