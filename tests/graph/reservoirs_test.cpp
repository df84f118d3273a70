#include "graph/reservoirs.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "base/random.hpp"
#include "graph/space.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann::graph {
namespace {

constexpr std::uint32_t kDegree = 8, kRoom = 32, kKept = 24;

struct Fixture {
  base::RowStore store = doubles::store_of(doubles::clustered(VectorType::U8, 400, 16, 5));
  KernelSpace space{Distance::L2, store, nullptr};

  /// Rows as candidates of row 0.
  std::vector<Candidate> scored(std::span<const Slot> slots) const {
    Pruner<KernelSpace> pruner(space, 8, 1.2f);
    std::vector<Candidate> candidates;
    pruner.score(0, slots, candidates);
    return candidates;
  }
  /// The nearest of some rows to row 0, all distances exact.
  std::vector<Candidate> nearest(std::span<const Slot> slots, std::size_t count) const {
    std::vector<Candidate> candidates = scored(slots);
    std::sort(candidates.begin(), candidates.end());
    candidates.resize(std::min(candidates.size(), count));
    return candidates;
  }
};

TEST(Reservoirs, HoldTheNearestInWhateverOrderTheyCome) {
  const Fixture fixture;
  Pruner<KernelSpace> pruner(fixture.space, kDegree, 1.2f);
  base::Random random(1);
  for (const std::size_t count : {std::size_t{1}, std::size_t{kKept}, std::size_t{kKept} + 1, std::size_t{kRoom},
                                  std::size_t{kRoom} + 1, std::size_t{399}}) {
    std::vector<Slot> slots(count);
    for (std::size_t i = 0; i < count; ++i) slots[i] = static_cast<Slot>(399 - i);
    const std::vector<Candidate> expected = fixture.nearest(slots, kKept);
    for (int order = 0; order < 20; ++order) {
      Reservoirs reservoirs(400, kRoom, kKept);
      std::vector<Candidate> work;
      for (std::size_t i = count; i > 1; --i) std::swap(slots[i - 1], slots[random.below(i)]);
      // Distances off by what the caller says, so that candidates seem nearer or farther than others.
      const float error = order % 2 == 0 ? 0.0f : distance_of(expected.back()) / 2;
      std::vector<Candidate> candidates = fixture.scored(slots);
      for (Candidate& candidate : candidates) {
        const float off = error * (static_cast<float>(random.below(201)) / 100.0f - 1.0f);
        candidate = make_candidate(distance_of(candidate) + off, slot_of(candidate));
      }
      const std::span<const Candidate> all(candidates);
      for (std::size_t begin = 0; begin < count;) {
        const std::size_t size = std::min<std::size_t>(1 + random.below(7), count - begin);
        reservoirs.add(0, all.subspan(begin, size), error, pruner, work);
        if (random.below(3) == 0) reservoirs.add(0, all.first(begin + size), error, pruner, work);  // again
        begin += size;
      }
      std::vector<Candidate> collected;
      reservoirs.collect(0, pruner, collected);
      ASSERT_EQ(collected, expected) << count << " candidates, order " << order;
    }
  }
}

TEST(Reservoirs, TakeCandidatesOfManyThreads) {
  const Fixture fixture;
  Reservoirs reservoirs(400, kRoom, kKept);
  std::vector<std::thread> threads;
  for (Slot first = 1; first <= 4; ++first) {
    threads.emplace_back([&, first] {
      Pruner<KernelSpace> pruner(fixture.space, kDegree, 1.2f);
      std::vector<Candidate> work;
      for (Slot slot = first; slot < 400; slot += 3) {  // three steps of four threads: most slots come twice
        const std::vector<Candidate> found = fixture.scored({&slot, 1});
        reservoirs.add(0, found, 0.0f, pruner, work);
        reservoirs.add(1, found, std::numeric_limits<float>::infinity(), pruner, work);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<Slot> all(399);
  for (Slot slot = 1; slot < 400; ++slot) all[slot - 1] = slot;
  Pruner<KernelSpace> pruner(fixture.space, kDegree, 1.2f);
  std::vector<Candidate> collected;
  reservoirs.collect(0, pruner, collected);
  EXPECT_EQ(collected, fixture.nearest(all, kKept));
}

}  // namespace
}  // namespace diskann::graph
