#include "formats/input_file.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace diskann::formats {

InputFile::InputFile(const std::filesystem::path& path)
    : name_(path.string()), file_(io::file_system().open(path)), size_(file_->size()) {
  static constexpr std::string_view kPointer = "version https://git-lfs";
  std::array<char, kPointer.size()> start;
  if (size_ < start.size()) return;
  read(0, start.data(), start.size());
  if (std::equal(start.begin(), start.end(), kPointer.begin()))
    corrupt("this is a Git LFS pointer, not the file it stands for", "fetch the file with 'git lfs pull'");
}

void InputFile::fail(ErrorCode code, const std::string& what, std::string hint) const {
  throw Error(code, name_ + ": " + what, std::move(hint));
}

void InputFile::corrupt(const std::string& what, std::string hint) const {
  fail(ErrorCode::Corrupt, what, std::move(hint));
}

}  // namespace diskann::formats
