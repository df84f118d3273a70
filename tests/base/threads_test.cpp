#include "base/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace diskann::base {
namespace {

Execution threads(unsigned count) {
  Execution execution;
  execution.threads = count;
  return execution;
}

TEST(Threads, EveryIndexIsVisitedOnce) {
  for (const unsigned workers : {1u, 2u, 3u, 5u, 40u}) {
    ThreadTeam team(threads(workers));
    ASSERT_EQ(team.threads(), workers);
    for (const std::uint64_t count : {0u, 1u, 7u, 64u, 1000u}) {
      for (const std::uint64_t grain : {0u, 1u, 3u, 64u, 5000u}) {
        std::vector<int> visits(count);  // plain: a second visit from another thread is a race that TSan sees
        team.run(count, grain, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
          EXPECT_LT(thread, workers);
          EXPECT_LT(begin, end);
          EXPECT_LE(end - begin, std::max<std::uint64_t>(grain, 1));
          for (std::uint64_t i = begin; i < end; ++i) ++visits[i];
        });
        EXPECT_EQ(visits, std::vector<int>(count, 1)) << workers << " threads, grain " << grain;
      }
    }
  }
}

TEST(Threads, ChunksAreTheSameAtEveryThreadCount) {
  for (const unsigned workers : {1u, 4u}) {
    ThreadTeam team(threads(workers));
    std::vector<std::uint64_t> end_of(100);
    team.run(100, 9, [&](unsigned, std::uint64_t begin, std::uint64_t end) { end_of[begin] = end; });
    for (std::uint64_t begin = 0; begin < 100; ++begin) {
      EXPECT_EQ(end_of[begin], begin % 9 == 0 ? std::min<std::uint64_t>(begin + 9, 100) : 0);
    }
  }
}

TEST(Threads, AThreadNumberIsUsedByOneThreadAtATime) {
  ThreadTeam team(threads(4));
  std::vector<std::uint64_t> own(4);  // plain, as scratch per thread is
  team.run(20'000, 1, [&](unsigned thread, std::uint64_t, std::uint64_t) { ++own[thread]; });
  EXPECT_EQ(own[0] + own[1] + own[2] + own[3], 20'000u);
}

TEST(Threads, ZeroMeansAllThatTheProcessMayUse) {
  ThreadTeam team(threads(0));
  EXPECT_EQ(team.threads(), available_threads());
  EXPECT_GE(available_threads(), 1u);
}

TEST(Threads, TheFirstExceptionReachesTheCallerAndStopsTheRest) {
  for (const unsigned workers : {1u, 2u, 5u}) {
    ThreadTeam team(threads(workers));
    for (int round = 0; round < 20; ++round) {  // the team is as good as new after each
      std::atomic<std::uint64_t> visited{0};
      try {
        team.run(50'000'000, 1, [&](unsigned, std::uint64_t begin, std::uint64_t) {
          ++visited;
          if (begin == 10) throw std::runtime_error("ten");
        });
        FAIL() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "ten");
      }
      EXPECT_LT(visited, 50'000'000u);
    }
    std::atomic<std::uint64_t> visited{0};
    team.run(100, 1, [&](unsigned, std::uint64_t, std::uint64_t) { ++visited; });
    EXPECT_EQ(visited, 100u);
  }
}

TEST(Threads, ExceptionsOfAllThreadsAtOnceBecomeOne) {
  ThreadTeam team(threads(5));
  for (int round = 0; round < 50; ++round) {
    EXPECT_THROW(team.run(100, 1, [](unsigned, std::uint64_t, std::uint64_t) { throw Error(ErrorCode::Io, "all"); }),
                 Error);
  }
}

TEST(Threads, OfSeveralExceptionsThatOfTheLowestChunkIsThrown) {
  for (const unsigned workers : {1u, 2u, 5u}) {
    ThreadTeam team(threads(workers));
    for (int round = 0; round < 3; ++round) {
      try {
        team.run(1000, 10, [](unsigned, std::uint64_t begin, std::uint64_t) {
          if (begin < 20) return;
          if (begin == 20) std::this_thread::sleep_for(std::chrono::milliseconds(20));
          throw std::runtime_error(std::to_string(begin));
        });
        FAIL() << "nothing was thrown";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "20") << workers << " threads";
      }
    }
  }
}

