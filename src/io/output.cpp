#include "diskann/output.hpp"

#include <span>

#include "io/atomic_file.hpp"

namespace diskann {

void check_output(const std::filesystem::path& path, bool overwrite) { io::check_replaceable(path, overwrite); }

std::filesystem::path output_target(const std::filesystem::path& path) { return io::output_target(path); }

void write_text(const std::filesystem::path& path, std::string_view text) {
  io::AtomicFile file(path, true);
  file.write(std::as_bytes(std::span(text)));
  file.commit();
}

}  // namespace diskann
