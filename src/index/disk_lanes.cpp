#include "index/disk_lanes.hpp"

#include <algorithm>
#include <cstring>

#include "index/disk_reads.hpp"
#include "index/disk_state.hpp"
#include "index/rerank_rule.hpp"

namespace diskann::index {

using graph::Candidate;
using graph::distance_of;
using graph::slot_of;

void fail_node(const DiskIndex::State& state, Slot node, const std::string& what) {
  throw Error(ErrorCode::Corrupt, state.path.string() + ": node " + std::to_string(node) + " was read, but " + what);
}

class DiskLanes::Work {
 public:
  explicit Work(const DiskSpace& space)
      : space_(space),
        state_(space.state),
        blocks_(std::max(state_.pages.edges.blocks(), state_.pages.rows.blocks())),
        reads_(reads_under_way(blocks_ * io::kBlockBytes)),
        reader_(state_.device->reader(reads_.size(), blocks_)),
        comparer_(state_),
        neighbors_(state_.pages.max_degree) {
    for (std::uint32_t slot = 0; slot < reads_.size(); ++slot) free_.push_back(slot);
  }

  void run(const VectorView& queries, const DiskSearch& search, DiskStatistics& statistics, const Finish& finish) {
    statistics_ = &statistics;
    search_ = search;
    std::size_t next = 0, active = 0;
    const std::size_t lanes = std::min(search.single ? 1 : kLanes, queries.rows());
    while (lanes_.size() < lanes) lanes_.push_back(std::make_unique<Lane>(space_));
    const auto begin = [&](Lane& lane) {
      lane.active = next < queries.rows();
      if (!lane.active) return;
      ++active;
      lane.begin(space_, queries.slice(next, 1), next, search_);
      ++next;
    };
    for (std::size_t i = 0; i < lanes; ++i) begin(*lanes_[i]);
    while (active > 0) {
      bool moved = false;
      for (std::size_t i = 0; i < lanes; ++i) {
        Lane& lane = *lanes_[i];
        if (!lane.active) continue;
        moved |= advance(lane);
        if (!lane.done()) continue;
        std::sort(lane.compared.begin(), lane.compared.end());
        statistics.walk.hops += lane.walk.statistics().hops;
        statistics.walk.distance_computations += lane.walk.statistics().distance_computations + lane.compared.size();
        finish(lane.number, lane.compared);
        --active;
        moved = true;
        begin(lane);
      }
      send();
      receive(!moved);
    }
  }

 private:
  enum class Stage : std::uint8_t { Walking, Comparing };

  struct Lane {
    explicit Lane(const DiskSpace& space)
        : code_buffer(space.codes.rows().dimension),
          row_buffer(space.codes.rows().dimension),
          scratch(space.codes.rows().rows, std::max(space.state.pages.max_degree, 64u)),
          edges(space.state.pages.edges.unit_bytes(), true),
          rows(space.state.pages.rows.unit_bytes(), false) {}

    void begin(const DiskSpace& space, const VectorView& query, std::size_t which, const DiskSearch& search) {
      number = which;
      width = ReadWidth(search.beam_width, search.single ? 32 : 4);
      stage = Stage::Walking;
      compared.clear();
      places.clear();
      landed.clear();
      waiting.clear();
      edges.clear();
      rows.clear();
      rule = {};
      walk_rule.begin(search.k, search.spreads);
      nearest.clear();
      under_way = compared_of_list = 0;
      row_query = row_buffer.prepare(query, space.codes.rows().type);
      walk = graph::Walk<graph::LoneCodeSpace>(space.codes, space.codes.rows().rows,
                                               space.codes.prepare(query, code_buffer), space.entry_points,
                                               search.breadth, scratch);
    }
    bool done() const noexcept { return stage == Stage::Comparing && under_way == 0 && compared_enough; }

