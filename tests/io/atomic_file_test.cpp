#include "io/atomic_file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <barrier>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "sample_container.hpp"
#include "scratch_directory.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::io {
namespace {

namespace fs = std::filesystem;
using doubles::Fault;
using doubles::FaultFileSystem;
using doubles::Operation;

void write_file(const fs::path& path, const Bytes& content, bool overwrite = true) {
  AtomicFile file(path, overwrite);
  file.write(content);
  file.commit();
}

std::vector<Operation> operations(const FaultFileSystem& files) {
  std::vector<Operation> operations;
  for (const doubles::Event& event : files.trace()) operations.push_back(event.operation);
  return operations;
}

class AtomicFileTest : public testing::Test {
 protected:
  FaultFileSystem files_;
  FileSystemOverride override_{files_};
};

TEST_F(AtomicFileTest, MakesContentDurableBeforeTheNameAndTheNameBeforeItReturns) {
  write_file("/d/file", bytes_of("content"));
  EXPECT_EQ(operations(files_), (std::vector{Operation::Status, Operation::Create, Operation::Write, Operation::Sync,
                                             Operation::Close, Operation::Rename, Operation::SyncDirectory}));
  EXPECT_EQ(files_.trace().back().path, "/d");
  EXPECT_EQ(files_.names(), std::vector<std::string>{"/d/file"});
  EXPECT_EQ(files_.crash(0).content("/d/file"), bytes_of("content"));
}

TEST_F(AtomicFileTest, TheTemporaryFileStandsBesideItsTargetUnderAHiddenNameOfItsOwn) {
  AtomicFile one("/d/file", true), two("/d/file", true);
  const std::vector<std::string> names = files_.names();
  ASSERT_EQ(names.size(), 2u);
  for (const std::string& name : names) {
    EXPECT_EQ(name.rfind("/d/.file." + std::to_string(::getpid()) + "-", 0), 0u) << name;
    EXPECT_TRUE(name.ends_with(".tmp")) << name;
  }
}

TEST_F(AtomicFileTest, ANameWithoutADirectoryIsInTheCurrentOne) {
  write_file("file", bytes_of("x"));
  EXPECT_EQ(files_.trace().back().path, ".");
}

TEST_F(AtomicFileTest, RefusesAPathThatNamesNoFile) {
  for (const char* path : {"", "/", "/d/", "/d/.", ".."})
    EXPECT_EQ(code_of([&] { AtomicFile file(path, true); }), ErrorCode::InvalidArgument) << path;
  EXPECT_TRUE(files_.names().empty());
}

TEST_F(AtomicFileTest, WithoutCommitTheOldFileStaysAndTheTemporaryOneIsGone) {
  files_.put("/d/file", bytes_of("old"));
  { AtomicFile(fs::path("/d/file"), true).write(random_bytes(3'000'000, 1)); }
  EXPECT_EQ(files_.names(), std::vector<std::string>{"/d/file"});
  EXPECT_EQ(files_.content("/d/file"), bytes_of("old"));
}

TEST_F(AtomicFileTest, AFileThatExistsIsRefusedAtOnceAndAgainAtCommit) {
  files_.put("/d/file", bytes_of("old"));
  EXPECT_EQ(code_of([&] { AtomicFile file("/d/file", false); }), ErrorCode::AlreadyExists);
  {
    AtomicFile file("/d/other", false);
    file.write(bytes_of("mine"));
    files_.put("/d/other", bytes_of("theirs"));
    EXPECT_EQ(code_of([&] { file.commit(); }), ErrorCode::AlreadyExists);
  }
  EXPECT_EQ(files_.content("/d/other"), bytes_of("theirs"));
  EXPECT_EQ(files_.names().size(), 2u);
}

TEST_F(AtomicFileTest, TakesAnotherNameWhereADeadProcessLeftItsTemporaryFile) {
  files_.arm({Operation::Create, 1, EEXIST});
  write_file("/d/file", bytes_of("content"));
  EXPECT_TRUE(files_.fired());
  EXPECT_EQ(files_.content("/d/file"), bytes_of("content"));
  files_.arm({Operation::Create, 1, EEXIST, true});
  EXPECT_EQ(code_of([&] { write_file("/d/file", {}); }), ErrorCode::AlreadyExists);
}

TEST_F(AtomicFileTest, ArbitraryPiecesAddUpToTheSameFileInFewWrites) {
  base::Random random(20'240);
  Bytes expected;
  {
    AtomicFile file("/d/file", true);
    for (int i = 0; i < 3000; ++i) {
      const std::size_t size = random.below(100) == 0 ? random.below(3'000'000) : random.below(2000);
      const Bytes piece = random_bytes(size, random.next());
      expected.insert(expected.end(), piece.begin(), piece.end());
      file.write(piece);
      ASSERT_EQ(file.position(), expected.size());
      if (random.below(500) == 0) {
        const std::size_t at = random.below(expected.size());
        const Bytes patch = random_bytes(random.below(expected.size() - at), random.next());
        std::copy(patch.begin(), patch.end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
        file.write_at(at, patch);
        ASSERT_EQ(file.position(), expected.size());
      }
    }
    file.commit();
  }
  EXPECT_TRUE(files_.content("/d/file") == expected);
  EXPECT_LT(files_.calls(Operation::Write), 150u);
}

TEST_F(AtomicFileTest, NothingIsCommittedAfterAFailedWriteOrSync) {
  for (const Operation operation : {Operation::Write, Operation::Sync, Operation::Close}) {
    AtomicFile file("/d/file", true);
    file.write(bytes_of("content"));
    files_.arm({operation, 1, EIO});
    EXPECT_EQ(code_of([&] { file.commit(); }), ErrorCode::Io);
    EXPECT_THROW(file.commit(), Error) << "the fault is over, but what it lost is lost";
    EXPECT_FALSE(files_.content("/d/file"));
  }
}

TEST_F(AtomicFileTest, AFailedSyncOfTheDirectorySaysThatTheFileIsInPlace) {
  files_.arm({Operation::SyncDirectory, 1, EIO});
  EXPECT_NE(message_of([&] { write_file("/d/file", bytes_of("new")); }).find("is in place"), std::string::npos);
  EXPECT_EQ(files_.content("/d/file"), bytes_of("new"));
  EXPECT_EQ(files_.names().size(), 1u);
}

TEST(AtomicFileOnDisk, FollowsAsManyLinksAsTheSystem) {
  ScratchDirectory directory;
  write_file(directory / "0", bytes_of("old"));
  for (int i = 1; i <= 41; ++i) fs::create_symlink(std::to_string(i - 1), directory / std::to_string(i));
  for (const int links : {40, 41}) {
    std::error_code error;
    (void)fs::file_size(directory / std::to_string(links), error);
    ASSERT_EQ(!error, links == 40) << "the system's own limit";
    const auto write = [&] { write_file(directory / std::to_string(links), bytes_of("new")); };
    if (error)
      EXPECT_EQ(code_of(write), ErrorCode::Io);
    else
      EXPECT_NO_THROW(write());
  }
}

TEST(AtomicFileOnDisk, WritesWhereSymbolicLinksLead) {
  ScratchDirectory directory;
  fs::create_directories(directory / "there" / "below");
  fs::create_symlink("there", directory / "folder");
  fs::create_symlink("folder/below/link", directory / "link");
  fs::create_symlink("../target", directory / "there" / "below" / "link");
  const fs::path target = directory / "there" / "target";
  write_file(target, bytes_of("target"));
  fs::permissions(target, fs::perms{0600});
  EXPECT_EQ(code_of([&] { AtomicFile file(directory / "link", false); }), ErrorCode::AlreadyExists);
  EXPECT_EQ(fs::canonical(output_target(directory / "link")), fs::canonical(target));
  {
    AtomicFile file(directory / "link", true);
    file.write(bytes_of("new"));
    EXPECT_EQ(std::distance(fs::directory_iterator(directory / "there"), {}), 3) << "not beside its target";
    file.commit();
  }
  EXPECT_TRUE(fs::is_symlink(directory / "link"));
  EXPECT_TRUE(fs::is_symlink(directory / "there" / "below" / "link"));
  EXPECT_FALSE(fs::is_symlink(target));
  EXPECT_EQ(fs::file_size(target), 3u);
  EXPECT_EQ(fs::status(target).permissions(), fs::perms{0600});
  fs::remove(target);
  write_file(directory / "link", bytes_of("created"), false);
  EXPECT_EQ(fs::file_size(target), 7u);
  EXPECT_EQ(std::distance(fs::recursive_directory_iterator(directory.path()), {}), 6) << "a temporary file is left";
}

TEST(AtomicFileOnDisk, RefusesLinksToWhatHasNoName) {
  ScratchDirectory directory;
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const fs::path unnamed = directory / "unnamed";
  write_file(unnamed, bytes_of("x"));
  const int file = ::open(unnamed.c_str(), O_RDONLY);
  ASSERT_GE(file, 0);
  fs::remove(unnamed);
  const auto code = [](int descriptor) {
    return code_of([&] { AtomicFile("/proc/self/fd/" + std::to_string(descriptor), true).commit(); });
  };
  EXPECT_EQ(code(ends[1]), ErrorCode::InvalidArgument);
  EXPECT_EQ(code(file), ErrorCode::InvalidArgument);
  for (const int descriptor : {ends[0], ends[1], file}) ::close(descriptor);
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(AtomicFileOnDisk, KeepsThePermissionsOfTheFileThatItReplaces) {
  ScratchDirectory directory;
  const fs::path path = directory / "file";
  for (const auto mode : {0600u, 0640u, 0666u, 0444u}) {  // less and more than the usual umask leaves
    write_file(path, bytes_of("old"));
    fs::permissions(path, fs::perms{mode});
    {
      AtomicFile file(path, true);
      for (const auto& entry : fs::directory_iterator(directory.path()))
        EXPECT_EQ(entry.status().permissions(), fs::perms{mode}) << "open while it is written: " << entry.path();
      file.commit();
    }
    EXPECT_EQ(fs::status(path).permissions(), fs::perms{mode});
    fs::remove(path);
  }
}

/// Another user while it lives, who is in no group of root's files.
class AsNobody {
 public:
  AsNobody() : done_(::setegid(65'534) == 0 && ::seteuid(65'534) == 0) {}
  ~AsNobody() {
    if (::seteuid(0) != 0 || ::setegid(0) != 0) std::abort();
  }
  bool done() const { return done_; }

 private:
  bool done_;
};

TEST(AtomicFileOnDisk, GivesNoOtherGroupWhatOnlyTheOldOneHad) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can make the files of others";
  ScratchDirectory directory;
  fs::permissions(directory.path(), fs::perms::all);
  const fs::path path = directory / "file";
  struct Case {
    mode_t old, by_root, by_nobody;
  };
  for (const Case& each : {Case{0640, 0640, 0600}, {0664, 0664, 0644}, {0604, 0604, 0600}, {0666, 0666, 0666}}) {
    for (const bool nobody : {false, true}) {
      write_file(path, bytes_of("old"));
      ASSERT_EQ(::chown(path.c_str(), 0, 1), 0);
      ASSERT_EQ(::chmod(path.c_str(), each.old | 04000), 0);  // what is written anew is no program of root's
      if (nobody) {
        const AsNobody user;
        ASSERT_TRUE(user.done());
        write_file(path, bytes_of("new"));
      } else {
        write_file(path, bytes_of("new"));
      }
      struct stat status;
      ASSERT_EQ(::stat(path.c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 07777, nobody ? each.by_nobody : each.by_root) << each.old;
      EXPECT_EQ(status.st_gid, nobody ? 65'534u : 1u);
      fs::remove(path);
    }
  }
}

TEST(AtomicFileOnDisk, RefusesALinkToWhatNoFileCanReplace) {
  ScratchDirectory directory;
  fs::create_directory(directory / "folder");
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  fs::create_symlink("/dev/null", directory / "to-device");
  fs::create_symlink("pipe", directory / "to-pipe");
  fs::create_symlink("folder", directory / "to-folder");
  fs::create_symlink("loop", directory / "loop");
  fs::create_symlink("to-device", directory / "to-link");
  const auto code = [&](const char* name) { return code_of([&] { write_file(directory / name, bytes_of("new")); }); };
  for (const char* name : {"to-device", "to-pipe", "to-link"})
    EXPECT_EQ(code(name), ErrorCode::InvalidArgument) << name;
  for (const char* name : {"to-folder", "loop"}) EXPECT_EQ(code(name), ErrorCode::Io) << name;
  for (const char* name : {"to-device", "to-pipe", "to-link", "to-folder", "loop"})
    EXPECT_TRUE(fs::is_symlink(directory / name)) << name;
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 7) << "a temporary file is left";
}

TEST(AtomicFileOnDisk, ReleaseLeavesADurableFileUnderAnotherName) {
  ScratchDirectory directory;
  fs::path temporary;
  {
    AtomicFile file(directory / "file", true);
    file.write(bytes_of("content"));
    temporary = file.release();
  }
  EXPECT_FALSE(fs::exists(directory / "file"));
  EXPECT_EQ(temporary.parent_path(), directory.path());
  EXPECT_EQ(fs::file_size(temporary), 7u);
}

TEST(AtomicFileOnDisk, OnlyTemporaryFilesOfThisMomentAreRemoved) {
  ScratchDirectory directory;
  {
    std::vector<std::unique_ptr<AtomicFile>> many;
    for (int i = 0; i < 200; ++i) many.push_back(std::make_unique<AtomicFile>(directory / std::to_string(i), true));
    remove_temporary_files();
    EXPECT_LE(std::distance(fs::directory_iterator(directory.path()), {}), 200 - 64);
  }
  write_file(directory / "done", bytes_of("content"));
  { AtomicFile file(directory / "dropped", true); }
  AtomicFile released(directory / "released", true);
  const fs::path name = released.release();
  AtomicFile open(directory / "open", true);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 3);
  remove_temporary_files();
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 2);
  EXPECT_TRUE(fs::exists(directory / "done"));
  EXPECT_TRUE(fs::exists(name));
}

TEST(AtomicFileOnDisk, ATokenThatIsSetBeforeTheFileIsInPlaceStopsIt) {
  ScratchDirectory directory;
  write_file(directory / "file", bytes_of("old"));
  CancelToken token;
  token.cancel();
  EXPECT_EQ(code_of([&] { AtomicFile(directory / "file", true).commit(&token); }), ErrorCode::Cancelled);
  EXPECT_EQ(fs::file_size(directory / "file"), 3u);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(AtomicFileOnDisk, ConcurrentNewFilesOfOneNameHaveOneWriter) {
  ScratchDirectory directory;
  for (int round = 0; round < 200; ++round) {
    const fs::path path = directory / std::to_string(round);
    std::barrier start(3);
    std::atomic<int> winners{0}, losers{0};
    std::vector<std::thread> writers;
    for (int i = 0; i < 3; ++i) {
      writers.emplace_back([&] {
        AtomicFile file(path, false);
        file.write(bytes_of("content"));
        start.arrive_and_wait();
        try {
          file.commit();
          ++winners;
        } catch (const Error& error) {
          if (error.code() == ErrorCode::AlreadyExists) ++losers;
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    ASSERT_EQ(winners, 1) << "round " << round;
    ASSERT_EQ(losers, 2) << "round " << round;
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 200) << "a temporary file is left";
}

TEST(AtomicFileOnDisk, RefusesWhatNoFileCanReplaceWhenItIsOpened) {
  ScratchDirectory directory;
  fs::create_directory(directory / "folder");
  EXPECT_EQ(code_of([&] { AtomicFile file(directory / "folder", true); }), ErrorCode::Io);
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { AtomicFile file(directory / "pipe", true); }), ErrorCode::InvalidArgument);
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 2) << "a temporary file is left";
}

TEST(AtomicFileOnDisk, WritesTheLongestNameThatTheSystemAllows) {
  ScratchDirectory directory;
  const fs::path path = directory / std::string(255, 'x');
  write_file(path, bytes_of("content"));
  EXPECT_EQ(fs::file_size(path), 7u);
}

/// A file system in memory of one size, for as long as it lives.
class SmallDisk {
 public:
  explicit SmallDisk(const char* size) {
    if (::mount("diskann-test", directory_.path().c_str(), "tmpfs", 0, (std::string("size=") + size).c_str()) != 0)
      why_not_ = std::strerror(errno);
  }
  ~SmallDisk() {
    if (why_not_.empty()) ::umount2(directory_.path().c_str(), MNT_DETACH);
  }
  const std::string& why_not() const { return why_not_; }
  fs::path operator/(const char* name) const { return directory_ / name; }

 private:
  ScratchDirectory directory_;
  std::string why_not_;
};

TEST(AtomicFileOnDisk, AFullDiskLeavesTheOldFileAndNoTemporaryOne) {
  SmallDisk disk("1m");
  if (!disk.why_not().empty()) GTEST_SKIP() << "cannot mount a tmpfs: " << disk.why_not();
  const fs::path path = disk / "file";
  write_file(path, random_bytes(300'000, 1));
  const auto free_before = fs::space(path).available;
  try {
    write_file(path, random_bytes(3'000'000, 2));
    FAIL() << "3 MB fit a disk of 1 MB";
  } catch (const IoError& error) {
    EXPECT_EQ(error.system_error(), ENOSPC);
    EXPECT_EQ(error.path(), path) << "not the temporary name";
    EXPECT_FALSE(error.hint().empty());
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(path.parent_path()), {}), 1);
  EXPECT_EQ(fs::space(path).available, free_before);
  Bytes content(300'000);
  file_system().open(path)->read(0, content);
  EXPECT_EQ(content, random_bytes(300'000, 1));
}

}  // namespace
}  // namespace diskann::io
