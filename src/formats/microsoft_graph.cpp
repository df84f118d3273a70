#include <algorithm>
#include <string>
#include <vector>

#include "base/checked.hpp"
#include "formats/microsoft_files.hpp"

namespace diskann::formats {

namespace {

// Theirs end at 512 with a slack of 1.3; a longer list is a misread file, and every node takes the room of the longest.
constexpr std::uint32_t kMaxDegree = 2'048;
// A few hostile bytes must not make every row long: real lists are a few times shorter than the longest, not hundreds.
constexpr std::uint64_t kFreeBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxGrowth = 256;

/// First pass: every length and every neighbour, nothing allocated. Returns the longest length.
std::uint32_t check_lists(const InputFile& file, const GraphHeader& header, std::uint64_t nodes) {
  ValueStream<std::uint32_t> words(file, GraphHeader::kBytes, file.size() / 4 * 4);
  std::uint32_t longest = 0;
  for (std::uint64_t node = 0; node < nodes; ++node) {
    const std::uint64_t offset = words.position();
    const auto where = [&] {
      return "list of node " + std::to_string(node) + " (offset " + std::to_string(offset) + "): ";
    };
    if (words.left() == 0)
      file.corrupt("the graph ends after " + std::to_string(node) + " of " + std::to_string(nodes) + " lists");
    const std::uint32_t degree = words.next();
    if (degree > words.left())
      file.corrupt(where() + std::to_string(degree) + " neighbours lie beyond the end of the file");
    if (degree > header.max_observed_degree)
      file.corrupt(where() + std::to_string(degree) + " neighbours; the header says at most " +
                   std::to_string(header.max_observed_degree));
    if (degree > kMaxDegree)
      file.fail(ErrorCode::Unsupported,
                where() + std::to_string(degree) + " neighbours; the limit is " + std::to_string(kMaxDegree));
    longest = std::max(longest, degree);
    for (std::uint32_t i = 0; i < degree; ++i) {
      const std::uint32_t neighbor = words.next();
      if (neighbor >= nodes)
        file.corrupt(where() + "neighbour " + std::to_string(neighbor) + " of " + std::to_string(nodes) + " nodes");
    }
  }
  if (words.position() != file.size())
    file.corrupt(std::to_string(file.size() - words.position()) + " bytes follow the lists of " +
                     std::to_string(nodes) + " nodes",
                 "the graph and the .data file belong to different sets");
  return longest;
}

}  // namespace

GraphHeader read_graph_header(const InputFile& file, std::uint64_t nodes) {
  GraphHeader header;
  header.file_bytes = file.value<std::uint64_t>(0, "the size in the graph header");
  header.max_observed_degree = file.value<std::uint32_t>(8, "the degree in the graph header");
  header.start = file.value<std::uint32_t>(12, "the start in the graph header");
  header.frozen_points = file.value<std::uint64_t>(16, "the frozen points in the graph header");
  if (header.file_bytes != file.size())
    file.corrupt("the graph header says " + std::to_string(header.file_bytes) + " bytes, the file has " +
                     std::to_string(file.size()),
                 "the file is cut, or is no graph of Microsoft's");
  if (header.start >= nodes)
    file.corrupt("the start is node " + std::to_string(header.start) + " of " + std::to_string(nodes));
  if (header.frozen_points > nodes)
    file.corrupt(std::to_string(header.frozen_points) + " frozen points of " + std::to_string(nodes) + " points");
  return header;
}

base::Adjacency read_graph(const InputFile& file, const GraphHeader& header, std::uint64_t nodes,
                           std::uint32_t& max_degree) {
  max_degree = check_lists(file, header, nodes);
  const auto stride = static_cast<std::uint32_t>(base::round_up(std::max(max_degree, 1u), 16));
  const std::uint64_t bytes = nodes * stride * sizeof(base::Slot);  // below 2^31 * 2^11 * 2^2
  if (bytes > kFreeBytes && bytes / kMaxGrowth > file.size())
    file.corrupt("the longest list has " + std::to_string(max_degree) + " neighbours, hundreds of times the average");

  base::Adjacency graph(nodes, stride);
  ValueStream<std::uint32_t> words(file, GraphHeader::kBytes, file.size());
  std::vector<base::Slot> last_in(nodes, 0);  // 1 + the node whose list last held this one
  std::vector<base::Slot> list;
  for (std::uint64_t i = 0; i < nodes; ++i) {
    const auto node = static_cast<base::Slot>(i);
    list.clear();
    for (std::uint32_t left = words.next(); left != 0; --left) {
      const base::Slot neighbor = words.next();
      if (neighbor == node || last_in[neighbor] == node + 1) continue;
      last_in[neighbor] = node + 1;
      list.push_back(neighbor);
    }
    graph.assign(node, list);
  }
  return graph;
}

}  // namespace diskann::formats
