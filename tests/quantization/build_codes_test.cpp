#include "quantization/build_codes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "distance/kernels.hpp"
#include "distance/reference.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::quantization {
namespace {

std::optional<BuildCodes> encode(Distance metric, const base::RowStore& store, std::vector<float>& norms,
                                 unsigned threads = 2) {
  Execution execution;
  execution.threads = threads;
  base::ThreadTeam team(execution);
  norms.resize(store.view().rows);
  distance::inverse_norms(store, 0, norms.size(), norms.data());
  return encode_for_building(metric, store, metric == Distance::Cosine ? norms.data() : nullptr, team);
}

TEST(BuildCodes, KeepTheOrderOfDistancesUpToASmallError) {
  for (const VectorType type : {VectorType::F32, VectorType::F16}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      const base::RowStore store = doubles::store_of(doubles::clustered(type, 600, 48, 3));
      std::vector<float> norms;
      const auto codes = encode(metric, store, norms);
      ASSERT_TRUE(codes.has_value()) << to_string(type) << ' ' << to_string(metric);
      EXPECT_EQ(codes->metric, metric == Distance::InnerProduct ? metric : Distance::L2);
      // One factor takes distances of codes to those of rows: the correlation over pairs says how well.
      double xy = 0, xx = 0, yy = 0, mx = 0, my = 0;
      const std::size_t pairs = 599;
      std::vector<double> x, y;
      for (std::size_t i = 1; i <= pairs; ++i) {
        x.push_back(distance::reference_distance(metric, store.view().row(i - 1), type, store.view().row(i), type, 48));
        const base::RowsView& rows = codes->rows.view();
        y.push_back(
            distance::reference_distance(codes->metric, rows.row(i - 1), rows.type, rows.row(i), rows.type, 48));
        mx += x.back() / pairs;
        my += y.back() / pairs;
      }
      for (std::size_t i = 0; i < pairs; ++i) {
        xy += (x[i] - mx) * (y[i] - my);
        xx += (x[i] - mx) * (x[i] - mx);
        yy += (y[i] - my) * (y[i] - my);
      }
      EXPECT_GE(xy / std::sqrt(xx * yy), 0.999) << to_string(type) << ' ' << to_string(metric);
    }
  }
}

TEST(BuildCodes, AreRefusedWhereRowsWouldBecomeEqual) {
  // Tight clusters far apart: a grid over all of the space is coarser than a cluster.
  base::Random random(5);
  VectorSet tight(VectorType::F32, 500, 16);
  for (std::size_t i = 0; i < 500; ++i) {
    for (std::size_t j = 0; j < 16; ++j) {
      const double centre = static_cast<double>(base::mix(i % 20 * 16 + j) % 1000);
      reinterpret_cast<float*>(tight.row(i))[j] = static_cast<float>(centre + random.uniform());
    }
  }
  std::vector<float> norms;
  EXPECT_FALSE(encode(Distance::L2, doubles::store_of(tight), norms).has_value());
  // All rows equal, or a single one: there is no range.
  EXPECT_FALSE(encode(Distance::L2, doubles::store_of(VectorSet(VectorType::F32, 50, 8)), norms).has_value());
  EXPECT_FALSE(encode(Distance::InnerProduct, doubles::store_of(VectorSet(VectorType::F32, 50, 8)), norms).has_value());
  EXPECT_FALSE(
      encode(Distance::L2, doubles::store_of(doubles::clustered(VectorType::F32, 1, 8, 1)), norms).has_value());
}

TEST(BuildCodes, AreRefusedWhereSmallRowsWouldVanish) {
  // By inner product the grid is that of the largest component.
  VectorSet wide = doubles::clustered(VectorType::F32, 2000, 16, 5, 2000);
  for (std::size_t i = 0; i < 2000; i += 50) {
    for (std::size_t j = 0; j < 16; ++j) reinterpret_cast<float*>(wide.row(i))[j] *= 1000.0f;
  }
  std::vector<float> norms;
  EXPECT_FALSE(encode(Distance::InnerProduct, doubles::store_of(wide), norms).has_value());
  EXPECT_FALSE(encode(Distance::L2, doubles::store_of(wide), norms).has_value());
  EXPECT_TRUE(encode(Distance::Cosine, doubles::store_of(wide), norms).has_value()) << "rows are scaled to length 1";
}

TEST(BuildCodes, AreRefusedForAFewRowsThatLieCloserThanTheGridCanTell) {
  // One row of 25, and, where a sample at regular distances would not see them, every second row.
  for (const std::size_t every : {std::size_t{25}, std::size_t{2}}) {
    for (const double width : {1e-3, 1e-2}) {
      base::Random random(6);
      VectorSet rows(VectorType::F32, 4096, 32);
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        const bool tight = i % every == 1;
        for (std::size_t j = 0; j < 32; ++j) {
          const double value = tight ? 0.5 + width * random.normal() : random.normal();
          reinterpret_cast<float*>(rows.row(i))[j] = static_cast<float>(value);
        }
      }
      std::vector<float> norms;
      EXPECT_FALSE(encode(Distance::L2, doubles::store_of(rows), norms).has_value()) << every << ", " << width;
    }
  }
}

TEST(BuildCodes, AreMadeOfRowsFarFromTheOrigin) {
  VectorSet rows = doubles::clustered(VectorType::F32, 2000, 24, 4);
  for (std::size_t i = 0; i < rows.rows(); ++i)
    for (std::size_t j = 0; j < 24; ++j) reinterpret_cast<float*>(rows.row(i))[j] += 5000.0f;
  std::vector<float> norms;
  EXPECT_TRUE(encode(Distance::L2, doubles::store_of(rows), norms).has_value());
}

TEST(BuildCodes, AreNotMadeOfRowsThatAreEightBitsAlready) {
  std::vector<float> norms;
  EXPECT_FALSE(
      encode(Distance::L2, doubles::store_of(doubles::clustered(VectorType::U8, 50, 8, 1)), norms).has_value());
  EXPECT_FALSE(
      encode(Distance::L2, doubles::store_of(doubles::clustered(VectorType::I8, 50, 8, 1)), norms).has_value());
}

TEST(BuildCodes, AreTheSameAtEveryThreadCount) {
  const base::RowStore store = doubles::store_of(doubles::clustered(VectorType::F32, 3000, 20, 9));
  std::vector<float> norms;
  const auto one = encode(Distance::Cosine, store, norms, 1);
  const auto five = encode(Distance::Cosine, store, norms, 5);
  ASSERT_TRUE(one && five);
  const base::RowsView &a = one->rows.view(), &b = five->rows.view();
  EXPECT_TRUE(std::equal(a.data, a.data + a.rows * a.stride, b.data));
}

}  // namespace
}  // namespace diskann::quantization
