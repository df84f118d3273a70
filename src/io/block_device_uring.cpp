#include "io/block_device_uring.hpp"

#include "diskann/error.hpp"

#if DISKANN_HAS_URING
#include <liburing.h>

#include <cerrno>
#include <thread>
#include <utility>
#endif

namespace diskann::io {

#if DISKANN_HAS_URING

namespace {

constexpr std::size_t kTrialSlots = 128;  // as many as searches ask for

/// A ring whose completions are noticed when somebody looks, where the kernel can do that (5.19): no interrupts. Not
/// for one thread alone: a reader may be handed from thread to thread.
class Ring {
 public:
  /// Throws IoError where the system gives none.
  Ring(unsigned entries, const std::string& path) {
    io_uring_params parameters = {};
    parameters.flags = IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
    int result = io_uring_queue_init_params(entries, &ring_, &parameters);
    if (result == -EINVAL) result = io_uring_queue_init(entries, &ring_, 0);
    if (result < 0) throw IoError("cannot set up io_uring for reads of", path, -result);
  }
  Ring(const Ring&) = delete;
  ~Ring() { io_uring_queue_exit(&ring_); }
  io_uring* get() noexcept { return &ring_; }

 private:
  io_uring ring_ = {};
};

class UringReader final : public BlockReader {
 public:
  UringReader(const ReadableFile& file, std::size_t slots, std::size_t blocks)
      : BlockReader(slots, blocks, true), file_(file), reads_(slots), ring_(static_cast<unsigned>(slots), file.path()) {
    const int descriptor = file.descriptor();
    has_file_ = io_uring_register_files(ring_.get(), &descriptor, 1) == 0;
    const iovec all{all_memory().data(), all_memory().size()};
    has_buffers_ = io_uring_register_buffers(ring_.get(), &all, 1) == 0;  // may be more than may be locked
  }
  /// What is under way writes into the slots. Where no waiting helps it is left to the kernel, which holds their pages.
  ~UringReader() override {
    while (under_way_ > 0) {
      io_uring_cqe* done = nullptr;
      const int result = io_uring_wait_cqe(ring_.get(), &done);
      if (result == -EINTR) continue;
      if (result < 0) break;
      io_uring_cqe_seen(ring_.get(), done);
      --under_way_;
    }
  }

 private:
  struct Done {
    std::uint32_t slot;
    int result;
  };

  void send(std::span<const BlockRead> reads) override {
    for (const BlockRead& read : reads) {
      io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
      while (entry == nullptr) {
        enter();
        entry = io_uring_get_sqe(ring_.get());
      }
      reads_[read.slot] = read;
      const std::uint64_t offset = read.block * kBlockBytes;
      const int file = has_file_ ? 0 : file_.descriptor();
      const auto bytes = static_cast<unsigned>(read.blocks * kBlockBytes);
      if (has_buffers_)
        io_uring_prep_read_fixed(entry, file, memory(read.slot), bytes, offset, 0);
      else
        io_uring_prep_read(entry, file, memory(read.slot), bytes, offset);
      if (has_file_) entry->flags |= IOSQE_FIXED_FILE;
      entry->user_data = read.slot;
    }
    enter();
  }
  /// The kernel may take some of what is queued, and none while it is short of memory.
  void enter() {
    constexpr int kTries = 1000;
    for (int tries = 0; io_uring_sq_ready(ring_.get()) > 0;) {
      const int result = io_uring_submit(ring_.get());
      if (result > 0) {
        under_way_ += static_cast<std::size_t>(result);
        continue;
      }
      const bool later = result == 0 || result == -EINTR || result == -EAGAIN || result == -EBUSY;
      if (!later || ++tries > kTries) throw IoError("cannot send reads of", file_.path(), result == 0 ? EIO : -result);
      reap();
      std::this_thread::yield();
    }
  }
  /// Takes what is complete off the ring.
  void reap() {
    for (io_uring_cqe* done = nullptr; io_uring_peek_cqe(ring_.get(), &done) == 0;) {
      done_.push_back({static_cast<std::uint32_t>(done->user_data), done->res});
      io_uring_cqe_seen(ring_.get(), done);
      --under_way_;
    }
  }
  void receive(std::vector<std::uint32_t>& landed, bool patient) override {
    if (patient && done_.empty()) {
      io_uring_cqe* done = nullptr;
      int result = 0;
      do {
        result = io_uring_wait_cqe(ring_.get(), &done);
      } while (result == -EINTR);
      if (result < 0) throw IoError("cannot wait for reads of", file_.path(), -result);
    }
    reap();
    for (const Done& done : done_) {
      // What came short or in vain is read anew, whole: that says what is wrong with a file that ends before.
      const std::uint64_t offset = reads_[done.slot].block * kBlockBytes;
      const std::size_t bytes = reads_[done.slot].blocks * kBlockBytes;
      if (done.result < 0 && done.result != -EAGAIN && done.result != -EINTR)
        throw IoError("cannot read at offset " + std::to_string(offset) + " of", file_.path(), -done.result);
      if (done.result != static_cast<int>(bytes)) file_.read(offset, {memory(done.slot), bytes});
      landed.push_back(done.slot);
    }
    done_.clear();
  }

  const ReadableFile& file_;
  std::vector<BlockRead> reads_;  // of each slot the last
  std::vector<Done> done_;        // complete, and not told yet
  Ring ring_;
  std::size_t under_way_ = 0;
  bool has_file_ = false, has_buffers_ = false;
};

class UringDevice final : public BlockDevice {
 public:
  UringDevice(std::shared_ptr<const ReadableFile> file, bool direct) : file_(std::move(file)), direct_(direct) {}
  std::unique_ptr<BlockReader> reader(std::size_t slots, std::size_t blocks) override {
    return std::make_unique<UringReader>(*file_, slots, blocks);
  }
  std::string description() const override { return direct_ ? "io_uring, direct" : "io_uring, cached"; }

 private:
  std::shared_ptr<const ReadableFile> file_;
  bool direct_;
};

}  // namespace

std::unique_ptr<BlockDevice> open_uring(const std::shared_ptr<const ReadableFile>& file, bool direct,
                                        std::string& reason) {
  if (file->descriptor() < 0) {
    reason = "the file is none of the system's";
    return nullptr;
  }
  if (file->size() < kBlockBytes) {
    reason = "the file is shorter than a block";
    return nullptr;
  }
  auto device = std::make_unique<UringDevice>(file, direct);
  try {
    const auto reader = device->reader(kTrialSlots, 1);
    reader->submit(std::vector<BlockRead>{{0, 1, 0}});
    std::vector<std::uint32_t> landed;
    reader->wait(landed);
    return device;
  } catch (const Error& error) {
    reason = error.what();
  }
  return nullptr;
}

#else

std::unique_ptr<BlockDevice> open_uring(const std::shared_ptr<const ReadableFile>&, bool, std::string& reason) {
  reason = "it was not there when diskann was compiled";
  return nullptr;
}

#endif

}  // namespace diskann::io
