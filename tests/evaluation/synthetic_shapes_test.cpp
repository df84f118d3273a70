#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "diskann/evaluation.hpp"
#include "distance/reference.hpp"
#include "io/checksum.hpp"

namespace diskann {
namespace {

constexpr SyntheticShape kShapes[] = {SyntheticShape::Plain, SyntheticShape::Unit,     SyntheticShape::LogNormal,
                                      SyntheticShape::Decay, SyntheticShape::Outliers, SyntheticShape::Duplicates};
constexpr std::size_t kRows = 2050, kQueries = 150, kDimension = 24;

SyntheticOptions options_of(SyntheticShape shape, VectorType type = VectorType::F32, std::uint32_t clusters = 20) {
  SyntheticOptions options;
  options.rows = kRows;
  options.queries = kQueries;
  options.dimension = kDimension;
  options.clusters = clusters;
  options.spread = 0.2f;
  options.type = type;
  options.shape = shape;
  return options;
}

double at(const VectorSet& set, std::size_t row, std::size_t d) {
  return distance::component(set.row(row), set.type(), d);
}

double norm_of(const VectorSet& set, std::size_t row) {
  double squares = 0;
  for (std::size_t d = 0; d < set.dimension(); ++d) squares += at(set, row, d) * at(set, row, d);
  return std::sqrt(squares);
}

std::uint64_t checksum_of(const VectorSet& set) { return io::checksum({set.row(0), set.rows() * set.row_bytes()}); }
std::uint64_t checksum_of(const SyntheticSet& set) {
  return checksum_of(set.vectors) ^ base::mix(checksum_of(set.queries)) ^
         base::mix(io::checksum(std::as_bytes(std::span(set.labels))));
}

/// A set, and the rows it was made from with the origin where the shapes have it: Plain, whose cube they move.
struct Shaped {
  explicit Shaped(SyntheticShape shape, std::uint32_t clusters = 20)
      : set(generate_clustered(options_of(shape, VectorType::F32, clusters))),
        plain(generate_clustered(options_of(SyntheticShape::Plain, VectorType::F32, clusters))),
        moved(clusters == 0 ? 0.0 : 0.5) {}
  double drawn(std::size_t row, std::size_t d) const { return at(plain.vectors, row, d) - moved; }
  double drawn_norm(std::size_t row) const {
    double squares = 0;
    for (std::size_t d = 0; d < kDimension; ++d) squares += drawn(row, d) * drawn(row, d);
    return std::sqrt(squares);
  }
  /// The one factor between a row and what it was made from.
  double factor(std::size_t row) const {
    const double factor = norm_of(set.vectors, row) / drawn_norm(row);
    for (std::size_t d = 0; d < kDimension; ++d) {
      EXPECT_NEAR(at(set.vectors, row, d), factor * drawn(row, d), 1e-6 * factor) << row << ' ' << d;
    }
    return factor;
  }
  SyntheticSet set, plain;
  double moved;
};

struct Moments {
  double mean, deviation;
};
template <class Values>
Moments moments_of(const Values& values) {
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / static_cast<double>(values.size());
  for (const double value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / static_cast<double>(values.size()))};
}

TEST(SyntheticShapes, AreTheSameOnEveryMachine) {
  // As in Synthetic.IsTheSameOnEveryMachine: these change only where the generator does.
  const auto checksum = [](SyntheticShape shape, VectorType type) {
    return checksum_of(generate_clustered(options_of(shape, type)));
  };
  EXPECT_EQ(checksum(SyntheticShape::Plain, VectorType::F32), 0xCEE4C542772AFF33u);
  EXPECT_EQ(checksum(SyntheticShape::Plain, VectorType::U8), 0xE1AC7544F2C4AD7Du);
  EXPECT_EQ(checksum(SyntheticShape::Unit, VectorType::F32), 0xB1DA28A40092371Fu);
  EXPECT_EQ(checksum(SyntheticShape::Unit, VectorType::U8), 0x40C1ED4B4CF8877Eu);
  EXPECT_EQ(checksum(SyntheticShape::LogNormal, VectorType::F32), 0x5DDAC56CF51F0357u);
  EXPECT_EQ(checksum(SyntheticShape::LogNormal, VectorType::U8), 0x3AECC34CACA9F3D0u);
  EXPECT_EQ(checksum(SyntheticShape::Decay, VectorType::F32), 0xEE7373204CE9E5ACu);
  EXPECT_EQ(checksum(SyntheticShape::Decay, VectorType::U8), 0xB3F1B662A47C1E8Au);
  EXPECT_EQ(checksum(SyntheticShape::Outliers, VectorType::F32), 0xDA9F747E1961A13Eu);
  EXPECT_EQ(checksum(SyntheticShape::Outliers, VectorType::U8), 0x1110D0E9BF291393u);
  EXPECT_EQ(checksum(SyntheticShape::Duplicates, VectorType::F32), 0x46637A9E679637AEu);
  EXPECT_EQ(checksum(SyntheticShape::Duplicates, VectorType::U8), 0xAC2791A1D2DCB647u);
}

TEST(SyntheticShapesThreads, DoNotChangeTheVectors) {
  for (const SyntheticShape shape : kShapes) {
    std::set<std::uint64_t> checksums;
    for (const unsigned threads : {1u, 2u, 3u}) {
      Execution execution;
      execution.threads = threads;
      checksums.insert(checksum_of(generate_clustered(options_of(shape), execution)));
    }
    EXPECT_EQ(checksums.size(), 1u) << to_string(shape);
  }
}

TEST(SyntheticShapes, DifferAndDependOnTheSeed) {
  std::set<std::uint64_t> checksums;
  for (const SyntheticShape shape : kShapes) {
    SyntheticOptions options = options_of(shape);
    for (options.seed = 1; options.seed <= 3; ++options.seed) {
      checksums.insert(checksum_of(generate_clustered(options).vectors));
    }
  }
  EXPECT_EQ(checksums.size(), std::size(kShapes) * 3);
}

TEST(SyntheticShapes, HaveQueriesThatContinueTheRows) {
  for (const SyntheticShape shape : kShapes) {
    const SyntheticSet set = generate_clustered(options_of(shape));
    ASSERT_EQ(set.queries.rows(), kQueries);
    ASSERT_EQ(set.labels.size(), kRows);
    // Those of LogNormal are not scaled, those of Duplicates not repeated.
    SyntheticOptions longer = options_of(shape == SyntheticShape::Duplicates ? SyntheticShape::Plain : shape);
    longer.rows += kQueries;
    longer.queries = 0;
    const SyntheticSet rows = generate_clustered(longer);
    const bool same = std::memcmp(rows.vectors.row(kRows), set.queries.row(0), kQueries * kDimension * 4) == 0;
    EXPECT_EQ(same, shape != SyntheticShape::LogNormal) << to_string(shape);
  }
}

TEST(SyntheticShapes, WithoutClustersAreNormalAboutTheOrigin) {
  const SyntheticSet set = generate_clustered(options_of(SyntheticShape::Plain, VectorType::F32, 0));
  const VectorStatistics statistics = analyze_vectors(set.vectors);
  EXPECT_NEAR(statistics.mean, 0, 5 * 0.2 / std::sqrt(kRows * kDimension));
  EXPECT_NEAR(statistics.standard_deviation, 0.2, 0.005);
  EXPECT_EQ(*std::max_element(set.labels.begin(), set.labels.end()), 0u);
  for (std::size_t d = 0; d < kDimension; ++d) {  // no component tells of another, nor has a centre of its own
    double sum = 0, product = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
      sum += at(set.vectors, i, d);
      product += at(set.vectors, i, d) * at(set.vectors, i, (d + 1) % kDimension);
    }
    EXPECT_NEAR(sum / kRows, 0, 5 * 0.2 / std::sqrt(kRows));
    EXPECT_NEAR(product / kRows, 0, 5 * 0.04 / std::sqrt(kRows));
  }
}

