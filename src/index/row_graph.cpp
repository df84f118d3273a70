#include "index/row_graph.hpp"

#include "distance/kernels.hpp"
#include "graph/build_partitioned.hpp"
#include "graph/entry_points.hpp"
#include "quantization/build_codes.hpp"

namespace diskann::index {

std::vector<float> norms_of(Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  std::vector<float> norms(distance::has_norms(metric, rows.type, rows.dimension, rows.rows) ? rows.rows : 0);
  team.run(norms.size(), 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    distance::row_norms(metric, rows, begin, end - begin, norms.data() + begin);
  });
  return norms;
}

graph::Graph build_row_graph(base::RowStore& rows, std::span<const float> norms, Distance metric,
                             const BuildParameters& parameters, const std::function<GraphBuilder(bool coded)>& choose,
                             base::ThreadTeam& team, const Execution& execution) {
  const auto pointer = [](std::span<const float> values) { return values.empty() ? nullptr : values.data(); };
  const float* inverse_norms = metric == Distance::Cosine ? pointer(norms) : nullptr;
  std::vector<base::Slot> entry_points = graph::choose_entry_points(metric, rows, inverse_norms, parameters.seed, team);
  const auto in_bytes = quantization::encode_for_building(metric, rows, inverse_norms, team);
  const GraphBuilder builder = choose(in_bytes.has_value());
  if (in_bytes) rows = {};
  const std::vector<float> code_norms =
      in_bytes ? norms_of(in_bytes->metric, in_bytes->rows, team) : std::vector<float>();
  const graph::KernelSpace space = in_bytes ? graph::KernelSpace(in_bytes->metric, in_bytes->rows, pointer(code_norms))
                                            : graph::KernelSpace(metric, rows, pointer(norms));
  const auto build =
      builder == GraphBuilder::Partitioned ? graph::build_partitioned : graph::build_incremental<graph::KernelSpace>;
  return build(space, std::move(entry_points), parameters, team, execution);
}

}  // namespace diskann::index
