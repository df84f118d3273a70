#include "io/directory_lock.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "diskann/error.hpp"
#include "io/file_system.hpp"
#include "scratch_directory.hpp"

namespace diskann::io {
namespace {

using namespace std::chrono_literals;

TEST(DirectoryLock, IsHeldByOneAtATime) {
  const ScratchDirectory directory, other;
  auto lock = lock_directory(directory.path(), nullptr, 0ms);
  if (lock == nullptr) GTEST_SKIP() << "no locks here";
  EXPECT_FALSE(file_system().try_lock_directory(directory.path()));
  EXPECT_NE(lock_directory(other.path(), nullptr, 0ms), nullptr);
  lock.reset();
  EXPECT_NE(lock_directory(directory.path(), nullptr, 0ms), nullptr);
}

TEST(DirectoryLock, ConcurrentHoldersWaitForEachOther) {
  const ScratchDirectory directory;
  auto lock = lock_directory(directory.path(), nullptr, 0ms);
  std::thread holder([&] {
    std::this_thread::sleep_for(100ms);
    lock.reset();
  });
  EXPECT_NO_THROW(lock_directory(directory.path(), nullptr, 60s));
  holder.join();
}

TEST(DirectoryLock, SaysWhoIsInTheWayWhenPatienceEnds) {
  const ScratchDirectory directory;
  const auto lock = lock_directory(directory.path(), nullptr, 0ms);
  if (lock == nullptr) GTEST_SKIP() << "no locks here";
  const auto start = std::chrono::steady_clock::now();
  try {
    lock_directory(directory.path(), nullptr, 200ms);
    FAIL() << "two hold the directory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Io);
    EXPECT_NE(std::string(error.what()).find(directory.path().string() + " is locked by another program"),
              std::string::npos);
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_GE(std::chrono::steady_clock::now() - start, 200ms);
}

TEST(DirectoryLock, AConcurrentCancelEndsTheWait) {
  const ScratchDirectory directory;
  const auto lock = lock_directory(directory.path(), nullptr, 0ms);
  if (lock == nullptr) GTEST_SKIP() << "no locks here";
  CancelToken token;
  std::thread canceller([&] {
    std::this_thread::sleep_for(50ms);
    token.cancel();
  });
  const auto start = std::chrono::steady_clock::now();
  try {
    lock_directory(directory.path(), &token, 60s);
    ADD_FAILURE() << "two hold the directory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Cancelled);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, 30s);
  canceller.join();
}

}  // namespace
}  // namespace diskann::io