    graph::LoneCodeSpace::Buffer code_buffer;
    distance::QueryBuffer row_buffer;
    distance::Query row_query{};
    graph::SearchScratch scratch;
    graph::Walk<graph::LoneCodeSpace> walk;
    ReadWidth width{0, 1};
    Stage stage = Stage::Walking;
    std::vector<Candidate> compared;  // with exact distances
    NumberTable places;               // of slots in that
    WalkRule walk_rule;
    RerankRule rule;                    // of the list so far
    std::vector<float> nearest;         // of that the k nearest, exact distances
    std::vector<std::uint32_t> landed;  // slots of the reader, to be looked at
    std::vector<Candidate> waiting;     // chosen, for pages that others sent for
    BroughtPages edges, rows;
    std::size_t number = 0, under_way = 0, compared_of_list = 0;
    bool active = false, compared_enough = false;
  };
  struct Read {
    Lane* lane = nullptr;
    Candidate candidate = 0;
    bool of_edges = false, expanding = false;
  };

  const base::RowsView& rows() const noexcept { return state_.known->rows.view(); }

  /// Looks at what landed and sends for more; false where there was nothing to do.
  bool advance(Lane& lane) {
    bool moved = !lane.landed.empty();
    std::sort(lane.landed.begin(), lane.landed.end(),
              [&](std::uint32_t a, std::uint32_t b) { return reads_[a].candidate < reads_[b].candidate; });
    for (const std::uint32_t slot : lane.landed) {
      look_at(lane, slot);
      --lane.under_way;
      free_.push_back(slot);
    }
    lane.landed.clear();
    if (lane.stage == Stage::Walking) {
      moved |= expand_known(lane);
      while (lane.under_way < lane.width.now() && can_choose(lane) && !free_.empty()) {
        const Candidate candidate = lane.walk.choose();
        moved = true;
        if (const Slot* const edges = space_.cache.find(slot_of(candidate))) {
          lane.walk.expand({edges + 1, *edges});
          lane.walk.absorb();
          moved |= expand_known(lane);
          continue;
        }
        const std::uint64_t unit = state_.pages.edges.unit_of(slot_of(candidate));
        switch (lane.edges.state(unit)) {
          case BroughtPages::State::Kept: expand(lane, candidate, lane.edges.data(unit)); break;
          case BroughtPages::State::UnderWay: lane.waiting.push_back(candidate); break;
          case BroughtPages::State::Unknown:
          case BroughtPages::State::Passed: read(lane, candidate, true, true); break;
        }
      }
      moved |= send_ahead(lane);
      if (lane.under_way > 0 || can_choose(lane)) return moved;
      lane.stage = Stage::Comparing;
      lane.compared_enough = false;
      moved = true;
    }
    if (lane.compared_enough || lane.under_way > 0 || free_.empty()) return moved;
    compare_more(lane);
    return true;
  }

  /// Expands near candidates whose edges are at hand before any is sent for: what they lead to may be nearer. But one
  /// at a time is the walk in memory.
  bool expand_known(Lane& lane) {
    constexpr std::size_t kLooked = 64;
    if (search_.beam_width == 1) return false;
    const graph::CandidateList& list = lane.scratch.list;
    bool moved = false;
    for (std::size_t place = list.next_place(); place < std::min(list.window_end(), list.next_place() + kLooked);) {
      const Candidate entry = list.entries()[place];
      const Slot* edges = nullptr;
      const std::uint64_t unit = state_.pages.edges.unit_of(slot_of(entry));
      const bool open = (entry & graph::kExpanded) == 0;
      if (open && (edges = space_.cache.find(slot_of(entry))) != nullptr) {
        lane.walk.choose(place);
        lane.walk.expand({edges + 1, *edges});
        lane.walk.absorb();
      } else if (open && lane.edges.state(unit) == BroughtPages::State::Kept) {
        expand(lane, lane.walk.choose(place), lane.edges.data(unit));
      } else {
        ++place;
        continue;
      }
      moved = true;
      place = list.next_place();
    }
    return moved;
  }

  /// Before a walk ends with room in its list it goes on as one in memory does.
  bool can_choose(Lane& lane) const {
    if (!lane.walk.has_choice()) return lane.under_way == 0 && lane.walk.go_on();
    const bool whole = search_.breadth.window >= rows().rows;  // exact search
    if (search_.beam_width == 1 || search_.whole_list || whole) return true;
    const graph::CandidateList& list = lane.scratch.list;
    return lane.walk_rule.is_worth_expanding(distance_of(list.entries()[list.next_place()]));
  }

