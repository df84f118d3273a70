#include "index/page_order.hpp"

#include <algorithm>
#include <span>

namespace diskann::index {
namespace {

using base::Slot;

/// Lists of neighbours begin with the nearest, as pruning leaves them. Those are what walks look at together; long
/// edges are as many and say less.
std::span<const Slot> near_of(const base::Adjacency& graph, Slot node) {
  constexpr std::size_t kNear = 8;
  const std::span<const Slot> all = graph.neighbors(node);
  return all.first(std::min(all.size(), kNear));
}

/// For each node those that it is near to.
class Backwards {
 public:
  explicit Backwards(const base::Adjacency& graph) : ends_(graph.nodes() + 1) {
    const auto each = [&](const auto& f) {
      for (std::size_t node = 0; node < graph.nodes(); ++node)
        for (const Slot to : near_of(graph, static_cast<Slot>(node))) f(static_cast<Slot>(node), to);
    };
    each([&](Slot, Slot to) { ++ends_[to + std::size_t{1}]; });
    for (std::size_t i = 1; i < ends_.size(); ++i) ends_[i] += ends_[i - 1];
    from_.resize(ends_.back());
    std::vector<std::uint64_t> next(ends_.begin(), ends_.end() - 1);
    each([&](Slot node, Slot to) { from_[next[to]++] = node; });
  }
  std::span<const Slot> to(Slot node) const noexcept {
    return std::span(from_).subspan(ends_[node], ends_[node + std::size_t{1}] - ends_[node]);
  }

 private:
  std::vector<std::uint64_t> ends_;
  std::vector<Slot> from_;
};

class PageFiller {
 public:
  PageFiller(const base::Adjacency& graph, std::size_t records)
      : graph_(graph), backwards_(graph), records_(records), placed_(graph.nodes()), edges_(graph.nodes()) {
    order_.reserve(graph.nodes());
  }
  bool is_done() const noexcept { return order_.size() == graph_.nodes(); }
  const std::vector<Slot>& order() const noexcept { return order_; }

  void fill_page() {
    near_.clear();
    Slot next = next_page();
    for (std::size_t i = 0; i < records_ && !is_done(); ++i) {
      if (i > 0) next = nearest();
      place(next);
    }
    // The likeliest of those that had no room begin the next pages.
    const std::size_t kept = std::min(kBeginnings, near_.size());
    std::partial_sort(near_.begin(), near_.begin() + static_cast<std::ptrdiff_t>(kept), near_.end(),
                      [&](Slot a, Slot b) { return edges_[a] != edges_[b] ? edges_[a] > edges_[b] : a < b; });
    for (const Slot node : near_) edges_[node] = 0;
    beginnings_.insert(beginnings_.end(), near_.begin(), near_.begin() + static_cast<std::ptrdiff_t>(kept));
  }

 private:
  static constexpr std::size_t kBeginnings = 8;

  Slot next_page() {
    for (; first_ < beginnings_.size(); ++first_)
      if (!placed_[beginnings_[first_]]) return beginnings_[first_];
    while (placed_[unplaced_]) ++unplaced_;
    return unplaced_;
  }
  /// Of those with near edges to or from the page the one with most.
  Slot nearest() {
    const auto most = std::max_element(near_.begin(), near_.end(), [&](Slot a, Slot b) {
      return edges_[a] != edges_[b] ? edges_[a] < edges_[b] : a > b;
    });
    return most == near_.end() ? next_page() : *most;
  }
  void place(Slot node) {
    placed_[node] = true;
    order_.push_back(node);
    std::erase(near_, node);
    edges_[node] = 0;
    const auto count = [&](std::span<const Slot> others) {
      for (const Slot other : others) {
        if (placed_[other]) continue;
        if (edges_[other]++ == 0) near_.push_back(other);
      }
    };
    count(near_of(graph_, node));
    count(backwards_.to(node));
  }

  const base::Adjacency& graph_;
  Backwards backwards_;
  std::size_t records_;
  std::vector<Slot> order_;
  std::vector<bool> placed_;
  std::vector<std::uint32_t> edges_;  // with the page under way
  std::vector<Slot> near_;            // those that have some
  std::vector<Slot> beginnings_;
  std::size_t first_ = 0;
  Slot unplaced_ = 0;
};

}  // namespace

std::vector<Slot> order_for_pages(const base::Adjacency& graph, std::size_t records, const Execution& execution) {
  base::ProgressMeter progress(execution, "order pages", graph.nodes());
  PageFiller filler(graph, records);
  while (!filler.is_done()) {
    base::check_cancelled(execution.cancel);
    const std::size_t before = filler.order().size();
    filler.fill_page();
    progress.add(filler.order().size() - before);
  }
  return filler.order();
}

}  // namespace diskann::index