TEST(SyntheticShapes, UnitRowsHaveLengthOne) {
  for (const std::uint32_t clusters : {0u, 20u}) {
    const Shaped shaped(SyntheticShape::Unit, clusters);
    for (std::size_t i = 0; i < kRows; ++i) {
      ASSERT_NEAR(norm_of(shaped.set.vectors, i), 1, 0x1p-23);  // each component is rounded by 2^-24 of it at most
      ASSERT_NEAR(shaped.factor(i) * shaped.drawn_norm(i), 1, 1e-6);
    }
    for (std::size_t i = 0; i < kQueries; ++i) ASSERT_NEAR(norm_of(shaped.set.queries, i), 1, 0x1p-23);
    // About the origin: directions of all kinds, not those of the positive cube alone.
    EXPECT_NEAR(analyze_vectors(shaped.set.vectors).mean, 0, 0.1);
  }
}

TEST(SyntheticShapes, UnitRowsHaveLengthOneWhereZeroWasDrawn) {
  SyntheticOptions options;
  options.rows = 1'000'000;
  options.dimension = 1;
  options.clusters = 0;
  EXPECT_GT(analyze_vectors(generate_clustered(options).vectors).zero_vectors, 0u);
  options.shape = SyntheticShape::Unit;
  const VectorStatistics statistics = analyze_vectors(generate_clustered(options).vectors);
  EXPECT_EQ(statistics.smallest_norm, 1);
  EXPECT_EQ(statistics.largest_norm, 1);
  EXPECT_NEAR(statistics.mean, 0, 0.005);
}

