#include "io/block_device.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <queue>
#include <thread>

#include "diskann/error.hpp"
#include "io/block_device_uring.hpp"
#include "io/file_system.hpp"

namespace diskann::io {
namespace {

constexpr std::size_t kLeastBytes = std::size_t{64}
                                    << 10;  // smaller arrays do not start at a page, as direct reads want

}  // namespace

BlockReader::BlockReader(std::size_t slots, std::size_t blocks, bool owned)
    : blocks_(blocks), memory_(owned ? std::max(slots * blocks * kBlockBytes, kLeastBytes) : 0), data_(slots) {
  for (std::size_t i = 0; owned && i < slots; ++i) data_[i] = memory(static_cast<std::uint32_t>(i));
}

void BlockReader::submit(std::span<const BlockRead> reads) {
  if (reads.empty()) return;
  in_flight_ += reads.size();
  send(reads);
}

void BlockReader::collect(std::vector<std::uint32_t>& landed, bool patient) {
  const std::size_t before = landed.size();
  receive(landed, patient);
  in_flight_ -= landed.size() - before;
}

namespace {

/// A file in memory. As it was opened: one that became shorter since is the system's to notice.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path) {
    const auto file = file_system().open(path);
    path_ = file->path();
    blocks_ = file->size() / kBlockBytes;
    bytes_ = file->map();
  }
  const std::byte* find(const BlockRead& read) const {
    if (read.block + read.blocks > blocks_)
      throw Error(ErrorCode::Corrupt, path_ + ": the file ends before block " + std::to_string(read.block));
    return bytes_.get() + read.block * kBlockBytes;
  }

 private:
  std::string path_;
  std::uint64_t blocks_ = 0;
  std::shared_ptr<const std::byte> bytes_;
};

class MappedReader final : public BlockReader {
 public:
  MappedReader(const MappedFile& file, std::size_t slots, std::size_t blocks)
      : BlockReader(slots, blocks, false), file_(file) {}

 private:
  void send(std::span<const BlockRead> reads) override {
    for (const BlockRead& read : reads) {
      set_data(read.slot, file_.find(read));
      landed_.push_back(read.slot);
    }
  }
  void receive(std::vector<std::uint32_t>& landed, bool) override {
    landed.insert(landed.end(), landed_.begin(), landed_.end());
    landed_.clear();
  }

  const MappedFile& file_;
  std::vector<std::uint32_t> landed_;
};

class MappedDevice final : public BlockDevice {
 public:
  explicit MappedDevice(const std::filesystem::path& path) : file_(path) {}
  std::unique_ptr<BlockReader> reader(std::size_t slots, std::size_t blocks) override {
    return std::make_unique<MappedReader>(file_, slots, blocks);
  }
  std::string description() const override { return "mapped"; }

 private:
  MappedFile file_;
};

/// Threads that read for everybody; as many as there were ever reads under way, up to kMost.
class ReadingThreads {
 public:
  ~ReadingThreads() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  /// After an exception the job is not run.
  void run(std::function<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      jobs_.push_back(std::move(job));
      if (idle_ < jobs_.size() && threads_.size() < kMost) start();
    }
    wake_.notify_one();
  }

 private:
  static constexpr std::size_t kMost = 64;

  void start() {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::exception& error) {
      if (!threads_.empty()) return;  // those that there are do it
      jobs_.pop_back();
      throw Error(ErrorCode::Io, std::string("cannot start a thread to read with: ") + error.what());
    }
  }
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      wake_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
      --idle_;
      if (jobs_.empty()) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      lock.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

class ThreadsReader final : public BlockReader {
 public:
  ThreadsReader(const ReadableFile& file, ReadingThreads& threads, std::size_t slots, std::size_t blocks)
      : BlockReader(slots, blocks, true), file_(file), threads_(threads) {}
  ~ThreadsReader() override {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] { return running_ == 0; });
  }

 private:
  void send(std::span<const BlockRead> reads) override {
    for (const BlockRead& read : reads) {
      {
        const std::lock_guard lock(mutex_);
        ++running_;
      }
      try {
        threads_.run([this, read] { work(read); });
      } catch (...) {
        const std::lock_guard lock(mutex_);
        --running_;
        throw;
      }
    }
  }
  void work(const BlockRead& read) noexcept {
    std::exception_ptr failed;
    try {
      file_.read(read.block * kBlockBytes, {memory(read.slot), read.blocks * kBlockBytes});
    } catch (...) {
      failed = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    landed_.push_back({read.slot, std::move(failed)});
    --running_;
    wake_.notify_one();
  }
  void receive(std::vector<std::uint32_t>& landed, bool patient) override {
    std::unique_lock lock(mutex_);
    if (patient) wake_.wait(lock, [&] { return !landed_.empty(); });
    std::exception_ptr failed;
    for (const Landed& one : landed_) {
      landed.push_back(one.slot);
      if (one.failed && !failed) failed = one.failed;
    }
    landed_.clear();
    if (failed) std::rethrow_exception(failed);
  }

  struct Landed {
    std::uint32_t slot;
    std::exception_ptr failed;
  };
  const ReadableFile& file_;
  ReadingThreads& threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Landed> landed_;
  std::size_t running_ = 0;
};

