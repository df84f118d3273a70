#include "index/dense_scan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.hpp"
#include "distance/reference.hpp"

namespace diskann::index {
namespace {

/// A batch this large pays for reading and laying out every row once a batch; less of it was up to a tenth slower,
/// more gained nothing.
constexpr std::size_t kLeftBytes = std::size_t{1} << 20;
/// A block this large stays in the second-level cache while the batch passes over it.
constexpr std::size_t kRightBytes = std::size_t{256} << 10;
/// Queries of one product: its results stay in the first-level cache until they are looked at.
constexpr std::size_t kLanes = 32;
/// Rows that the widest tiles take at a time.
constexpr std::size_t kRowStep = 48;
/// Blocks that a crowded query leaves to the direct kernels: more each time, so that data in which all rows are alike
/// costs little more than without tiles.
constexpr std::size_t kFirstPause = 8, kMostPause = 64;
constexpr std::size_t kCenterRows = 256;  // whose mean is taken
/// So many queries pay for coding every row.
constexpr std::size_t kLeastCoded = 32;
/// After so many rows it shows whether codes pay: not where more than one in so many is compared once more.
constexpr std::size_t kTrialRows = 8192, kMostNear = 5;

/// Bytes of a row laid out in its own form, at most.
std::size_t tile_row_bytes(const ScannedRows& scanned) noexcept {
  const bool integers = scanned.rows.type() == VectorType::U8 || scanned.rows.type() == VectorType::I8;
  return base::round_up(scanned.rows.dimension() * (integers ? 2 : 4), 64);
}

}  // namespace

std::size_t DenseScan::most_queries(const ScannedRows& scanned) noexcept {
  const bool coded = distance::RowCodes::pay(scanned.rows.type(), scanned.rows.dimension());
  const std::size_t bytes = coded ? base::round_up(scanned.rows.dimension(), 64) : tile_row_bytes(scanned);
  return base::round_up(std::clamp<std::size_t>(kLeftBytes / bytes, 32, coded ? 1024 : 512), kLanes);
}

std::size_t DenseScan::block_rows(const ScannedRows& scanned) noexcept {
  const std::size_t rows = std::clamp<std::size_t>(kRightBytes / tile_row_bytes(scanned), kRowStep, 10 * kRowStep);
  return rows / kRowStep * kRowStep;
}

std::vector<float> DenseScan::find_center(const ScannedRows& scanned) {
  const VectorView& rows = scanned.rows;
  if (scanned.metric != Distance::L2) return {};
  // Rows drawn at random: those at regular places may be of one kind.
  base::Random random(1);
  std::vector<double> sums(rows.dimension());
  const std::size_t count = std::min(kCenterRows, rows.rows());
  for (std::size_t i = 0; i < count; ++i) {
    const std::byte* const row = rows.row(random.below(rows.rows()));
    for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += distance::component(row, rows.type(), j);
  }
  std::vector<float> center(base::round_up(sums.size(), distance::TileBlock::kPanel));
  std::transform(sums.begin(), sums.end(), center.begin(),
                 [&](double sum) { return static_cast<float>(sum / static_cast<double>(count)); });
  return center;
}

DenseScan::DenseScan(const ScannedRows& scanned, const std::vector<float>& center, std::size_t queries)
    : scanned_(scanned),
      center_(center),
      window_(scanned, block_rows(scanned)),
      queries_(queries, scanned.rows.dimension()),
      lanes_(queries),
      selection_(distance::selection()),
      left_codes_(scanned.metric),
      right_codes_(scanned.metric),
      codes_pay_(distance::RowCodes::pay(scanned.rows.type(), scanned.rows.dimension())),
      tile_(kLanes * block_rows(scanned)),
      positions_(block_rows(scanned) + distance::TileBlock::kPanel) {}

void DenseScan::prepare(const VectorView& queries) {
  queries_.prepare(queries, scanned_.rows.type());
  std::fill(lanes_.begin(), lanes_.end(), Lane{});
  // Rows of integers are compared as such if all queries are; f32 and f16 have no form but f32.
  form_ = queries_[0].form;
  for (std::size_t i = 1; i < queries.rows(); ++i) {
    if (queries_[i].form != form_) form_ = VectorType::F32;
  }
  given_ = queries;
  const bool floats = queries.type() == VectorType::F32 || queries.type() == VectorType::F16;
  coded_ = codes_pay_ && floats && queries.rows() >= kLeastCoded;
  load_queries();
}

void DenseScan::load_queries() {
  const std::size_t count = given_.rows(), dimension = given_.dimension();
  const VectorType type = form_ == VectorType::F32 ? given_.type() : form_;
  base::RowStore rows(type, count, dimension);
  std::vector<float> inverse_norms(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (form_ == VectorType::F32) {
      base::copy_row(given_, i, rows.row(i));
    } else {
      std::copy_n(queries_[i].data, dimension * size_of(form_), rows.row(i));
    }
    inverse_norms[i] = queries_[i].inverse_norm;
  }
  const bool cosine = scanned_.metric == Distance::Cosine;
  distance::TileSource source{rows, cosine ? inverse_norms.data() : nullptr, nullptr, 0, count};
  if (form_ == VectorType::F32 && !center_.empty()) source.center = center_.data();
  if (coded_) {
    tiles_ = &distance::RowCodes::tiles();
    left_codes_.encode(source);
    tiles_->load(left_codes_.codes(), false, left_);
  } else {
    tiles_ = &distance::tiles(scanned_.metric, scanned_.rows.type(), form_);
    distance::tiles(scanned_.metric, type, form_).load(source, false, left_);
  }
  left_holds_ = !cosine || hold_cosines(inverse_norms.data(), count);
}

bool DenseScan::hold_cosines(const float* inverse_norms, std::size_t count) const noexcept {
  return std::all_of(inverse_norms, inverse_norms + count, distance::tiles_hold_cosines);
}

void DenseScan::compare(std::size_t first, std::size_t count, std::span<NearestRows> nearest) {
  window_.load(first, count);
  const bool holds = load_rows(count);
  for (std::size_t begin = 0; begin < queries_.size(); begin += kLanes) {
    const std::size_t end = std::min(begin + kLanes, queries_.size());
    bool multiply = false;
    for (std::size_t i = begin; i < end; ++i) {
      Lane& lane = lanes_[i];
      lane.direct = !holds || lane.direct_blocks > 0;
      if (lane.direct) continue;
      lane.bound = coded_ ? right_codes_.rounding(left_codes_[i])
                          : distance::tile_error_bound(scanned_.metric, form_, scanned_.rows.dimension(),
                                                       left_.squared_norm(i), right_.largest_squared_norm());
      lane.direct = !std::isfinite(lane.bound);
      multiply |= !lane.direct;
    }
    const std::size_t stride = right_.padded_rows();
    if (multiply) tiles_->multiply(left_, begin, end - begin, right_, tile_.data(), stride);
    for (std::size_t i = begin; i < end; ++i) {
      float* const distances = tile_.data() + (i - begin) * stride;
      if (coded_ && !lanes_[i].direct) {
        compare_codes(i, distances, nearest[i], first, count);
      } else {
        compare_lane(i, distances, nearest[i], first, count);
      }
    }
  }
  if (coded_) judge_codes();
}

/// What may be near enough is compared directly at once, while its row is in the cache.
void DenseScan::compare_codes(std::size_t query, float* products, NearestRows& nearest, std::size_t first,
                              std::size_t count) {
  const auto compare_some = [&](std::size_t near) {
    near_distances_.resize(std::max(near, near_distances_.size()));
    window_.compare_loaded(queries_[query], {positions_.data(), near}, near_distances_.data());
    nearest.offer({near_distances_.data(), near}, positions_.data(), static_cast<base::Slot>(first));
  };
  std::size_t begin = 0;
  while (begin < count && std::isinf(nearest.threshold())) {  // the first k, some at a time: then there is a limit
    const std::size_t some = std::min<std::size_t>(32, count - begin);
    std::iota(positions_.begin(), positions_.begin() + static_cast<std::ptrdiff_t>(some),
              static_cast<std::uint32_t>(begin));
    compare_some(some);
    begin += some;
  }
  if (begin == count) return;
  right_codes_.finish(left_codes_[query], lanes_[query].bound, products);
  const std::size_t near = selection_.within(products + begin, count - begin, nearest.threshold(), positions_.data());
  for (std::size_t i = 0; i < near; ++i) positions_[i] += static_cast<std::uint32_t>(begin);
  compare_some(near);
  seen_ += count - begin;
  near_ += near;
}

/// Goes on in f32 where too many rows are near.
void DenseScan::judge_codes() {
  if (seen_ < kTrialRows * queries_.size() || kMostNear * near_ < seen_) return;
  coded_ = codes_pay_ = false;
  load_queries();
}

/// Lays the window's rows out; false where tiles are not to be used.
bool DenseScan::load_rows(std::size_t count) {
  const auto wants_tiles = [](const Lane& lane) { return lane.direct_blocks == 0; };
  const float* const norms = window_.loaded_norms();
  if (!left_holds_ || (norms != nullptr && !hold_cosines(norms, count)) ||
      std::none_of(lanes_.begin(), lanes_.end(), wants_tiles)) {
    return false;
  }
  distance::TileSource source = window_.source();
  if (form_ == VectorType::F32 && !center_.empty()) source.center = center_.data();
  if (coded_) {
    right_codes_.encode(source);
    source = right_codes_.codes();
  }
  tiles_->load(source, true, right_);
  return true;
}

void DenseScan::compare_lane(std::size_t query, const float* distances, NearestRows& nearest, std::size_t first,
                             std::size_t count) {
  Lane& lane = lanes_[query];
  if (lane.direct) {
    distances = window_.compare(queries_[query]);
    lane.direct_blocks -= lane.direct_blocks > 0 ? 1 : 0;
  } else {
    nearest.widen(lane.bound);
    lane.pause -= lane.pause > 0 ? 1 : 0;
  }
  const std::size_t near = selection_.within(distances, count, nearest.threshold(), positions_.data());
  nearest.offer(distances, count, {positions_.data(), near}, static_cast<base::Slot>(first));
  if (!nearest.crowded()) return;
  settle(query, nearest);
  lane.pause = std::min(2 * lane.pause + kFirstPause, kMostPause);
  lane.direct_blocks = lane.pause;
}

void DenseScan::settle(std::size_t query, NearestRows& nearest) {
  nearest.settle([&](const base::Slot* slots, std::size_t count, float* out) {
    window_.compare(queries_[query], slots, count, out);
  });
}

void DenseScan::settle(std::span<NearestRows> nearest) {
  for (std::size_t i = 0; i < queries_.size(); ++i) settle(i, nearest[i]);
}

}  // namespace diskann::index