  /// Reads of a lane at once; but no more than the caller wants under way.
  std::size_t at_once() const noexcept { return search_.beam_width != 0 ? search_.beam_width : kMostAtOnce; }

  /// Once the walk has come near, the first rows of its list are those that hits are looked for among, whether it goes
  /// through them or not: sent for while it goes on.
  bool send_ahead(Lane& lane) {
    const graph::CandidateList& list = lane.scratch.list;
    if (!search_.single || state_.pages.split || 2 * list.next_place() < search_.breadth.window) return false;
    const std::span<const Candidate> entries = list.entries();
    bool sent = false;
    for (const Candidate entry : entries.first(std::min(RerankRule::first(search_.k), entries.size()))) {
      if (lane.under_way >= at_once() || free_.empty()) break;
      if (lane.edges.state(state_.pages.edges.unit_of(slot_of(entry))) != BroughtPages::State::Unknown) continue;
      read(lane, entry & ~graph::kExpanded, true, false);
      sent = true;
    }
    return sent;
  }

  /// Compares the list with rows as far as a search in memory does, by the same rule, and sends for those that it looks
  /// for next and that no page brought so far.
  void compare_more(Lane& lane) {
    const std::span<const Candidate> entries = lane.scratch.list.entries();
    const std::size_t k = std::min<std::size_t>(search_.k, entries.size());
    const RecordPages& pages = state_.pages.split ? state_.pages.rows : state_.pages.edges;
    BroughtPages& brought = state_.pages.split ? lane.rows : lane.edges;
    const bool whole = entries.size() == rows().rows;  // exact search
    const auto is_here = [&](Candidate entry) {
      return brought.state(pages.unit_of(slot_of(entry))) != BroughtPages::State::Unknown;
    };
    const auto may_be_near = [&](std::size_t place) {
      return whole || lane.rule.may_be_near(distance_of(entries[place]), lane.nearest[k - 1], search_.spreads);
    };
    std::size_t& done = lane.compared_of_list;
    std::size_t end = 0;
    while (done < entries.size()) {
      end = std::min(done == 0 ? RerankRule::first(k) : done + RerankRule::kNext, entries.size());
      if (done > 0 && !may_be_near(done)) break;
      if (!std::all_of(entries.begin() + static_cast<std::ptrdiff_t>(done),
                       entries.begin() + static_cast<std::ptrdiff_t>(end), is_here))
        break;
      for (; done < end; ++done) {
        if (whole) continue;
        const float exact = distance_of(lane.compared[*lane.places.find(slot_of(entries[done]))]);
        lane.rule.add(distance_of(entries[done]), exact);
        lane.nearest.insert(std::upper_bound(lane.nearest.begin(), lane.nearest.end(), exact), exact);
        if (lane.nearest.size() > k) lane.nearest.pop_back();
      }
    }
    lane.compared_enough = done == entries.size() || (done > 0 && !may_be_near(done));
    if (lane.compared_enough) return;
    while (done > 0 && end < std::min(done + kMostAtOnce, entries.size()) && may_be_near(end)) ++end;
    const std::size_t most = search_.beam_width != 0 ? search_.beam_width : free_.size();
    for (std::size_t place = done; place < end && lane.under_way < most && !free_.empty(); ++place)
      if (!is_here(entries[place])) read(lane, entries[place] & ~graph::kExpanded, !state_.pages.split, false);
  }

  /// `of_edges`: of the pages that edges stand in; `expanding`: to go on from there, or for the row alone.
  void read(Lane& lane, Candidate candidate, bool of_edges, bool expanding) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    reads_[slot] = {&lane, candidate, of_edges, expanding};
    const RecordPages& pages = of_edges ? state_.pages.edges : state_.pages.rows;
    const std::uint64_t unit = pages.unit_of(slot_of(candidate));
    (of_edges ? lane.edges : lane.rows).send(unit);
    const std::uint64_t first = of_edges ? state_.edges_at : state_.rows_at;
    to_send_.push_back({first + unit * pages.blocks(), static_cast<std::uint32_t>(pages.blocks()), slot});
    ++lane.under_way;
  }
  void send() {
    for (const io::BlockRead& read : to_send_) statistics_->bytes += read.blocks * io::kBlockBytes;
    statistics_->reads += to_send_.size();
    reader_->submit(to_send_);
    to_send_.clear();
  }
  void receive(bool patient) {
    landed_.clear();
    if (patient && reader_->in_flight() > 0) ++statistics_->waits;
    if (patient)
      reader_->wait(landed_);
    else
      reader_->poll(landed_);
    for (const std::uint32_t slot : landed_) reads_[slot].lane->landed.push_back(slot);
  }

