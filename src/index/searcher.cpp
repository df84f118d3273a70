#include "index/searcher.hpp"

#include <algorithm>
#include <limits>
#include <type_traits>

#include "base/convert.hpp"
#include "distance/kernels.hpp"
#include "index/hits.hpp"
#include "index/rerank_rule.hpp"

namespace diskann::index {
namespace {

using graph::Candidate;
using graph::distance_of;
using graph::kWalks;
using graph::slot_of;

distance::Query prepare(const graph::KernelSpace& space, const VectorView& query, distance::QueryBuffer& buffer) {
  return buffer.prepare(query, space.rows().type);
}

template <class Codes>
typename Codes::Query prepare(const Codes& space, const VectorView& query, typename Codes::Buffer& buffer) {
  return space.prepare(query, buffer);
}

graph::CustomSpace::Query prepare(const graph::CustomSpace&, const VectorView& query,
                                  graph::CustomSpace::Buffer& buffer) {
  distance::check_finite(query, 0);
  base::convert_row(query.row(0), query.type(), reinterpret_cast<std::byte*>(buffer.query.data()), VectorType::F32,
                    query.dimension());
  return &buffer;
}

/// What an estimate is shown as: Hit.distance is one that the metric can give.
template <class Space>
float shown(const Space& space, float distance) noexcept {
  if constexpr (std::is_same_v<Space, graph::LoneCodeSpace>) return space.distance(distance);
  return distance;
}

void add(const SearchStatistics& part, SearchStatistics& sum) {
  sum.hops += part.hops;
  sum.distance_computations += part.distance_computations;
}

}  // namespace

template <class Space>
Searcher<Space>::Scratch::Scratch(const Searcher& owner)
    : buffers{typename Space::Buffer(owner.space_.rows().dimension),
              typename Space::Buffer(owner.space_.rows().dimension),
              typename Space::Buffer(owner.space_.rows().dimension),
              typename Space::Buffer(owner.space_.rows().dimension)},
      searcher(&owner) {
  walk_scratches.reserve(kWalks);
  walks.reserve(kWalks);
}

template <class Space>
graph::SearchScratch& Searcher<Space>::Scratch::walk_scratch(std::size_t i) {
  while (walk_scratches.size() <= i)
    walk_scratches.emplace_back(searcher->graph_->nodes(), std::max(searcher->graph_->stride(), 64u));
  return walk_scratches[i];
}

template <class Space>
void Searcher<Space>::Scratch::walk(const VectorView& rows, const graph::Breadth& breadth, const Slot* hidden) {
  walks.clear();
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    queries[i] = prepare(searcher->space_, rows.slice(i, 1), buffers[i]);
    walks.emplace_back(searcher->space_, *searcher->graph_, queries[i], searcher->entry_points_, breadth,
                       walk_scratch(i), hidden != nullptr ? std::optional(hidden[i]) : std::nullopt);
  }
  graph::run_interleaved<Space>(walks);
}

template <class Space>
class Searcher<Space>::Lease {
 public:
  explicit Lease(const Searcher& searcher)
      : pool_(searcher.pool_.get()), scratch_(pool_->take([&] { return std::make_unique<Scratch>(searcher); })) {}
  Lease(const Lease&) = delete;
  ~Lease() { pool_->give_back(std::move(scratch_)); }
  Scratch& operator*() const noexcept { return *scratch_; }

 private:
  ScratchPool<Scratch>* pool_;
  std::unique_ptr<Scratch> scratch_;
};

template <class Space>
std::size_t Searcher<Space>::list_size_for(std::size_t list_size, std::size_t k) const noexcept {
  const std::size_t wanted = std::max(list_size, std::min(k, points_->points()) + points_->hidden_nodes());
  return std::min(wanted, graph_->nodes());
}

template <class Space>
graph::Breadth Searcher<Space>::breadth_for(const Reach& reach, std::size_t k) const noexcept {
  return {list_size_for(reach.list_size, k), Space::kExact ? 0 : std::min(reach.kept, graph_->nodes())};
}