TEST(SyntheticShapes, LogNormalRowsAreScaledButNotTheirQueries) {
  for (const std::uint32_t clusters : {0u, 20u}) {
    const Shaped shaped(SyntheticShape::LogNormal, clusters);
    std::vector<double> logarithms;
    for (std::size_t i = 0; i < kRows; ++i) logarithms.push_back(std::log(shaped.factor(i)));
    const Moments moments = moments_of(logarithms);
    EXPECT_NEAR(moments.mean, 0, 5 * 0.7 / std::sqrt(kRows));
    EXPECT_NEAR(moments.deviation, 0.7, 5 * 0.7 / std::sqrt(2 * kRows));
    std::sort(logarithms.begin(), logarithms.end());
    for (const auto& [quantile, normal] : {std::pair{0.0228, -2.0}, {0.1587, -1.0}, {0.8413, 1.0}, {0.9772, 2.0}}) {
      EXPECT_NEAR(logarithms[static_cast<std::size_t>(quantile * kRows)], 0.7 * normal, 0.2) << normal;
    }
    for (std::size_t i = 0; i < kQueries; ++i) {
      for (std::size_t d = 0; d < kDimension; ++d) {
        ASSERT_NEAR(at(shaped.set.queries, i, d), at(shaped.plain.queries, i, d) - shaped.moved, 1e-6);
      }
    }
  }
}

TEST(SyntheticShapes, DecayingComponentsFallByThePowerOfTheirNumber) {
  for (const std::uint32_t clusters : {0u, 20u}) {
    const Shaped shaped(SyntheticShape::Decay, clusters);
    for (std::size_t d = 0; d < kDimension; ++d) {
      const double factor = std::pow(static_cast<double>(d) + 1, -0.75);
      for (std::size_t i = 0; i < kRows; ++i) {
        ASSERT_NEAR(at(shaped.set.vectors, i, d), factor * shaped.drawn(i, d), 1e-7) << i << ' ' << d;
      }
    }
  }
}

TEST(SyntheticShapes, OutliersAreFewAndFarFromTheBlob) {
  for (const std::uint32_t clusters : {0u, 20u}) {
    const Shaped shaped(SyntheticShape::Outliers, clusters);
    std::size_t outliers = 0;
    std::set<std::uint32_t> clusters_of_outliers;
    for (std::size_t i = 0; i < kRows; ++i) {
      const double factor = shaped.factor(i);
      const bool outlier = factor > 0.5;
      ASSERT_NEAR(factor, outlier ? 1.0 : 1.0 / 32, 1e-5);
      if (outlier) clusters_of_outliers.insert(shaped.set.labels[i]);
      outliers += outlier ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(outliers), kRows / 20.0, 5 * std::sqrt(kRows * 0.05 * 0.95));
    EXPECT_GE(clusters_of_outliers.size(), clusters == 0 ? 1u : 15u);  // chance, not the cluster, throws them out
  }
}

TEST(SyntheticShapes, DuplicatesStandAHundredTimes) {
  for (const VectorType type : {VectorType::F32, VectorType::U8}) {
    SyntheticOptions options = options_of(SyntheticShape::Duplicates, type);
    const SyntheticSet set = generate_clustered(options);
    const SyntheticSet plain = generate_clustered(options_of(SyntheticShape::Plain, type));
    EXPECT_EQ(analyze_vectors(set.vectors).duplicates, kRows - 21);
    EXPECT_EQ(analyze_vectors(set.queries).duplicates, 0u);
    for (std::size_t i = 0; i < kRows; ++i) {
      ASSERT_EQ(std::memcmp(set.vectors.row(i), plain.vectors.row(i % 21), set.vectors.row_bytes()), 0) << i;
      ASSERT_EQ(set.labels[i], plain.labels[i % 21]);
    }
  }
  for (const std::uint64_t rows : {1u, 99u, 100u, 101u, 200u}) {
    SyntheticOptions options = options_of(SyntheticShape::Duplicates);
    options.rows = rows;
    EXPECT_EQ(analyze_vectors(generate_clustered(options).vectors).duplicates, rows - (rows + 99) / 100) << rows;
  }
}