TEST(Threads, CancellingStopsBetweenChunks) {
  for (const unsigned workers : {1u, 3u}) {
    CancelToken token;
    Execution execution = threads(workers);
    execution.cancel = &token;
    ThreadTeam team(execution);
    std::atomic<std::uint64_t> visited{0};
    const auto body = [&](unsigned, std::uint64_t, std::uint64_t) {
      if (++visited == 100) token.cancel();
    };
    try {
      team.run(1'000'000'000, 1, body);
      FAIL() << "nothing was thrown";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Cancelled);
    }
    EXPECT_LT(visited, 1'000'000u);
    visited = 0;
    EXPECT_THROW(team.run(10, 1, body), Error);  // still cancelled: nothing is begun
    EXPECT_EQ(visited, 0u);
    EXPECT_THROW(team.run(0, 1, body), Error);
  }
}

TEST(Threads, SectionsFollowEachOtherAndSeeWhatTheOneBeforeWrote) {
  ThreadTeam team(threads(4));
  std::vector<std::uint64_t> values(257, 1);
  for (int round = 0; round < 500; ++round) {
    std::vector<std::uint64_t> next(values.size());
    team.run(values.size(), 5, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
      for (std::uint64_t i = begin; i < end; ++i) next[i] = values[(i + 1) % values.size()] + 1;
    });
    values = std::move(next);
  }
  EXPECT_EQ(values, std::vector<std::uint64_t>(257, 501));
}

TEST(Threads, TeamsOfSeveralCallersDoNotMeet) {
  std::vector<std::thread> callers;
  std::atomic<std::uint64_t> sum{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int round = 0; round < 20; ++round) {
        ThreadTeam team(threads(3));
        team.run(50, 2, [&](unsigned, std::uint64_t begin, std::uint64_t end) { sum += end - begin; });
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(sum, 4u * 20 * 50);
}

TEST(Threads, AnUnusedTeamEnds) {
  for (int round = 0; round < 50; ++round) ThreadTeam team(threads(8));
}

TEST(ThreadsProgress, IsReportedFromOneThreadAtATimeAndAtTheEnd) {
  Execution execution = threads(4);
  int inside = 0;  // plain: TSan sees two callbacks at once
  std::vector<Progress> reports;
  execution.progress = [&](const Progress& progress) {
    EXPECT_EQ(++inside, 1);
    EXPECT_EQ(progress.stage, "stage");
    reports.push_back(progress);
    --inside;
  };
  {
    ThreadTeam team(execution);
    ProgressMeter meter(execution, "stage", 400);
    team.run(400, 1, [&](unsigned, std::uint64_t, std::uint64_t) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      meter.add(1);
    });
  }
  ASSERT_GE(reports.size(), 2u);
  EXPECT_LE(reports.size(), 20u);  // about ten a second
  for (std::size_t i = 1; i < reports.size(); ++i) EXPECT_LE(reports[i - 1].done, reports[i].done);
  EXPECT_EQ(reports.back().done, 400u);
  EXPECT_EQ(reports.back().total, 400u);
}

TEST(ThreadsProgress, OfAFailedStageHasNoEnd) {
  Execution execution;
  int reports = 0;
  execution.progress = [&](const Progress&) { ++reports; };
  try {
    ProgressMeter meter(execution, "stage", 10);
    throw std::runtime_error("failed");
  } catch (const std::runtime_error&) {
  }
  EXPECT_EQ(reports, 0);
}

TEST(ThreadsProgress, AnExceptionOfTheCallbackReachesTheCaller) {
  Execution execution;
  execution.progress = [](const Progress&) { throw std::runtime_error("callback"); };
  EXPECT_THROW({ ProgressMeter meter(execution, "stage", 10); }, std::runtime_error);
}

}  // namespace
}  // namespace diskann::base
