#include "io/posix_file_system.hpp"

#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>

#include "sample_container.hpp"
#include "scratch_directory.hpp"

namespace diskann::io {
namespace {

namespace fs = std::filesystem;

class PosixFileSystem : public testing::Test {
 protected:
  void make(const fs::path& path, const Bytes& content) {
    const auto file = files_.create(path, {});
    file->write(0, content);
    file->close();
  }
  ScratchDirectory directory_;
  FileSystem& files_ = posix_file_system();
};

TEST_F(PosixFileSystem, ReadsBackWhatWasWritten) {
  const Bytes content = random_bytes(100'000, 1);
  const fs::path path = directory_ / "file";
  {
    const auto file = files_.create(path, {});
    file->write(50'000, std::span(content).subspan(50'000));
    file->write(0, std::span(content).first(50'000));
    file->sync();
    file->close();
  }
  const auto file = files_.open(path);
  ASSERT_EQ(file->size(), content.size());
  Bytes part(1234);
  file->read(48'999, part);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), content.begin() + 48'999));
  const auto mapped = file->map();
  EXPECT_TRUE(std::equal(content.begin(), content.end(), mapped.get()));
}

TEST_F(PosixFileSystem, AMappingOutlivesTheFileAndItsName) {
  const Bytes content = random_bytes(5000, 2);
  make(directory_ / "file", content);
  std::shared_ptr<const std::byte> mapped = files_.open(directory_ / "file")->map();
  files_.remove(directory_ / "file");
  EXPECT_TRUE(std::equal(content.begin(), content.end(), mapped.get()));
}

TEST_F(PosixFileSystem, AnEmptyFileMapsToAValidPointer) {
  make(directory_ / "empty", {});
  EXPECT_NE(files_.open(directory_ / "empty")->map(), nullptr);
}

TEST_F(PosixFileSystem, ReadingBeyondTheEndIsCorruptAndNamesTheOffset) {
  make(directory_ / "file", random_bytes(100, 3));
  const auto file = files_.open(directory_ / "file");
  Bytes out(51);
  EXPECT_EQ(code_of([&] { file->read(50, out); }), ErrorCode::Corrupt);
  EXPECT_EQ(code_of([&] { file->read(~std::uint64_t{0}, out); }), ErrorCode::Corrupt);
  EXPECT_NE(message_of([&] { file->read(50, out); }).find("at offset 50, but the file ends at 100"), std::string::npos);
}

TEST_F(PosixFileSystem, AFileThatShrinksAfterItWasOpenedIsCorrupt) {
  make(directory_ / "file", random_bytes(10'000, 4));
  const auto file = files_.open(directory_ / "file");
  fs::resize_file(directory_ / "file", 4000);
  Bytes out(8000);
  EXPECT_EQ(code_of([&] { file->read(0, out); }), ErrorCode::Corrupt);
  EXPECT_EQ(code_of([&] { (void)file->map(); }), ErrorCode::Corrupt);
}

TEST_F(PosixFileSystem, RefusesWhatIsNotARegularFileWithoutWaiting) {
  ASSERT_EQ(::mkfifo((directory_ / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { files_.open(directory_ / "fifo"); }), ErrorCode::Io);
  EXPECT_NE(message_of([&] { files_.open(directory_ / "fifo"); }).find("FIFO"), std::string::npos);
  EXPECT_EQ(code_of([&] { files_.open(directory_.path()); }), ErrorCode::Io);
  EXPECT_NE(message_of([&] { files_.open(directory_.path()); }).find("directory"), std::string::npos);
  EXPECT_EQ(code_of([&] { files_.open("/dev/zero"); }), ErrorCode::Io);
}

TEST_F(PosixFileSystem, ErrorsCarryPathAndErrno) {
  const fs::path missing = directory_ / "missing";
  const auto check = [&](auto call) {
    try {
      call();
      ADD_FAILURE() << "no error";
    } catch (const IoError& error) {
      EXPECT_EQ(error.system_error(), ENOENT) << error.what();
      EXPECT_EQ(error.code(), ErrorCode::NotFound);
      EXPECT_NE(error.path().find("missing"), std::string::npos);
    }
  };
  check([&] { files_.open(missing); });
  check([&] { files_.create(missing / "file", {}); });
  check([&] { files_.remove(missing); });
  check([&] { files_.rename(missing, directory_ / "missing too"); });
  check([&] { files_.sync_directory(missing); });
}

TEST_F(PosixFileSystem, CreatesOnlyWhatIsNotThereAndFollowsNoLink) {
  make(directory_ / "file", bytes_of("old"));
  EXPECT_EQ(code_of([&] { files_.create(directory_ / "file", {}); }), ErrorCode::AlreadyExists);
  fs::create_symlink(directory_ / "target", directory_ / "link");
  EXPECT_EQ(code_of([&] { files_.create(directory_ / "link", {}); }), ErrorCode::AlreadyExists);
  EXPECT_FALSE(fs::exists(directory_ / "target"));
}

TEST_F(PosixFileSystem, NoFileTakesThePlaceOfADeviceOrAPipe) {
  make(directory_ / "file", bytes_of("new"));
  ASSERT_EQ(::mkfifo((directory_ / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(code_of([&] { files_.rename(directory_ / "file", directory_ / "pipe"); }), ErrorCode::InvalidArgument);
  EXPECT_TRUE(fs::is_fifo(directory_ / "pipe"));
}

TEST_F(PosixFileSystem, ADanglingLinkExists) {
  fs::create_symlink(directory_ / "target", directory_ / "link");
  EXPECT_TRUE(files_.exists(directory_ / "link"));
  EXPECT_FALSE(files_.exists(directory_ / "target"));
  make(directory_ / "file", {});
  EXPECT_FALSE(files_.exists(directory_ / "file" / "below"));
}

TEST_F(PosixFileSystem, NewFilesHaveTheModeThatTheUmaskLeaves) {
  for (const auto& [mask, mode] : {std::pair<mode_t, mode_t>{022, 0644}, {077, 0600}, {0, 0666}}) {
    const mode_t old = ::umask(mask);
    make(directory_ / "file", {});
    ::umask(old);
    struct stat status;
    ASSERT_EQ(::stat((directory_ / "file").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, mode);
    files_.remove(directory_ / "file");
  }
}

// A write that meets the limit is cut short first; only the rest of it fails.
TEST_F(PosixFileSystem, GoesOnAfterAShortWriteAndReportsWhereItStopped) {
  rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{10'000, old.rlim_max};
  const auto file = files_.create(directory_ / "file", {});
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string message, path;
  int error = 0;
  try {
    file->write(0, random_bytes(20'000, 5));
  } catch (const IoError& e) {
    message = e.what(), path = e.path(), error = e.system_error();
  }
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error, EFBIG);
  EXPECT_EQ(path, (directory_ / "file").string());
  EXPECT_NE(message.find("at offset 10000"), std::string::npos) << message;
  EXPECT_EQ(fs::file_size(directory_ / "file"), 10'000u);
}

TEST_F(PosixFileSystem, ReportsAnErrorOfCloseAndSyncAndNeverSucceedsLater) {
  const auto file = files_.create(directory_ / "file", {});
  file->close();
  EXPECT_EQ(code_of([&] { file->sync(); }), ErrorCode::Io);
  EXPECT_NE(message_of([&] { file->sync(); }).find("an earlier sync failed"), std::string::npos);
  EXPECT_EQ(code_of([&] { file->close(); }), ErrorCode::Io);
  EXPECT_EQ(code_of([&] { file->write(0, bytes_of("x")); }), ErrorCode::Io);
}

TEST_F(PosixFileSystem, OpenFilesAreNotInheritedByOtherPrograms) {
  make(directory_ / "file", bytes_of("x"));
  const auto reader = files_.open(directory_ / "file");
  const auto writer = files_.create(directory_ / "new", {});
  std::size_t ours = 0;
  for (const auto& entry : fs::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const std::string target = fs::read_symlink(entry.path(), ignored).string();
    if (target.rfind(directory_.path().string(), 0) != 0) continue;
    ++ours;
    std::ifstream info("/proc/self/fdinfo/" + entry.path().filename().string());
    std::string key, flags;
    while (info >> key >> flags && key != "flags:") {
    }
    EXPECT_NE(std::stoul(flags, nullptr, 8) & 02000000u, 0u) << target << " lacks O_CLOEXEC";
  }
  EXPECT_EQ(ours, 2u);
}

/// The child's system calls as on systems that lack some of them. False where that cannot be arranged.
bool forbid_calls(bool links) {
  const auto load = [](std::uint32_t offset) { return sock_filter(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset)); };
  const auto fail = [](int error) {
    return sock_filter(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(error)));
  };
  const auto unless = [](long number, std::uint8_t skip) {
    return sock_filter(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(number), 0, skip));
  };
  const sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  // Without flags it is a plain rename, which stays.
  std::vector<sock_filter> filter{load(offsetof(seccomp_data, nr)),
                                  unless(SYS_renameat2, 4),
                                  load(offsetof(seccomp_data, args) + 4 * sizeof(std::uint64_t)),
                                  unless(0, 1),
                                  allow,
                                  fail(EINVAL)};
  if (!links) {
#ifdef SYS_link
    filter.insert(filter.end(), {unless(SYS_link, 1), fail(EPERM)});
#endif
    filter.insert(filter.end(), {unless(SYS_linkat, 1), fail(EPERM)});
  }
  filter.push_back(allow);
  const sock_fprog program{static_cast<unsigned short>(filter.size()), filter.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

TEST_F(PosixFileSystem, RenamesToNewNamesOnlyWhateverTheSystemHas) {
  enum Exit { kRight, kWrong, kSkipped };
  for (const int kind : {0, 1, 2}) {
    SCOPED_TRACE(kind == 0 ? "all calls" : kind == 1 ? "without renameat2" : "without renameat2 and links");
    make(directory_ / "old", bytes_of("old"));
    make(directory_ / "taken", bytes_of("taken"));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      if (kind != 0 && !forbid_calls(kind == 1)) ::_exit(kSkipped);
      const bool refused =
          code_of([&] { files_.rename_new(directory_ / "old", directory_ / "taken"); }) == ErrorCode::AlreadyExists;
      if (!refused || fs::file_size(directory_ / "taken") != 5) ::_exit(kWrong);
      try {
        files_.rename_new(directory_ / "old", directory_ / "new");
      } catch (const Error&) {
        ::_exit(kWrong);
      }
      ::_exit(kRight);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    if (WEXITSTATUS(status) == kSkipped) GTEST_SKIP() << "no system call filters here";
    EXPECT_EQ(WEXITSTATUS(status), kRight);
    EXPECT_EQ(fs::file_size(directory_ / "new"), 3u);
    EXPECT_FALSE(fs::exists(directory_ / "old"));
    fs::remove(directory_ / "new");
    fs::remove(directory_ / "taken");
  }
}

}  // namespace
}  // namespace diskann::io
