#include "io/spill_directory.hpp"

#include "diskann/error.hpp"
#include "io/atomic_file.hpp"

namespace diskann::io {

SpillDirectory::SpillDirectory(const std::filesystem::path& output, bool resume)
    : path_(output_target(output)), kept_(resume) {
  path_ += ".build";
  if (!file_system().create_directory(path_) && !resume) {
    throw Error(ErrorCode::AlreadyExists, path_.string() + " holds what a build that did not end left there",
                "go on with it (--resume), or remove the directory");
  }
  auto lock = file_system().try_lock_directory(path_);
  if (!lock)
    throw Error(ErrorCode::Io, "another process works in " + path_.string(), "wait for it, or choose another output");
  lock_ = *std::move(lock);
}

SpillDirectory::~SpillDirectory() {
  if (kept_) return;
  try {
    clear();
  } catch (...) {  // whoever destroys us has a better error to report
  }
}

void SpillDirectory::clear() const {
  for (const std::string& name : file_system().names_in(path_)) file_system().remove(file(name));
  file_system().remove_directory(path_);
}

void SpillDirectory::put(const std::string& name, const std::function<void(const Sink& write)>& write) const {
  AtomicFile file(this->file(name), true);
  write([&](std::span<const std::byte> bytes) { file.write(bytes); });
  file.commit();
}

void SpillDirectory::put(const std::string& name, std::span<const std::byte> bytes) const {
  put(name, [&](const Sink& write) { write(bytes); });
}

void SpillDirectory::remove(const std::string& name) const { file_system().remove(file(name)); }

}  // namespace diskann::io
