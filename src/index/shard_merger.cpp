#include "index/shard_merger.hpp"

#include <algorithm>

#include "distance/kernels.hpp"

namespace diskann::index {
namespace {

using graph::Candidate;

constexpr base::Slot kNone = ~base::Slot{0};
constexpr std::size_t kMostNodes = 4096;  // merged at a time

/// The nearest of both first, those in both once.
void append_in_turns(std::span<const base::Slot> a, std::span<const base::Slot> b, std::vector<base::Slot>& out) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i)
    for (const std::span<const base::Slot> list : {a, b})
      if (i < list.size() && std::find(out.begin(), out.end(), list[i]) == out.end()) out.push_back(list[i]);
}

base::RowStore room_for(const SpilledRows& rows, std::uint64_t bytes, std::size_t least) {
  const std::size_t stride = base::row_stride(rows.type(), rows.dimension());
  return {rows.type(), std::max<std::size_t>(bytes / stride, least), rows.dimension()};
}

}  // namespace

ShardMerger::ShardMerger(const ShardMap& map, const SpilledRows& rows, std::uint32_t max_degree, Distance metric,
                         float alpha, std::uint64_t gathered_bytes, base::ThreadTeam& team)
    : map_(map),
      rows_(rows),
      max_degree_(max_degree),
      metric_(metric),
      team_(team),
      guests_before_(map.shards(), std::vector<std::uint64_t>(map.shards() + 1)),
      gathered_(room_for(rows, gathered_bytes, 2 * std::size_t{max_degree} + 1)),
      norms_(distance::has_norms(metric, rows.type(), rows.dimension(), 1) ? gathered_.view().rows : 0),
      place_(map.nodes(), kNone),
      space_(metric, gathered_, norms_.empty() ? nullptr : norms_.data()) {
  for (unsigned thread = 0; thread < team.threads(); ++thread) pruners_.emplace_back(space_, max_degree, alpha);
  for (const graph::ShardFill::Place& place : map.places)
    if (place.first != graph::ShardCenters::kNone) ++guests_before_[place.second][place.first + std::size_t{1}];
  for (std::vector<std::uint64_t>& before : guests_before_)
    for (std::size_t shard = 0; shard < map.shards(); ++shard) before[shard + 1] += before[shard];
}

std::vector<ShardMerger::Second> ShardMerger::seconds_of(std::size_t shard) const {
  std::vector<std::uint64_t> next(map_.shards());
  for (std::size_t other = 0; other < map_.shards(); ++other)
    next[other] = map_.nodes_of(other) + guests_before_[other][shard];
  std::vector<Second> seconds;
  seconds.reserve(map_.nodes_of(shard));
  for (const graph::ShardFill::Place& place : map_.places)
    if (place.first == shard) seconds.push_back({place.second, static_cast<std::uint32_t>(next[place.second]++)});
  return seconds;
}

void ShardMerger::read_record(std::size_t shard, std::uint64_t record, std::vector<Slot>& out) const {
  out.resize(std::size_t{max_degree_} + 1);
  edges_[shard]->read(record * out.size() * sizeof(Slot), std::as_writable_bytes(std::span(out)));
  out.resize(1 + neighbors_in(out, map_.nodes(), *edges_[shard]).size());
  out.erase(out.begin());
}

void ShardMerger::merge(std::size_t shard, std::span<const Slot> order, std::span<const Slot> slots,
                        const Execution& execution, const std::function<void(std::span<const std::byte>)>& write) {
  const std::vector<Second> seconds = seconds_of(shard);
  std::vector<std::vector<Slot>> lists;  // each begins with its node
  const std::size_t room = gathered_.view().rows, most_of_list = 2 * std::size_t{max_degree_} + 1;
  std::size_t at_once = 64;
  for (std::size_t begin = 0; begin < order.size();) {
    base::check_cancelled(execution.cancel);
    const std::size_t count = std::min(at_once, order.size() - begin);
    lists.resize(count);
    team_.run(count, 64, [&](unsigned, std::uint64_t first, std::uint64_t end) {
      std::vector<Slot> found, more;
      for (std::uint64_t i = first; i < end; ++i) {
        const Slot own = order[begin + i];
        lists[i].assign(1, static_cast<Slot>(map_.starts[shard] + own));
        read_record(shard, own, found);
        read_record(seconds[own].shard, seconds[own].record, more);
        append_in_turns(found, more, lists[i]);
      }
    });
    std::size_t taken = 0;
    for (; taken < count && wanted_.size() + most_of_list <= room; ++taken) {
      for (const Slot node : lists[taken]) {
        if (place_[node] != kNone) continue;
        place_[node] = 0;
        wanted_.push_back(node);
      }
    }
    at_once = std::clamp(2 * taken, std::size_t{1}, kMostNodes);
    lists.resize(taken);
    merge_gathered(lists, slots, write);
    begin += taken;
  }
}

void ShardMerger::merge_gathered(std::span<const std::vector<Slot>> lists, std::span<const Slot> slots,
                                 const std::function<void(std::span<const std::byte>)>& write) {
  std::sort(wanted_.begin(), wanted_.end());  // as they stand on the drive
  team_.run(wanted_.size(), 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      rows_.read(wanted_[i], gathered_.row(i));
      place_[wanted_[i]] = static_cast<Slot>(i);
    }
    if (!norms_.empty()) distance::row_norms(metric_, gathered_, begin, end - begin, norms_.data() + begin);
  });
  const std::size_t record_slots = std::size_t{max_degree_} + 1;
  std::vector<Slot> records(lists.size() * record_slots);
  team_.run(lists.size(), 64, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      Slot* const record = records.data() + i * record_slots;
      record[0] = prune(thread, lists[i], record + 1);
      for (Slot* to = record + 1; to <= record + record[0]; ++to) *to = slots[*to];
    }
  });
  write(std::as_bytes(std::span(records)));
  for (const Slot node : wanted_) place_[node] = kNone;
  wanted_.clear();
}

std::uint32_t ShardMerger::prune(unsigned thread, std::span<const Slot> list, Slot* out) {
  if (metric_ == Distance::InnerProduct) {
    const std::span<const Slot> kept = list.subspan(1, std::min<std::size_t>(list.size() - 1, max_degree_));
    std::copy(kept.begin(), kept.end(), out);
    return static_cast<std::uint32_t>(kept.size());
  }
  std::vector<Slot> places;
  for (const Slot node : list) places.push_back(place_[node]);
  std::vector<Candidate> candidates;
  pruners_[thread].score(places[0], std::span(places).subspan(1), candidates);
  std::sort(candidates.begin(), candidates.end());
  const std::uint32_t degree = pruners_[thread].prune(places[0], candidates, out);
  std::transform(out, out + degree, out, [&](Slot place) { return wanted_[place]; });
  return degree;
}

}  // namespace diskann::index