  void look_at(Lane& lane, std::uint32_t slot) {
    const Read& read = reads_[slot];
    const RecordPages& pages = read.of_edges ? state_.pages.edges : state_.pages.rows;
    const std::uint64_t unit = pages.unit_of(slot_of(read.candidate));
    if (!pages.is_whole(reader_->data(slot), unit))
      fail_node(state_, slot_of(read.candidate), "the checksum of its page is wrong");
    const std::byte* const bytes = reader_->data(slot);
    const bool first_time = (read.of_edges ? lane.edges : lane.rows).land(unit, bytes);
    if (first_time && (!read.of_edges || !state_.pages.split)) {
      const std::uint64_t first = unit * pages.records(),
                          end = std::min<std::uint64_t>(first + pages.records(), rows().rows);
      for (std::uint64_t node = first; node < end; ++node)
        compare(lane, static_cast<Slot>(node), bytes + pages.offset_of(static_cast<Slot>(node)));
    }
    if (!read.of_edges) return;
    if (read.expanding) {
      lane.width.landed(read.candidate < lane.scratch.list.limit());
      expand(lane, read.candidate, bytes);
    }
    std::erase_if(lane.waiting, [&](Candidate candidate) {
      if (pages.unit_of(slot_of(candidate)) != unit) return false;
      expand(lane, candidate, bytes);
      return true;
    });
  }
  void expand(Lane& lane, Candidate candidate, const std::byte* unit) {
    if (const std::uint32_t* const place = lane.places.find(slot_of(candidate)))
      lane.walk_rule.add(distance_of(candidate), distance_of(lane.compared[*place]));
    const NodePages& pages = state_.pages;
    const std::byte* const record = unit + pages.edges.offset_of(slot_of(candidate)) + pages.edges_at;
    std::uint32_t degree = 0;
    std::memcpy(&degree, record, sizeof degree);
    if (degree > pages.max_degree) fail_node(state_, slot_of(candidate), "it has " + std::to_string(degree) + " edges");
    std::memcpy(neighbors_.data(), record + sizeof degree, degree * sizeof(Slot));
    if (std::any_of(neighbors_.begin(), neighbors_.begin() + degree, [&](Slot to) { return to >= rows().rows; }))
      fail_node(state_, slot_of(candidate), "it has an edge to a node that is not there");
    lane.walk.expand({neighbors_.data(), degree});
    lane.walk.absorb();
  }
  void compare(Lane& lane, Slot node, const std::byte* row) {
    lane.places.insert(node, static_cast<std::uint32_t>(lane.compared.size()));
    const float exact = comparer_.compare(lane.row_query, row);
    lane.compared.push_back(graph::make_candidate(exact, node));
    lane.walk_rule.found(exact);
  }

  static constexpr std::size_t kMostAtOnce = 16;

  const DiskSpace& space_;
  const DiskIndex::State& state_;
  std::size_t blocks_;       // of the longest unit
  std::vector<Read> reads_;  // of each slot of the reader
  std::unique_ptr<io::BlockReader> reader_;
  std::vector<std::uint32_t> free_, landed_;
  std::vector<io::BlockRead> to_send_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  RowComparer comparer_;
  std::vector<Slot> neighbors_;
  DiskStatistics* statistics_ = nullptr;
  DiskSearch search_;
};

DiskLanes::DiskLanes(const DiskSpace& space) : work_(std::make_unique<Work>(space)) {}
DiskLanes::~DiskLanes() = default;
void DiskLanes::run(const VectorView& queries, const DiskSearch& search, DiskStatistics& statistics,
                    const Finish& finish) {
  work_->run(queries, search, statistics, finish);
}

}  // namespace diskann::index
