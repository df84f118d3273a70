// Build from a file of vectors, save, open in memory and mapped from the file, and get the same hits each time.
#include <cstdio>
#include <filesystem>
#include <vector>

#include "diskann/diskann.hpp"

int main() {
  diskann::SyntheticOptions options;
  options.rows = 5000;
  options.dimension = 32;
  const auto data = diskann::generate_clustered(options);
  const auto folder = std::filesystem::temp_directory_path();
  const auto vectors = folder / "diskann_example_vectors.fbin", path = folder / "diskann_example_saved.idx";
  diskann::write_vectors(vectors, data.vectors.view());
  const auto index = diskann::IndexBuilder().max_degree(32).build_from_file(vectors);
  std::filesystem::remove(vectors);
  const auto memory = index.memory_usage();
  std::printf("memory: vectors %ju, graph %ju, all %ju bytes\n", static_cast<std::uintmax_t>(memory.vectors),
              static_cast<std::uintmax_t>(memory.graph), static_cast<std::uintmax_t>(memory.total()));

  index.save(path, true);
  const auto report = diskann::verify(path);
  std::printf("%s: %ju bytes, %zu checks, %zu problems\n", path.filename().c_str(),
              static_cast<std::uintmax_t>(std::filesystem::file_size(path)), report.checks.size(),
              report.problems.size());

  diskann::OpenOptions mapped;
  mapped.map = true;
  const auto in_memory = diskann::Index::open(path);
  const auto in_place = diskann::Index::open(path, mapped);
  bool same = report.ok();
  for (std::size_t i = 0; i < 100; ++i) {
    const auto query = data.vectors.view().slice(i, 1);
    const auto hits = index.search(query, 10);
    same = same && hits.size() == 10 && hits == in_memory.search(query, 10) && hits == in_place.search(query, 10);
  }
  std::filesystem::remove(path);
  std::printf("the same hits from memory and from the file: %s\n", same ? "yes" : "no");
  return same ? 0 : 1;
}
