#include "index/searcher.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/convert.hpp"
#include "distance/kernels.hpp"

namespace diskann::index {
namespace {

using graph::Candidate;
using graph::distance_of;
using graph::slot_of;

distance::Query prepare(const graph::KernelSpace& space, const VectorView& query, distance::QueryBuffer& buffer) {
  return buffer.prepare(query, space.rows().type);
}

graph::CodeSpace::Query prepare(const graph::CodeSpace& space, const VectorView& query,
                                graph::CodeSpace::Buffer& buffer) {
  return space.prepare(query, buffer);
}

graph::CustomSpace::Query prepare(const graph::CustomSpace&, const VectorView& query,
                                  graph::CustomSpace::Buffer& buffer) {
  distance::check_finite(query, 0);
  base::convert_row(query.row(0), query.type(), reinterpret_cast<std::byte*>(buffer.query.data()), VectorType::F32,
                    query.dimension());
  return &buffer;
}

/// What a walk did, and the distances of the rows themselves that come after one by codes.
template <class Space>
void add_work(const graph::Walk<Space>& walk, const graph::CandidateList& list, SearchStatistics& statistics) {
  statistics.hops += walk.statistics().hops;
  statistics.distance_computations += walk.statistics().distance_computations;
  if constexpr (!Space::kExact) statistics.distance_computations += list.entries().size();
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
std::size_t Searcher<Space>::search(const VectorView& query, std::span<Hit> hits, std::size_t list_size,
                                    SearchStatistics* statistics) const {
  if (hits.empty()) {
    distance::check_finite(query, 0);
    return 0;
  }
  const Lease lease(*this);
  Scratch& scratch = *lease;
  graph::SearchScratch& walk_scratch = scratch.walk_scratch(0);
  const typename Space::Query prepared = prepare(space_, query, scratch.buffers[0]);
  graph::Walk<Space> walk(space_, *graph_, prepared, entry_points_, list_size_for(list_size, hits.size()),
                          walk_scratch);
  while (walk.gather()) walk.absorb();
  if (statistics != nullptr) add_work(walk, walk_scratch.list, *statistics);
  return take_hits(walk_scratch.list, prepared, hits, scratch);
}

template <class Space>
void Searcher<Space>::search_batch(const VectorView& queries, std::size_t list_size, const Execution& execution,
                                   SearchResults& results, SearchStatistics* statistics) const {
  const std::size_t list = list_size_for(list_size, results.k);
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
      typename Space::Query prepared[kWalks];
      scratch.walks.clear();
      for (std::size_t i = 0; i < count; ++i) {
        prepared[i] = prepare(space_, queries.slice(first + i, 1), scratch.buffers[i]);
        scratch.walks.emplace_back(space_, *graph_, prepared[i], entry_points_, list, scratch.walk_scratch(i));
      }
      graph::run_interleaved<Space>(scratch.walks);
      for (std::size_t i = 0; i < count; ++i) {
        const std::size_t found = take_hits(scratch.walk_scratch(i).list, prepared[i], hits, scratch);
        for (std::size_t j = 0; j < found; ++j) {
          results.ids[(first + i) * results.k + j] = hits[j].id;
          results.distances[(first + i) * results.k + j] = hits[j].distance;
        }
        add_work(scratch.walks[i], scratch.walk_scratch(i).list, of_thread[thread]);
      }
    }
    progress.add(end - begin);
  });
  if (statistics == nullptr) return;
  for (const SearchStatistics& part : of_thread) {
    statistics->hops += part.hops;
    statistics->distance_computations += part.distance_computations;
  }
}

