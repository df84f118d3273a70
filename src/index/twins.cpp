#include "index/twins.hpp"

#include <algorithm>
#include <cstring>

#include "io/checksum.hpp"

namespace diskann::index {
namespace {

struct HashedRow {
  std::uint64_t hash;
  std::uint32_t row;
  friend auto operator<=>(const HashedRow&, const HashedRow&) = default;
};

}  // namespace

Twins merge_twins(base::RowStore& rows, base::ThreadTeam& team) {
  const base::RowsView& view = rows.view();
  const auto count = static_cast<std::uint32_t>(view.rows);
  std::vector<HashedRow> hashed(count);
  team.run(count, 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (auto i = static_cast<std::uint32_t>(begin); i < end; ++i)
      hashed[i] = {io::checksum({view.row(i), view.stride}), i};
  });
  std::sort(hashed.begin(), hashed.end());

  // first[i]: the first row that equals row i. Rows of one hash are mostly equal; where they are not, each is compared
  // with the first of every kind.
  std::vector<std::uint32_t> first(count);
  bool any = false;
  std::vector<std::uint32_t> kinds;
  for (std::size_t begin = 0; begin < count;) {
    std::size_t end = begin;
    kinds.clear();
    for (; end < count && hashed[end].hash == hashed[begin].hash; ++end) {
      const std::uint32_t row = hashed[end].row;
      const auto same = std::find_if(kinds.begin(), kinds.end(), [&](std::uint32_t kind) {
        return std::memcmp(view.row(kind), view.row(row), view.stride) == 0;
      });
      first[row] = same == kinds.end() ? row : *same;
      if (same == kinds.end()) kinds.push_back(row);
      any |= first[row] != row;
    }
    begin = end;
  }
  if (!any) return {};
  hashed = {};

  Twins twins;
  std::vector<std::uint32_t> node_of(count);
  for (std::uint32_t row = 0; row < count; ++row) {
    if (first[row] == row) {
      node_of[row] = static_cast<std::uint32_t>(twins.starts.size());
      twins.starts.push_back(0);
    } else {
      node_of[row] = node_of[first[row]];
    }
  }
  const std::size_t nodes = twins.starts.size();
  twins.starts.push_back(0);
  for (std::uint32_t row = 0; row < count; ++row) ++twins.starts[node_of[row] + 1];
  for (std::size_t node = 0; node < nodes; ++node) twins.starts[node + 1] += twins.starts[node];
  twins.members.resize(count);
  std::vector<std::uint32_t> next(twins.starts.begin(), twins.starts.end() - 1);
  for (std::uint32_t row = 0; row < count; ++row) twins.members[next[node_of[row]]++] = row;
  keep_first_twins(rows, twins.starts, twins.members);
  return twins;
}

void keep_first_twins(base::RowStore& rows, std::span<const std::uint32_t> starts,
                      std::span<const std::uint32_t> members) {
  if (starts.empty()) return;
  const std::size_t nodes = starts.size() - 1, stride = rows.view().stride;
  for (std::size_t node = 0; node < nodes; ++node)
    if (const std::uint32_t first = members[starts[node]]; first != node)
      std::memcpy(rows.row(node), rows.row(first), stride);
  rows.truncate(nodes);
}

std::uint64_t checksum(const base::RowsView& rows) { return io::checksum({rows.data, rows.rows * rows.stride}); }

}  // namespace diskann::index
