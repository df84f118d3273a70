#include "index/microsoft.hpp"

#include <algorithm>
#include <cstring>

#include "distance/kernels.hpp"

namespace diskann::index {

using base::Slot;

PointGraph expand_twins(const Index::State& state) {
  const base::RowsView& nodes = state.rows.view();
  const PointTable& points = state.points;
  const auto first_of = [&](Slot node) { return points.members()[points.starts()[node]]; };
  PointGraph result{{nodes.type, points.points(), nodes.dimension},
                    {points.points(), state.graph.stride() + 16},
                    first_of(state.entry_points.front())};
  std::vector<Slot> neighbors;
  for (std::size_t i = 0; i < nodes.rows; ++i) {
    const auto node = static_cast<Slot>(i);
    const std::span<const std::uint32_t> members =
        points.members().subspan(points.starts()[i], points.starts()[i + 1] - points.starts()[i]);
    for (std::size_t j = 0; j < members.size(); ++j) {
      std::memcpy(result.rows.row(members[j]), nodes.row(i), nodes.stride);
      neighbors.clear();
      if (j + 1 < members.size()) neighbors.push_back(members[j + 1]);
      for (const Slot neighbor : state.graph.neighbors(node)) neighbors.push_back(first_of(neighbor));
      result.graph.assign(members[j], neighbors);
    }
  }
  return result;
}

PointTable points_of(std::size_t nodes, const std::vector<bool>& hidden, std::vector<std::uint64_t> ids) {
  if (hidden.empty()) return {nodes, {}, {}, std::move(ids)};
  std::vector<std::uint32_t> starts(nodes + 1), members;
  std::vector<std::uint64_t> of_points;
  for (std::size_t node = 0; node < nodes; ++node) {
    starts[node] = static_cast<std::uint32_t>(members.size());
    if (hidden[node]) continue;
    members.push_back(static_cast<std::uint32_t>(members.size()));
    of_points.push_back(ids.empty() ? node : ids[node]);
  }
  starts[nodes] = static_cast<std::uint32_t>(members.size());
  const std::size_t points = members.size();
  return {points, std::move(starts), std::move(members), std::move(of_points)};
}

void refuse_mapping(const std::filesystem::path& prefix, const OpenOptions& options) {
  if (!options.map) return;
  throw Error(ErrorCode::Unsupported,
              prefix.string() + ": a set of Microsoft's cannot be used in place, since its rows are not aligned",
              "leave out --map (OpenOptions::map), or convert it with --output-format diskann and map that");
}

std::unique_ptr<Index::State> foreign_state(Distance metric, VectorType given, std::uint32_t max_degree) {
  auto state = std::make_unique<Index::State>();
  state->parameters.max_degree = max_degree;
  state->parameters.search_list_size = 0;  // their files do not tell
  state->parameters.alpha = 0;
  state->parameters.seed = 0;
  state->builder = kMicrosoftBuilder;
  state->foreign = true;
  state->metric = metric;
  state->source_type = given;
  return state;
}

void finish_foreign(Index::State& state) {
  const base::RowsView& rows = state.rows.view();
  if (distance::has_norms(state.metric, rows.type, rows.dimension, rows.rows)) {
    std::vector<float> norms(rows.rows);
    distance::row_norms(state.metric, rows, 0, norms.size(), norms.data());
    state.norms = std::move(norms);
  }
  state.make_searcher();
}

std::unique_ptr<Index::State> open_microsoft(const std::filesystem::path& prefix, const OpenOptions& options) {
  refuse_mapping(prefix, options);
  formats::MicrosoftMemorySet set = formats::read_microsoft_memory_set(prefix, options.metric, options.type);
  auto state = foreign_state(set.metric, set.vectors.view().type, set.max_degree);
  state->points = points_of(set.graph.nodes(), set.hidden, std::move(set.ids));
  state->rows = std::move(set.vectors);
  state->graph = std::move(set.graph);
  state->entry_points = {set.start};
  finish_foreign(*state);
  return state;
}

void check_for_microsoft(const Index::State& state) {
  if (state.metric == Distance::Custom)
    throw Error(ErrorCode::Unsupported, "Microsoft's files cannot hold an index of a user's distance");
  if (state.points.has_ids()) {
    throw Error(ErrorCode::Unsupported, "Microsoft's static sets hold row numbers, this index has ids of its own");
  }
  if (state.rows.view().type == VectorType::F16)
    throw Error(ErrorCode::Unsupported, "Microsoft's files have no f16", "build with --dtype f32");
}

void save_microsoft(const Index::State& state, const std::filesystem::path& prefix, bool overwrite,
                    const Execution& execution) {
  check_for_microsoft(state);
  if (formats::microsoft_disk_index(prefix)) {
    throw Error(ErrorCode::AlreadyExists,
                prefix.string() + " names a set of Microsoft's for SSDs: files of both have the same names",
                "choose another prefix");
  }
  if (!state.points.has_twins()) {
    formats::write_microsoft_memory_set(prefix, state.rows, state.graph, state.entry_points.front(), state.metric,
                                        overwrite, execution);
    return;
  }
  const PointGraph expanded = expand_twins(state);
  formats::write_microsoft_memory_set(prefix, expanded.rows, expanded.graph, expanded.start, state.metric, overwrite,
                                      execution);
}

}  // namespace diskann::index
