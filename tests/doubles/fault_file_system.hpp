#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/file_system.hpp"

namespace diskann::doubles {

enum class Operation : std::uint8_t {
  Open,
  Read,
  Map,
  Create,
  Write,
  Sync,
  Close,
  Rename,
  Remove,
  SyncDirectory,
  Status
};
inline constexpr Operation kOperations[] = {
    Operation::Open,  Operation::Read,   Operation::Map,    Operation::Create,        Operation::Write, Operation::Sync,
    Operation::Close, Operation::Rename, Operation::Remove, Operation::SyncDirectory, Operation::Status};
std::string_view to_string(Operation operation) noexcept;

/// A call that was made, whether it failed or not.
struct Event {
  Operation operation;
  std::string path;  ///< of a rename: the new name
  std::uint64_t offset = 0, bytes = 0;
};

/// What goes wrong.
struct Fault {
  Operation operation;
  std::size_t nth = 1;  ///< call of that operation, counted from 1 at arm()
  int error = 0;        ///< errno; 0 with Read: the file seems to end in the middle of what was asked for
  bool for_ever = false;
  std::uint64_t torn = 0;  ///< Write: so many bytes arrive before the error
};

/// Writes into `content`, which grows where that is needed.
void overwrite(std::vector<std::byte>& content, std::uint64_t offset, std::span<const std::byte> bytes);

/// Files in memory that remember what a loss of power would spare. Content is durable after sync() of the file, names
/// are after sync_directory(); nothing else is. Directories exist without being made. Not for concurrent use,
/// but for reads.
class FaultFileSystem final : public io::FileSystem {
 public:
  std::unique_ptr<io::ReadableFile> open(const std::filesystem::path& path) override;
  std::unique_ptr<io::WritableFile> create(const std::filesystem::path& path,
                                           const std::filesystem::path& target) override;
  void rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void rename_new(const std::filesystem::path& from, const std::filesystem::path& to) override;
  void remove(const std::filesystem::path& path) override;
  void sync_directory(const std::filesystem::path& directory) override;
  std::filesystem::file_status status(const std::filesystem::path& path) override;
  std::filesystem::file_status target_status(const std::filesystem::path& path) override { return status(path); }
  std::filesystem::path link_target(const std::filesystem::path&) override { return {}; }
  bool create_directory(const std::filesystem::path& directory) override { return names_in(directory).empty(); }
  void remove_directory(const std::filesystem::path&) override {}
  std::vector<std::string> names_in(const std::filesystem::path& directory) override;
  std::optional<std::shared_ptr<const void>> try_lock_directory(const std::filesystem::path&) override {
    return nullptr;
  }

  /// A durable file, without a trace.
  void put(const std::string& path, std::vector<std::byte> content);
  /// What a reader sees now.
  std::optional<std::vector<std::byte>> content(const std::string& path) const;
  std::vector<std::string> names() const;

  /// Replaces the fault that was armed before, and counts calls from here.
  void arm(const Fault& fault);
  void disarm() noexcept { fault_.reset(); }
  /// Whether the armed fault happened.
  bool fired() const noexcept { return fired_; }
  /// Is called before each operation takes effect.
  void observe(std::function<void(const Event&)> observer) { observer_ = std::move(observer); }
  const std::vector<Event>& trace() const noexcept { return trace_; }
  std::size_t calls(Operation operation) const noexcept;

  /// What a machine may find after the power failed now: all that is durable, and of the rest a subset chosen by
  /// `seed`, in parts of 4 KiB, some torn at 512 bytes, data without size or name and the other way round. Seeds 0 and
  /// 1 give the extremes: nothing of the rest, and all of it.
  FaultFileSystem crash(std::uint64_t seed) const;

 private:
  friend class FaultReadableFile;
  friend class FaultWritableFile;
  struct Extent {
    std::uint64_t offset;
    std::vector<std::byte> bytes;
  };
  struct Inode {
    std::vector<std::byte> content, durable;
    std::vector<Extent> unsynced;
  };
  struct NameChange {
    std::string removed, added;  // either may be empty
    std::shared_ptr<Inode> inode;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  /// Records the call and returns the fault that it must suffer.
  std::optional<Fault> record(Event event);
  void fail_if_due(Event event);
  static void apply(const NameChange& change, Names& names);
  void change_names(NameChange change);

  Names visible_, durable_;
  std::vector<NameChange> unsynced_names_;
  std::vector<Event> trace_;
  std::function<void(const Event&)> observer_;
  std::optional<Fault> fault_;
  std::size_t armed_calls_ = 0;
  bool fired_ = false;
};

}  // namespace diskann::doubles