template <class Space>
std::size_t Searcher<Space>::search(const VectorView& query, std::span<Hit> hits, const Reach& reach,
                                    SearchStatistics* statistics) const {
  if (hits.empty()) {
    distance::check_finite(query, 0);
    return 0;
  }
  const Lease lease(*this);
  Scratch& scratch = *lease;
  scratch.walk(query, breadth_for(reach, hits.size()), nullptr);
  SearchStatistics done;
  const std::size_t found = take_hits(0, hits, scratch, done);
  if (statistics != nullptr) add(done, *statistics);
  return found;
}

template <class Space>
void Searcher<Space>::search_batch(const VectorView& queries, const Reach& reach, const Execution& execution,
                                   SearchResults& results, SearchStatistics* statistics) const {
  const graph::Breadth breadth = breadth_for(reach, results.k);
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "search", results.rows);
  std::vector<SearchStatistics> of_thread(team.threads());
  team.run(results.rows, 4 * kWalks, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    const Lease lease(*this);
    Scratch& scratch = *lease;
    distance::check_finite(queries.slice(begin, end - begin), begin);  // so that an error names the row of the batch
    std::vector<Hit> hits(results.k);
    for (std::uint64_t first = begin; first < end; first += kWalks) {
      const std::size_t count = std::min<std::uint64_t>(kWalks, end - first);
      scratch.walk(queries.slice(first, count), breadth, nullptr);
      prefetch_hits(0, results.k, scratch);
      for (std::size_t i = 0; i < count; ++i) {
        if (i + 1 < count) prefetch_hits(i + 1, results.k, scratch);
        const std::size_t found = take_hits(i, hits, scratch, of_thread[thread]);
        for (std::size_t j = 0; j < found; ++j) {
          results.ids[(first + i) * results.k + j] = hits[j].id;
          results.distances[(first + i) * results.k + j] = hits[j].distance;
        }
      }
    }
    progress.add(end - begin);
  });
  if (statistics == nullptr) return;
  for (const SearchStatistics& part : of_thread) add(part, *statistics);
}

template <class Space>
ListTrial Searcher<Space>::try_list(const Probes& probes, const Reach& reach, bool alone,
                                    base::ThreadTeam& team) const {
  ListTrial trial;
  const std::size_t nodes = graph_->nodes();
  const graph::Breadth breadth{std::min(reach.list_size, nodes),
                               Space::kExact || alone ? 0 : std::min(reach.kept, nodes)};
  for (ListTrial::OfRank& rank : trial.ranks) rank.resize(std::max(breadth.window, breadth.kept));
  std::vector<ListTrial> of_thread(team.threads(), trial);
  team.run(probes.limits.size(), 4 * kWalks, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    const Lease lease(*this);
    Scratch& scratch = *lease;
    for (std::uint64_t first = begin; first < end; first += kWalks) {
      const std::size_t count = std::min<std::uint64_t>(kWalks, end - first);
      scratch.walk(probes.queries.view().slice(first, count), breadth,
                   probes.hidden.empty() ? nullptr : probes.hidden.data() + first);
      for (std::size_t i = 0; i < count; ++i) {
        add(scratch.walks[i].statistics(), of_thread[thread].statistics);
        const std::span<const Candidate> entries = scratch.list(i).entries();
        compare_exactly(entries, scratch.queries[i], scratch);
        for (std::size_t rank = 0; rank < kRanks.size(); ++rank) {
          std::uint32_t wanted = probes.wanted[rank];
          const bool all = breadth.window == nodes;  // exact search
          const std::size_t compared = alone ? std::min<std::size_t>(kRanks[rank], entries.size())
                                       : all ? entries.size()
                                             : worth_comparing(entries, kRanks[rank], reach.spreads, scratch);
          ListTrial::OfRank& seen = of_thread[thread].ranks[rank];
          for (std::size_t place = 0; place < compared; ++place) ++seen.compared[place];
          for (std::size_t place = 0; place < entries.size() && wanted > 0; ++place) {
            if (!(scratch.distances[place] <= probes.limits[first + i][rank])) continue;
            ++seen.places[place];
            if (place < compared) ++seen.found[place];
            --wanted;
          }
        }
      }
    }
  });
  for (const ListTrial& part : of_thread) {
    add(part.statistics, trial.statistics);
    for (std::size_t rank = 0; rank < kRanks.size(); ++rank) trial.ranks[rank] += part.ranks[rank];
  }
  return trial;
}

