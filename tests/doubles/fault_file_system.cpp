#include "tests/doubles/fault_file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <utility>

#include "diskann/error.hpp"

namespace diskann::doubles {

std::string_view to_string(Operation operation) noexcept {
  switch (operation) {
    case Operation::Open: return "open";
    case Operation::Read: return "read";
    case Operation::Map: return "map";
    case Operation::Create: return "create";
    case Operation::Write: return "write";
    case Operation::Sync: return "sync";
    case Operation::Close: return "close";
    case Operation::Rename: return "rename";
    case Operation::Remove: return "remove";
    case Operation::SyncDirectory: return "sync directory";
    case Operation::Status: return "status";
  }
  return "?";
}

void overwrite(std::vector<std::byte>& content, std::uint64_t offset, std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  content.resize(std::max<std::size_t>(content.size(), offset + bytes.size()));
  std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(offset));
}

class FaultReadableFile final : public io::ReadableFile {
 public:
  FaultReadableFile(FaultFileSystem& system, std::string path, std::shared_ptr<FaultFileSystem::Inode> inode)
      : system_(system), path_(std::move(path)), inode_(std::move(inode)) {}

  std::uint64_t size() const override { return inode_->content.size(); }
  const std::string& path() const noexcept override { return path_; }

  void read(std::uint64_t offset, std::span<std::byte> out) const override {
    const std::optional<Fault> fault = system_.record({Operation::Read, path_, offset, out.size()});
    if (fault && fault->error != 0) throw IoError("cannot read", path_, fault->error);
    const std::vector<std::byte>& content = inode_->content;
    if (fault || offset > content.size() || out.size() > content.size() - offset)
      throw Error(ErrorCode::Corrupt, path_ + ": ends before the bytes at offset " + std::to_string(offset));
    std::copy_n(content.begin() + static_cast<std::ptrdiff_t>(offset), out.size(), out.begin());
  }

  std::shared_ptr<const std::byte> map() const override {
    system_.fail_if_due({Operation::Map, path_, 0, size()});
    // A block of exactly that size, so that a sanitizer sees what reads beyond it; on a page, as kernels rely on.
    constexpr std::align_val_t kPage{4096};
    std::byte* block = new (kPage) std::byte[inode_->content.size()];
    std::copy(inode_->content.begin(), inode_->content.end(), block);
    return {block, [](const std::byte* bytes) { ::operator delete[](const_cast<std::byte*>(bytes), kPage); }};
  }

 private:
  FaultFileSystem& system_;
  std::string path_;
  std::shared_ptr<FaultFileSystem::Inode> inode_;
};

class FaultWritableFile final : public io::WritableFile {
 public:
  FaultWritableFile(FaultFileSystem& system, std::string path, std::shared_ptr<FaultFileSystem::Inode> inode)
      : system_(system), path_(std::move(path)), inode_(std::move(inode)) {}

  void write(std::uint64_t offset, std::span<const std::byte> bytes) override {
    check_open();
    const std::optional<Fault> fault = system_.record({Operation::Write, path_, offset, bytes.size()});
    if (fault) bytes = bytes.first(std::min<std::uint64_t>(fault->torn, bytes.size()));
    overwrite(inode_->content, offset, bytes);
    inode_->unsynced.push_back({offset, {bytes.begin(), bytes.end()}});
    if (fault) throw IoError("cannot write", path_, fault->error);
  }

  void sync() override {
    check_open();
    const std::optional<Fault> fault = system_.record({Operation::Sync, path_});
    if (fault) {
      // As Linux does: what could not be written is dropped, and the next fsync knows nothing of it.
      inode_->unsynced.clear();
      throw IoError("cannot sync", path_, fault->error);
    }
    for (const auto& extent : inode_->unsynced) overwrite(inode_->durable, extent.offset, extent.bytes);
    inode_->unsynced.clear();
  }

  void close() override {
    check_open();
    open_ = false;
    system_.fail_if_due({Operation::Close, path_});
  }

 private:
  void check_open() const {
    if (!open_) throw IoError("used after close:", path_, EBADF);
  }

  FaultFileSystem& system_;
  std::string path_;
  std::shared_ptr<FaultFileSystem::Inode> inode_;
  bool open_ = true;
};

std::optional<Fault> FaultFileSystem::record(Event event) {
  static std::recursive_mutex mutex;  // of all of them, since they are copied
  const std::lock_guard lock(mutex);
  const Operation operation = event.operation;
  if (observer_) observer_(event);
  trace_.push_back(std::move(event));
  if (!fault_ || fault_->operation != operation) return {};
  ++armed_calls_;
  if (armed_calls_ != fault_->nth && !(fault_->for_ever && armed_calls_ > fault_->nth)) return {};
  fired_ = true;
  return fault_;
}