TEST(SyntheticShapes, HaveTheSameLabelsInEveryType) {
  const std::vector<std::uint32_t> labels = generate_clustered(options_of(SyntheticShape::Plain)).labels;
  for (const SyntheticShape shape : kShapes) {
    if (shape == SyntheticShape::Duplicates) continue;
    for (const VectorType type : {VectorType::F32, VectorType::F16, VectorType::I8, VectorType::U8}) {
      EXPECT_EQ(generate_clustered(options_of(shape, type)).labels, labels) << to_string(shape);
    }
  }
}

TEST(SyntheticShapes, FillTheRangeOfBytes) {
  for (const SyntheticShape shape : kShapes) {
    for (const std::uint32_t clusters : {0u, 20u}) {
      const bool in_cube = clusters != 0 && (shape == SyntheticShape::Plain || shape == SyntheticShape::Duplicates);
      double range = 8 * std::sqrt(0.04 + (clusters == 0 ? 0.0 : 1.0 / 12));
      if (shape == SyntheticShape::LogNormal) range *= 4;
      if (shape == SyntheticShape::Unit) range = 8 / std::sqrt(kDimension);
      const SyntheticSet real = generate_clustered(options_of(shape, VectorType::F32, clusters));
      const SyntheticSet i8 = generate_clustered(options_of(shape, VectorType::I8, clusters));
      const SyntheticSet u8 = generate_clustered(options_of(shape, VectorType::U8, clusters));
      std::size_t clamped = 0;
      for (std::size_t i = 0; i < kRows + kQueries; ++i) {
        const auto value = [i](const SyntheticSet& set, std::size_t d) {
          return i < kRows ? at(set.vectors, i, d) : at(set.queries, i - kRows, d);
        };
        for (std::size_t d = 0; d < kDimension; ++d) {
          const double scaled = 255 * (in_cube ? value(real, d) : value(real, d) / range + 0.5);
          ASSERT_NEAR(value(u8, d), std::clamp(scaled, 0.0, 255.0), 0.501) << to_string(shape);
          ASSERT_EQ(value(i8, d), value(u8, d) - 128);
          clamped += scaled < -0.5 || scaled > 255.5 ? 1 : 0;
        }
      }
      // The cube is left by what spreads out of it; else next to nothing is lost, and most of the range is used.
      const double allowed = in_cube ? 1 : 0.005;
      EXPECT_LE(static_cast<double>(clamped), allowed * (kRows + kQueries) * kDimension) << to_string(shape);
      const VectorStatistics statistics = analyze_vectors(u8.vectors);
      EXPECT_GT(statistics.largest - statistics.smallest, 150) << to_string(shape);
    }
  }
}

TEST(SyntheticShapes, RefuseALogNormalSpreadThatHalfPrecisionCannotHold) {
  const auto refused = [](SyntheticShape shape, VectorType type, float spread) {
    SyntheticOptions options = options_of(shape, type);
    options.spread = spread;
    try {
      generate_clustered(options);
    } catch (const Error& error) {
      return error.code() == ErrorCode::InvalidArgument;
    }
    return false;
  };
  EXPECT_TRUE(refused(SyntheticShape::LogNormal, VectorType::F16, 101));
  EXPECT_FALSE(refused(SyntheticShape::LogNormal, VectorType::F16, 100));
  EXPECT_FALSE(refused(SyntheticShape::LogNormal, VectorType::F32, 1000));
  EXPECT_FALSE(refused(SyntheticShape::Plain, VectorType::F16, 1000));
  EXPECT_LT((0.5 + 100 * 6) * std::exp(0.7 * 6), 65'504);  // the largest number that can be drawn, and of f16
}

TEST(SyntheticShapes, HaveNames) {
  for (const SyntheticShape shape : kShapes) EXPECT_EQ(parse_synthetic_shape(to_string(shape)), shape);
  for (const char* name : {"", "Plain", "unit ", "gaussian"}) {
    try {
      parse_synthetic_shape(name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      for (const SyntheticShape shape : kShapes) {
        EXPECT_NE(error.hint().find(to_string(shape)), std::string::npos) << to_string(shape);
      }
    }
  }
}

}  // namespace
}  // namespace diskann