class ThreadsDevice final : public BlockDevice {
 public:
  ThreadsDevice(std::shared_ptr<const ReadableFile> file, bool direct) : file_(std::move(file)), direct_(direct) {}
  std::unique_ptr<BlockReader> reader(std::size_t slots, std::size_t blocks) override {
    return std::make_unique<ThreadsReader>(*file_, threads_, slots, blocks);
  }
  std::string description() const override { return direct_ ? "threads, direct" : "threads, cached"; }

 private:
  std::shared_ptr<const ReadableFile> file_;
  bool direct_;
  ReadingThreads threads_;
};

/// Readers of the first, or of the second where the system gives no more of those.
class EitherDevice final : public BlockDevice {
 public:
  EitherDevice(std::unique_ptr<BlockDevice> first, std::unique_ptr<BlockDevice> second)
      : first_(std::move(first)), second_(std::move(second)) {}
  std::unique_ptr<BlockReader> reader(std::size_t slots, std::size_t blocks) override {
    try {
      return first_->reader(slots, blocks);
    } catch (const IoError&) {
      return second_->reader(slots, blocks);
    }
  }
  std::string description() const override { return first_->description(); }

 private:
  std::unique_ptr<BlockDevice> first_, second_;
};

using Clock = std::chrono::steady_clock;

/// When the drive starts reads.
class Drive {
 public:
  explicit Drive(const SimulatedDrive& drive)
      : latency_(in_clock(drive.latency_us * 1e-6)), interval_(in_clock(1 / drive.reads_per_second)) {}
  /// When a read that is sent now will land.
  Clock::time_point send() {
    const std::lock_guard lock(mutex_);
    const Clock::time_point start = std::max(Clock::now(), free_);
    free_ = start + interval_;
    return start + latency_;
  }

 private:
  static Clock::duration in_clock(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  std::mutex mutex_;
  Clock::duration latency_, interval_;
  Clock::time_point free_{};
};

class SimulatedReader final : public BlockReader {
 public:
  SimulatedReader(const MappedFile& file, Drive& drive, std::size_t slots, std::size_t blocks)
      : BlockReader(slots, blocks, false), file_(file), drive_(drive) {}

 private:
  void send(std::span<const BlockRead> reads) override {
    for (const BlockRead& read : reads) {
      set_data(read.slot, file_.find(read));
      under_way_.push({drive_.send(), read.slot});
    }
  }
  void receive(std::vector<std::uint32_t>& landed, bool patient) override {
    if (patient) {
      std::this_thread::sleep_until(under_way_.top().first - kOversleep);
      while (under_way_.top().first > Clock::now()) {
      }
    }
    for (const auto now = Clock::now(); !under_way_.empty() && under_way_.top().first <= now; under_way_.pop())
      landed.push_back(under_way_.top().second);
  }

  static constexpr std::chrono::microseconds kOversleep{200};  // sleep may take so much longer than it is told to
  using Landing = std::pair<Clock::time_point, std::uint32_t>;
  const MappedFile& file_;
  Drive& drive_;
  std::priority_queue<Landing, std::vector<Landing>, std::greater<>> under_way_;
};

class SimulatedDevice final : public BlockDevice {
 public:
  SimulatedDevice(const std::filesystem::path& path, const SimulatedDrive& drive) : file_(path), drive_(drive) {}
  std::unique_ptr<BlockReader> reader(std::size_t slots, std::size_t blocks) override {
    return std::make_unique<SimulatedReader>(file_, drive_, slots, blocks);
  }
  std::string description() const override { return "simulated"; }

 private:
  MappedFile file_;
  Drive drive_;
};

}  // namespace

std::unique_ptr<BlockDevice> open_blocks(const std::filesystem::path& path, DiskIo io, bool direct) {
  if (io == DiskIo::Mapped) return std::make_unique<MappedDevice>(path);
  std::shared_ptr<const ReadableFile> file = direct ? file_system().open_direct(path) : nullptr;
  const bool past_cache = file != nullptr;
  if (file == nullptr) file = file_system().open(path);
  auto by_threads = std::make_unique<ThreadsDevice>(file, past_cache);
  if (io == DiskIo::Threads) return by_threads;
  std::string reason;
  auto by_uring = open_uring(file, past_cache, reason);
  if (io == DiskIo::Uring) {
    if (by_uring != nullptr) return by_uring;
    throw Error(ErrorCode::Unsupported, "io_uring cannot be used here: " + reason, "use auto or threads");
  }
  if (by_uring == nullptr) return by_threads;
  return std::make_unique<EitherDevice>(std::move(by_uring), std::move(by_threads));
}

void check_begins(BlockDevice& device, std::span<const std::byte> first, const std::filesystem::path& path) {
  const auto reader = device.reader(1, 1);
  reader->submit(std::vector<BlockRead>{{0, 1, 0}});
  std::vector<std::uint32_t> landed;
  reader->wait(landed);
  if (std::memcmp(reader->data(0), first.data(), first.size()) == 0) return;
  throw Error(ErrorCode::Corrupt, path.string() + " was replaced while it was opened", "open it again");
}

std::unique_ptr<BlockDevice> simulate_blocks(const std::filesystem::path& path, const SimulatedDrive& drive) {
  if (!(drive.latency_us >= 0 && drive.latency_us <= 1e6 && drive.reads_per_second >= 1 &&
        drive.reads_per_second <= 1e9)) {
    throw Error(ErrorCode::InvalidArgument,
                "a simulated drive takes 0 to 1000000 microseconds a read and begins 1 to 10^9 of them in a second");
  }
  return std::make_unique<SimulatedDevice>(path, drive);
}

}  // namespace diskann::io