template <class Space>
std::vector<Hit> Searcher<Space>::range_search(const VectorView& query, float radius, std::size_t list_size) const {
  const Lease lease(*this);
  Scratch& scratch = *lease;
  std::span<const Candidate> found;
  // A list that ends outside the radius has seen the border; one that does not is doubled.
  for (std::size_t list = list_size_for(list_size, 1);; list = std::min(2 * list, graph_->nodes())) {
    scratch.walk(query, list, nullptr);
    const typename Space::Query& prepared = scratch.queries[0];
    found = rerank(scratch.list(0), list, prepared, scratch);
    bool outside = !found.empty() && shown(space_, distance_of(found.back())) > radius;
    if constexpr (!Space::kExact) {
      // Codes put rows in nearly the right order: the last eighth of the list must lie outside, and not one row.
      const std::span<const float> distances = scratch.distances;
      const std::span<const float> last = distances.last(std::min(distances.size(), 8 + distances.size() / 8));
      outside = std::all_of(last.begin(), last.end(), [&](float distance) { return distance > radius; });
    }
    if (found.size() < list) found = scan(prepared, scratch);  // graphs of others have nodes that no walk reaches
    if (found.size() == graph_->nodes() || outside) break;
  }
  std::vector<Hit> hits;
  for (const Candidate candidate : found) {
    const float distance = shown(space_, distance_of(candidate));
    if (!(distance <= radius)) break;
    points_->for_each_id(slot_of(candidate), [&](std::uint64_t id) { hits.push_back({id, distance}); });
  }
  std::sort(hits.begin(), hits.end(), is_before);
  return hits;
}

template <class Space>
void Searcher<Space>::distances(const VectorView& query, std::span<const Slot> nodes, std::span<float> out) const {
  const Lease lease(*this);
  space_.exact(prepare(space_, query, (*lease).buffers[0]), nodes.data(), nodes.size(), out.data());
  for (float& distance : out) distance = shown(space_, distance);
}

/// Distances of the rows themselves, into the scratch.
template <class Space>
void Searcher<Space>::compare_exactly(std::span<const Candidate> entries, const typename Space::Query& query,
                                      Scratch& scratch) const {
  scratch.distances.resize(entries.size());
  if constexpr (Space::kExact) {
    std::transform(entries.begin(), entries.end(), scratch.distances.begin(), distance_of);
  } else {
    scratch.slots.resize(entries.size());
    std::transform(entries.begin(), entries.end(), scratch.slots.begin(), slot_of);
    space_.exact(query, scratch.slots.data(), entries.size(), scratch.distances.data());
  }
}

/// Entries of a list, by the distances of the rows themselves: of codes as many as it takes to have the k nearest.
template <class Space>
std::span<const Candidate> Searcher<Space>::rerank(const graph::CandidateList& list, std::size_t k,
                                                   const typename Space::Query& query, Scratch& scratch) const {
  const std::span<const Candidate> entries = list.entries();
  if constexpr (Space::kExact) return entries;
  if (k == 0) return {};
  std::vector<Candidate>& all = scratch.all;
  all.clear();
  all.reserve(list.capacity());  // so that no warm search allocates, however far it goes on
  scratch.slots.reserve(list.capacity());
  scratch.distances.reserve(list.capacity());
  const bool whole = entries.size() == graph_->nodes();  // exact search
  RerankRule rule;
  std::size_t part = whole ? entries.size() : std::min(RerankRule::first(k), entries.size());
  while (part > 0) {
    const std::size_t done = all.size();
    if constexpr (!Space::kExact) {
      const std::size_t behind = std::min(RerankRule::kNext, entries.size() - done - part);
      for (const Candidate next : entries.subspan(done + part, behind)) space_.prefetch_exact(slot_of(next));
    }
    compare_exactly(entries.subspan(done, part), query, scratch);
    for (std::size_t i = 0; i < part; ++i) {
      rule.add(distance_of(entries[done + i]), scratch.distances[i]);
      const Candidate candidate = graph::make_candidate(scratch.distances[i], scratch.slots[i]);
      all.insert(done == 0 ? all.end() : std::upper_bound(all.begin(), all.end(), candidate), candidate);
    }
    if (done == 0) std::sort(all.begin(), all.end());  // then each of the few behind them to its place
    part = std::min(RerankRule::kNext, entries.size() - all.size());
    if (part > 0 && !rule.may_be_near(distance_of(entries[all.size()]), distance_of(all[k - 1]), RerankRule::kSpreads))
      break;
  }
  return all;
}

