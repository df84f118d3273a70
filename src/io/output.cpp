#include "diskann/output.hpp"

#include <span>

#include "io/atomic_file.hpp"
#include "io/temporary_files.hpp"

namespace diskann {

void check_output(const std::filesystem::path& path, bool overwrite) { io::check_replaceable(path, overwrite); }

std::filesystem::path output_target(const std::filesystem::path& path) { return io::output_target(path); }

void remove_temporary_files() noexcept { io::remove_temporary_files(); }

void write_text(const std::filesystem::path& path, std::string_view text) {
  io::AtomicFile file(path, true);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace diskann
