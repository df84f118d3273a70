#include "io/spill_directory.hpp"

#include <algorithm>
#include <string>
#include <vector>

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
  try {
    check_left();
  } catch (...) {
    kept_ = true;
    throw;
  }
}

void SpillDirectory::check_left() const {
  bool others = false;
  for (const std::string& name : file_system().names_in(path_)) {
    if (name.starts_with(".") && name.ends_with(".tmp"))
      file_system().remove(file(name));  // half of a file, of whoever was killed
    else
      others = true;
  }
  if (!others || has(kPlan)) return;
  throw Error(ErrorCode::InvalidArgument, path_.string() + " holds files that no build left there",
              "choose another output, or remove the directory");
}

SpillDirectory::~SpillDirectory() {
  if (kept_) return;
  try {
    clear();
  } catch (...) {  // whoever destroys us has a better error to report
  }
}

void SpillDirectory::clear() const {
  const std::vector<std::string> names = file_system().names_in(path_);
  for (const std::string& name : names)
    if (name != kPlan) file_system().remove(file(name));
  if (std::find(names.begin(), names.end(), kPlan) != names.end()) file_system().remove(file(kPlan));
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
