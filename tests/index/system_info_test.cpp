#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "diskann/inspect.hpp"
#include "diskann/version.hpp"

namespace diskann {
namespace {

TEST(SystemInfo, DescribesThisBuildOnThisMachine) {
  const SystemInfo info = system_info();
  EXPECT_EQ(info.version, DISKANN_VERSION);
  EXPECT_FALSE(info.compiler.empty());
  EXPECT_EQ(std::count(info.highway.begin(), info.highway.end(), '.'), 2) << info.highway;
  EXPECT_NE(std::find(info.compiled_isas.begin(), info.compiled_isas.end(), info.isa), info.compiled_isas.end())
      << info.isa << " is in use but not compiled in";
  EXPECT_FALSE(info.io_backends.empty());
  EXPECT_FALSE(info.processor.empty());
  EXPECT_EQ(info.processor.find('\n'), std::string::npos);
  EXPECT_GE(info.threads, 1u);
  EXPECT_GT(info.memory_bytes, std::uint64_t{64} << 20);
}

TEST(SystemInfo, PeakGrowsWithTheMemoryInUse) {
  const std::uint64_t before = peak_resident_bytes();
  EXPECT_GT(before, std::uint64_t{1} << 20);
  // More than was ever resident before, touched page by page.
  std::vector<char> memory(static_cast<std::size_t>(before) + (std::size_t{32} << 20));
  std::memset(memory.data(), 1, memory.size());
  EXPECT_GE(peak_resident_bytes(), memory.size() - (std::size_t{1} << 20)) << memory[before];
}

}  // namespace
}  // namespace diskann
