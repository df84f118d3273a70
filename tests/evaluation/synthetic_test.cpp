#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>

#include "diskann/evaluation.hpp"
#include "distance/reference.hpp"
#include "io/checksum.hpp"
#include "tests/evaluation/oracle.hpp"

namespace diskann {
namespace {

SyntheticOptions options_of(VectorType type) {
  SyntheticOptions options;
  options.rows = 2000;
  options.dimension = 24;
  options.clusters = 20;
  options.type = type;
  return options;
}

std::uint64_t checksum_of(const SyntheticSet& set) {
  const std::uint64_t rows = io::checksum({set.vectors.row(0), set.vectors.rows() * set.vectors.row_bytes()});
  const std::span<const std::uint32_t> labels(set.labels);
  return rows ^ io::checksum(std::as_bytes(labels));
}

TEST(Synthetic, IsTheSameOnEveryMachine) {
  // These change only where the generator does; then every figure made with it is void.
  EXPECT_EQ(checksum_of(generate_clustered(options_of(VectorType::F32))), 0x549EDFECC5807A72u);
  EXPECT_EQ(checksum_of(generate_clustered(options_of(VectorType::F16))), 0x673F3602714F1B83u);
  EXPECT_EQ(checksum_of(generate_clustered(options_of(VectorType::I8))), 0x23200D69CBE105C5u);
  EXPECT_EQ(checksum_of(generate_clustered(options_of(VectorType::U8))), 0x67EBB117020D33B6u);
}

TEST(SyntheticThreads, DoNotChangeTheVectors) {
  const auto checksum = [](unsigned threads) {
    Execution execution;
    execution.threads = threads;
    return checksum_of(generate_clustered(options_of(VectorType::F32), execution));
  };
  const std::uint64_t one = checksum(1);
  for (const unsigned threads : {2u, 3u, 5u}) EXPECT_EQ(checksum(threads), one) << threads;
}

TEST(Synthetic, DependsOnTheSeed) {
  SyntheticOptions options = options_of(VectorType::F32);
  const std::uint64_t first = checksum_of(generate_clustered(options));
  options.seed = 43;
  EXPECT_NE(checksum_of(generate_clustered(options)), first);
}

TEST(Synthetic, LongerSetsStartWithTheShorterOnes) {
  SyntheticOptions options = options_of(VectorType::F32);
  const SyntheticSet shorter = generate_clustered(options);
  options.rows = 2500;
  const SyntheticSet longer = generate_clustered(options);
  EXPECT_TRUE(std::equal(shorter.labels.begin(), shorter.labels.end(), longer.labels.begin()));
  EXPECT_EQ(std::memcmp(shorter.vectors.row(0), longer.vectors.row(0), 2000 * shorter.vectors.row_bytes()), 0);
}

TEST(Synthetic, RowsLieAroundTheCentreOfTheirLabel) {
  SyntheticOptions options = options_of(VectorType::F32);
  options.rows = 20'000;
  const SyntheticSet set = generate_clustered(options);
  std::vector<double> sums(20 * 24), counts(20);
  for (std::size_t i = 0; i < options.rows; ++i) {
    ASSERT_LT(set.labels[i], 20u);
    ++counts[set.labels[i]];
    for (std::size_t d = 0; d < 24; ++d) {
      sums[set.labels[i] * 24 + d] += distance::component(set.vectors.row(i), VectorType::F32, d);
    }
  }
  for (const double count : counts) EXPECT_NEAR(count, 1000, 150);  // five standard deviations
  double squares = 0, smallest = 1, largest = 0;
  for (std::size_t c = 0; c < 20 * 24; ++c) {
    sums[c] /= counts[c / 24];
    smallest = std::min(smallest, sums[c]);
    largest = std::max(largest, sums[c]);
  }
  for (std::size_t i = 0; i < options.rows; ++i) {
    for (std::size_t d = 0; d < 24; ++d) {
      const double apart = distance::component(set.vectors.row(i), VectorType::F32, d) - sums[set.labels[i] * 24 + d];
      squares += apart * apart;
    }
  }
  EXPECT_NEAR(std::sqrt(squares / (20'000.0 * 24)), 0.1, 0.001);
  EXPECT_NEAR(smallest, 0, 0.05);  // centres fill the unit cube
  EXPECT_NEAR(largest, 1, 0.05);
}

TEST(Synthetic, TypesHoldTheSameVectorsScaled) {
  const SyntheticSet real = generate_clustered(options_of(VectorType::F32));
  for (const VectorType type : {VectorType::F16, VectorType::I8, VectorType::U8}) {
    const SyntheticSet set = generate_clustered(options_of(type));
    ASSERT_EQ(set.vectors.type(), type);
    ASSERT_EQ(set.labels, real.labels);
    bool clamped_below = false, clamped_above = false;
    for (std::size_t i = 0; i < 2000; ++i) {
      for (std::size_t d = 0; d < 24; ++d) {
        const double value = distance::component(real.vectors.row(i), VectorType::F32, d);
        const double stored = distance::component(set.vectors.row(i), type, d);
        if (type == VectorType::F16) {
          ASSERT_NEAR(stored, value, 0.001);
          continue;
        }
        const double byte = std::min(255.0, std::max(0.0, value * 255));
        clamped_below = clamped_below || value * 255 < -1;
        clamped_above = clamped_above || value * 255 > 256;
        ASSERT_NEAR(stored + (type == VectorType::I8 ? 128 : 0), byte, 0.5001);
      }
    }
    EXPECT_EQ(clamped_below && clamped_above, type != VectorType::F16);
  }
}

TEST(Synthetic, WithoutSpreadRepeatsTheCentres) {
  SyntheticOptions options = options_of(VectorType::F32);
  options.spread = 0;
  options.clusters = 3;
  EXPECT_EQ(analyze_vectors(generate_clustered(options).vectors).duplicates, 1997u);
}

TEST(Synthetic, RefusesOptionsThatCannotBeRight) {
  const auto refused = [](auto change) {
    SyntheticOptions options;
    change(options);
    try {
      generate_clustered(options);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  EXPECT_EQ(refused([](auto& o) { o.rows = 0; }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.dimension = 0; }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.dimension = 65'536; }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.clusters = 0, o.spread = 0; }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.queries = kNoId; }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.spread = -1; }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.spread = std::numeric_limits<float>::quiet_NaN(); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(refused([](auto& o) { o.rows = kNoId; }), ErrorCode::OutOfMemory);
}

}  // namespace
}  // namespace diskann