void FaultFileSystem::fail_if_due(Event event) {
  const std::string path = event.path;
  const std::string action = "cannot " + std::string(to_string(event.operation));
  if (const std::optional<Fault> fault = record(std::move(event))) throw IoError(action, path, fault->error);
}

std::unique_ptr<io::ReadableFile> FaultFileSystem::open(const std::filesystem::path& path) {
  fail_if_due({Operation::Open, path.string()});
  const auto found = visible_.find(path.string());
  if (found == visible_.end()) throw IoError("cannot open", path.string(), ENOENT);
  return std::make_unique<FaultReadableFile>(*this, path.string(), found->second);
}

std::unique_ptr<io::WritableFile> FaultFileSystem::create(const std::filesystem::path& path,
                                                          const std::filesystem::path& target) {
  if (record({Operation::Create, path.string()}))
    throw IoError("cannot create", (target.empty() ? path : target).string(), fault_->error);
  if (visible_.contains(path.string())) throw IoError("cannot create", path.string(), EEXIST);
  auto inode = std::make_shared<Inode>();
  change_names({{}, path.string(), inode});
  return std::make_unique<FaultWritableFile>(*this, (target.empty() ? path : target).string(), inode);
}

void FaultFileSystem::rename(const std::filesystem::path& from, const std::filesystem::path& to) {
  fail_if_due({Operation::Rename, to.string()});
  const auto found = visible_.find(from.string());
  if (found == visible_.end()) throw IoError("cannot rename", from.string(), ENOENT);
  change_names({from.string(), to.string(), found->second});
}

void FaultFileSystem::rename_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (visible_.contains(to.string())) {
    fail_if_due({Operation::Rename, to.string()});
    throw IoError("cannot rename", to.string(), EEXIST);
  }
  rename(from, to);
}

void FaultFileSystem::remove(const std::filesystem::path& path) {
  fail_if_due({Operation::Remove, path.string()});
  const auto found = visible_.find(path.string());
  if (found == visible_.end()) throw IoError("cannot remove", path.string(), ENOENT);
  change_names({path.string(), {}, found->second});
}

void FaultFileSystem::sync_directory(const std::filesystem::path& directory) {
  fail_if_due({Operation::SyncDirectory, directory.string()});
  const auto outside = [&](const NameChange& change) {
    return std::filesystem::path(change.added.empty() ? change.removed : change.added).parent_path() != directory;
  };
  const auto end = std::stable_partition(unsynced_names_.begin(), unsynced_names_.end(), outside);
  for (auto change = end; change != unsynced_names_.end(); ++change) apply(*change, durable_);
  unsynced_names_.erase(end, unsynced_names_.end());
}

std::filesystem::file_status FaultFileSystem::status(const std::filesystem::path& path) {
  fail_if_due({Operation::Status, path.string()});
  return std::filesystem::file_status(visible_.contains(path.string()) ? std::filesystem::file_type::regular
                                                                       : std::filesystem::file_type::not_found);
}

std::vector<std::string> FaultFileSystem::names_in(const std::filesystem::path& directory) {
  std::vector<std::string> names;
  for (const auto& [name, inode] : visible_)
    if (const std::filesystem::path path = name; path.parent_path() == directory)
      names.push_back(path.filename().string());
  return names;
}

void FaultFileSystem::apply(const NameChange& change, Names& names) {
  const auto old = names.find(change.removed);
  if (old != names.end() && old->second == change.inode) names.erase(old);
  if (!change.added.empty()) names[change.added] = change.inode;
}

void FaultFileSystem::change_names(NameChange change) {
  apply(change, visible_);
  unsynced_names_.push_back(std::move(change));
}

void FaultFileSystem::put(const std::string& path, std::vector<std::byte> content) {
  auto inode = std::make_shared<Inode>();
  inode->durable = content;
  inode->content = std::move(content);
  visible_[path] = durable_[path] = std::move(inode);
}

std::optional<std::vector<std::byte>> FaultFileSystem::content(const std::string& path) const {
  const auto found = visible_.find(path);
  if (found == visible_.end()) return {};
  return found->second->content;
}

std::vector<std::string> FaultFileSystem::names() const {
  std::vector<std::string> names;
  for (const auto& [name, inode] : visible_) names.push_back(name);
  return names;
}

void FaultFileSystem::arm(const Fault& fault) {
  fault_ = fault;
  armed_calls_ = 0;
  fired_ = false;
}

std::size_t FaultFileSystem::calls(Operation operation) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(trace_.begin(), trace_.end(), [&](const Event& event) { return event.operation == operation; }));
}

}  // namespace diskann::doubles