template <class Space>
std::vector<Hit> Searcher<Space>::range_search(const VectorView& query, float radius, std::size_t list_size) const {
  const Lease lease(*this);
  Scratch& scratch = *lease;
  graph::SearchScratch& walk_scratch = scratch.walk_scratch(0);
  const typename Space::Query prepared = prepare(space_, query, scratch.buffers[0]);
  std::span<const Candidate> found;
  // A list that ends outside the radius has seen the border; one that does not is doubled.
  for (std::size_t list = list_size_for(list_size, 1);; list = std::min(2 * list, graph_->nodes())) {
    graph::Walk<Space> walk(space_, *graph_, prepared, entry_points_, list, walk_scratch);
    while (walk.gather()) walk.absorb();
    found = rerank(walk_scratch.list, prepared, scratch);
    bool outside = !found.empty() && distance_of(found.back()) > radius;
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
    const float distance = distance_of(candidate);
    if (distance > radius) break;
    points_->for_each_id(slot_of(candidate), [&](std::uint64_t id) { hits.push_back({id, distance}); });
  }
  std::sort(hits.begin(), hits.end());
  return hits;
}

template <class Space>
void Searcher<Space>::distances(const VectorView& query, std::span<const Slot> nodes, std::span<float> out) const {
  const Lease lease(*this);
  space_.exact(prepare(space_, query, (*lease).buffers[0]), nodes.data(), nodes.size(), out.data());
}

/// The entries of a list, by the distances of the rows themselves.
template <class Space>
std::span<const Candidate> Searcher<Space>::rerank(const graph::CandidateList& list, const typename Space::Query& query,
                                                   Scratch& scratch) const {
  const std::span<const Candidate> entries = list.entries();
  if constexpr (Space::kExact) return entries;
  scratch.slots.resize(entries.size());
  scratch.distances.resize(entries.size());
  scratch.all.resize(entries.size());
  std::transform(entries.begin(), entries.end(), scratch.slots.begin(), slot_of);
  space_.exact(query, scratch.slots.data(), entries.size(), scratch.distances.data());
  for (std::size_t i = 0; i < entries.size(); ++i)
    scratch.all[i] = graph::make_candidate(scratch.distances[i], scratch.slots[i]);
  std::sort(scratch.all.begin(), scratch.all.end());
  return scratch.all;
}

template <class Space>
std::size_t Searcher<Space>::take_hits(const graph::CandidateList& list, const typename Space::Query& query,
                                       std::span<Hit> hits, Scratch& scratch) const {
  const std::size_t found = nearest_of(rerank(list, query, scratch), hits, scratch);
  if (found == std::min(hits.size(), points_->points())) return found;
  // Only graphs of others have nodes that no walk reaches, or hide nodes: the promise of k hits holds for them too.
  return nearest_of(scan(query, scratch), hits, scratch);
}

template <class Space>
std::size_t Searcher<Space>::nearest_of(std::span<const Candidate> sorted, std::span<Hit> hits,
                                        Scratch& scratch) const {
  if (!points_->has_twins() && !points_->has_ids()) {  // then slots are ids, and sorted already
    const std::size_t count = std::min(hits.size(), sorted.size());
    for (std::size_t i = 0; i < count; ++i) hits[i] = {slot_of(sorted[i]), distance_of(sorted[i])};
    return count;
  }
  // Of all that lie as far as the last hit the lowest ids are wanted; however many those are, room for 2 k is enough.
  const std::size_t k = std::min(hits.size(), points_->points());
  scratch.hits.clear();
  scratch.hits.reserve(2 * k);
  float last = 0;
  for (const Candidate candidate : sorted) {
    const float distance = distance_of(candidate);
    if (scratch.hits.size() >= k && distance > last) break;
    last = distance;
    points_->for_each_id(slot_of(candidate), [&](std::uint64_t id) {
      if (scratch.hits.size() == 2 * k) {
        std::nth_element(scratch.hits.begin(), scratch.hits.begin() + static_cast<std::ptrdiff_t>(k),
                         scratch.hits.end());
        scratch.hits.resize(k);
      }
      scratch.hits.push_back({id, distance});
    });
  }
  const std::size_t count = std::min(k, scratch.hits.size());
  std::sort(scratch.hits.begin(), scratch.hits.end());
  std::copy_n(scratch.hits.begin(), count, hits.begin());
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
template class Searcher<graph::CustomSpace>;

}  // namespace diskann::index
