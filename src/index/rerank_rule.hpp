#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace diskann::index {

/// Says when enough of a list that codes put in order was compared with rows. Exact distances follow those by codes
/// along a line with some spread; both are fitted to what was compared of this very list, and a candidate whose
/// distance would have to lie further below the line than nearly all do is not worth looking at, nor are those behind
/// it.
class RerankRule {
 public:
  /// Candidates to compare first, and at once later on.
  static constexpr std::size_t first(std::size_t k) noexcept { return std::max<std::size_t>(8, (k + 5) / 4 * 4); }
  static constexpr std::size_t kNext = 4;

  void add(float by_code, float exact) noexcept {
    if (count_ == 0) code_zero_ = by_code, exact_zero_ = exact;
    const double x = by_code - code_zero_, y = exact - exact_zero_;
    ++count_;
    x_ += x;
    y_ += y;
    xx_ += x * x;
    xy_ += x * y;
    yy_ += y * y;
  }
  /// How far below the line a candidate must have to lie to be given up, in spreads: nearly none does.
  static constexpr double kSpreads = 3.5;

  /// Whether a candidate may be nearer than `farthest`.
  bool may_be_near(float by_code, float farthest, double spreads = kSpreads) const noexcept {
    const auto n = static_cast<double>(count_);
    const double xx = xx_ - x_ * x_ / n, xy = xy_ - x_ * y_ / n, yy = yy_ - y_ * y_ / n;
    const double slope = xx > 0 ? std::max(0.0, xy / xx) : 0.0;
    const double spread = std::sqrt(std::max(0.0, yy - slope * xy) / std::max(1.0, n - 2));
    const double expected = exact_zero_ + y_ / n + slope * (by_code - code_zero_ - x_ / n);
    return !(expected - spreads * spread > static_cast<double>(farthest));
  }

 private:
  std::size_t count_ = 0;
  double code_zero_ = 0, exact_zero_ = 0;  // sums of differences to the first lose less to rounding
  double x_ = 0, y_ = 0, xx_ = 0, xy_ = 0, yy_ = 0;
};

/// Says when a walk by codes whose hops cost reads is over, however many candidates its list still has: by the same
/// rule, of the nodes it went through, with half the spreads but up to a distance farther out, since what lies behind a
/// node may be nearer than that. Both grow with `spreads`: how much further a walk must go for a hard query is a matter
/// of the graph, and says itself in distances, not in what codes are off by.
class WalkRule {
 public:
  void begin(std::size_t k, double spreads) noexcept {
    k_ = k;
    spreads_ = spreads / 2;
    farther_ = static_cast<float>(kFarther * spreads);
    rule_ = {};
    walked_ = 0;
    nearest_.clear();
  }
  /// A node that was expanded.
  void add(float by_code, float exact) noexcept {
    rule_.add(by_code, exact);
    ++walked_;
  }
  /// A row whose distance is known, once for each.
  void found(float exact) {
    if (nearest_.size() == k_ && exact >= nearest_.back()) return;
    nearest_.insert(std::upper_bound(nearest_.begin(), nearest_.end(), exact), exact);
    if (nearest_.size() > k_) nearest_.pop_back();
  }
  bool is_worth_expanding(float by_code) const noexcept {
    if (walked_ < kLeast || nearest_.size() < k_) return true;
    const float farthest = nearest_.back() + farther_ * std::abs(nearest_.back());
    return rule_.may_be_near(by_code, farthest, spreads_);
  }

 private:
  static constexpr double kFarther = 0.035;  // of the distance of the k-th nearest, for each spread
  static constexpr std::size_t kLeast = 8;
  RerankRule rule_;
  double spreads_ = 0;
  float farther_ = 0;
  std::size_t k_ = 1, walked_ = 0;
  std::vector<float> nearest_;
};

}  // namespace diskann::index