/// Sends for the rows that the list of a walk is compared with first.
template <class Space>
void Searcher<Space>::prefetch_hits(std::size_t walk, std::size_t k, const Scratch& scratch) const noexcept {
  if constexpr (!Space::kExact) {
    const std::span<const Candidate> entries = scratch.list(walk).entries();
    for (const Candidate entry : entries.first(std::min(RerankRule::first(k), entries.size())))
      space_.prefetch_exact(slot_of(entry));
  }
}

/// How many entries of a list, whose exact distances are in the scratch, rerank() would compare.
template <class Space>
std::size_t Searcher<Space>::worth_comparing(std::span<const Candidate> entries, std::size_t k, double spreads,
                                             Scratch& scratch) const {
  if constexpr (Space::kExact) return entries.size();
  std::vector<float>& nearest = scratch.nearest;
  nearest.clear();
  RerankRule rule;
  std::size_t part = std::min(RerankRule::first(k), entries.size());
  while (part > 0) {
    for (std::size_t i = 0; i < part; ++i) {
      const float distance = scratch.distances[nearest.size()];
      rule.add(distance_of(entries[nearest.size()]), distance);
      nearest.insert(std::upper_bound(nearest.begin(), nearest.end(), distance), distance);
    }
    part = std::min(RerankRule::kNext, entries.size() - nearest.size());
    if (part > 0 && !rule.may_be_near(distance_of(entries[nearest.size()]), nearest[k - 1], spreads)) break;
  }
  return nearest.size();
}

/// Of a walk that ended; adds what it did.
template <class Space>
std::size_t Searcher<Space>::take_hits(std::size_t walk, std::span<Hit> hits, Scratch& scratch,
                                       SearchStatistics& statistics) const {
  const typename Space::Query& query = scratch.queries[walk];
  const std::size_t nodes = hits.size() + points_->hidden_nodes();
  const std::span<const Candidate> sorted = rerank(scratch.list(walk), nodes, query, scratch);
  add(scratch.walks[walk].statistics(), statistics);
  if constexpr (!Space::kExact) statistics.distance_computations += sorted.size();
  const std::size_t found = nearest_of(sorted, hits, scratch);
  if (found == std::min(hits.size(), points_->points())) return found;
  // Only graphs of others have nodes that no walk reaches, or hide nodes: the promise of k hits holds for them too.
  return nearest_of(scan(query, scratch), hits, scratch);
}

/// Of hits that were chosen by estimates: several may be shown as one distance.
template <class Space>
void Searcher<Space>::show(std::span<Hit> hits) const {
  if constexpr (!std::is_same_v<Space, graph::LoneCodeSpace>) return;
  for (Hit& hit : hits) hit.distance = shown(space_, hit.distance);
  std::sort(hits.begin(), hits.end(), is_before);
}

template <class Space>
std::size_t Searcher<Space>::nearest_of(std::span<const Candidate> sorted, std::span<Hit> hits,
                                        Scratch& scratch) const {
  const std::size_t count = take_nearest(*points_, sorted, hits, scratch.hits);
  show(hits.first(count));
  return count;
}

template <class Space>
std::span<const Candidate> Searcher<Space>::scan(const typename Space::Query& query, Scratch& scratch) const {
  constexpr std::size_t kBlock = 256;
  float distances[kBlock];
  std::vector<Candidate>& all = scratch.all;
  all.clear();
  all.reserve(graph_->nodes());
  for (std::size_t first = 0; first < graph_->nodes(); first += kBlock) {
    const std::size_t count = std::min(kBlock, graph_->nodes() - first);
    const float* norms = space_.norms() != nullptr ? space_.norms() + first : nullptr;
    space_.score_block(query, space_.rows(), norms, first, count, distances);
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(graph::make_candidate(distances[i], static_cast<Slot>(first + i)));
  }
  std::sort(all.begin(), all.end());
  return all;
}

template class Searcher<graph::KernelSpace>;
template class Searcher<graph::CodeSpace>;
template class Searcher<graph::LoneCodeSpace>;
template class Searcher<graph::CustomSpace>;

}  // namespace diskann::index
