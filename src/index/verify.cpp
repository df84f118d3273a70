#include <algorithm>
#include <bit>
#include <cmath>

#include "base/threads.hpp"
#include "diskann/inspect.hpp"
#include "distance/kernels.hpp"
#include "graph/reachability.hpp"
#include "index/index_file.hpp"
#include "index/index_state.hpp"
#include "index/microsoft.hpp"
#include "index/microsoft_disk.hpp"

namespace diskann {
namespace {

void check_sections(const std::filesystem::path& path, const Execution& execution, VerifyReport& report) {
  const io::Container container = io::Container::open(path);
  report.checks.push_back("header and section table of format version " + std::to_string(container.format_version()));
  for (const io::Section& section : container.sections()) {
    base::check_cancelled(execution.cancel);
    const std::string name = to_string(section.kind);
    report.checks.push_back("checksum of section " + name + ", " + std::to_string(section.length) + " bytes");
    if (!container.checksum_ok(section)) report.problems.push_back("section " + name + ": the checksum is wrong");
  }
}

/// All that can be said of them without the rows.
void check_codes_alone(const index::Codes& codes, VerifyReport& report) {
  const base::RowsView& rows = codes.rows.view();
  report.checks.push_back("padding and norms of " + std::to_string(rows.rows) + " codes");
  if (const auto stray = base::stray_padding(rows)) report.problems.push_back(index::stray_padding_text(rows, *stray));
  if (codes.codec == Codec::SQ8) return;  // by L2 its norms are whole numbers
  const auto* const norms = codes.factors.data();
  const auto wrong =
      std::find_if_not(norms, norms + codes.factors.size(), [](float norm) { return std::isfinite(norm); });
  if (wrong != norms + codes.factors.size())
    report.problems.push_back("code norm " + std::to_string(wrong - norms) + " is no number");
}

/// Stored rows must be numbers with zeros behind them, and the norms beside them their own.
void check_rows(const Index::State& state, const Execution& execution, VerifyReport& report) {
  const base::RowsView& rows = state.rows.view();
  if (!state.has_vectors()) return check_codes_alone(state.codes, report);
  report.checks.push_back("values and padding of " + std::to_string(rows.rows) + " rows");
  if (const auto stray = base::stray_padding(rows)) report.problems.push_back(index::stray_padding_text(rows, *stray));
  base::ThreadTeam team(execution);
  try {
    team.run(rows.rows, 1024, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
      distance::check_finite({rows.row(begin), rows.type, end - begin, rows.dimension, rows.stride}, begin);
    });
  } catch (const Error& error) {
    if (error.code() == ErrorCode::Cancelled) throw;
    report.problems.emplace_back(error.what());
  }
  if (state.codes.codec != Codec::None && report.ok()) {
    report.checks.push_back("codes of " + std::to_string(rows.rows) + " rows");
    if (!index::are_codes_of(state.codes, rows, team))
      report.problems.emplace_back("the codes are not those of the rows");
  }
  if (state.norms.empty()) return;
  std::vector<float> norms(rows.rows);
  distance::row_norms(state.metric, rows, 0, rows.rows, norms.data());
  report.checks.push_back("norms of " + std::to_string(rows.rows) + " rows");
  for (std::size_t i = 0; i < norms.size(); ++i) {
    if (std::bit_cast<std::uint32_t>(norms[i]) == std::bit_cast<std::uint32_t>(state.norms[i])) continue;
    report.problems.push_back("row " + std::to_string(i) + ": the stored norm is not that of the row");
    break;
  }
}

}  // namespace

VerifyReport verify(const std::filesystem::path& path, const OpenOptions& options, const Execution& execution) {
  VerifyReport report;
  const bool on_drive = formats::microsoft_disk_index(path).has_value();
  const bool microsoft = on_drive || formats::is_microsoft_memory_set(path);
  if (!microsoft) {
    check_sections(path, execution, report);
    if (!report.ok()) return report;  // what is behind a wrong checksum is not worth a look
  }
  std::unique_ptr<Index::State> state;
  try {
    state = on_drive    ? index::read_microsoft_pages(path, options)
            : microsoft ? index::open_microsoft(path, options)
                        : index::open_index(path, options);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Corrupt) throw;
    report.problems.emplace_back(error.what());
    return report;
  }
  check_rows(*state, execution, report);

  const std::size_t nodes = state->graph.nodes();
  report.checks.push_back("ids and nodes of " + std::to_string(state->points.points()) + " points");
  for (std::string& problem : state->points.check(nodes)) report.problems.push_back(std::move(problem));
  if (const std::size_t hidden = state->points.hidden_nodes(); hidden > 0 && !microsoft)
    report.problems.push_back(std::to_string(hidden) + (hidden == 1 ? " node has" : " nodes have") + " no point");

  report.checks.push_back("edges of " + std::to_string(nodes) + " nodes: in range, no repeats, degree at most " +
                          std::to_string(state->parameters.max_degree));
  for (std::string& problem : graph::check_graph(state->graph, state->parameters.max_degree, state->entry_points))
    report.problems.push_back(std::move(problem));
  report.checks.push_back("which of " + std::to_string(nodes) + " nodes can be reached from the entry points");
  report.graph = graph::measure(state->graph, state->entry_points);
  if (report.graph.unreachable > 0) {
    // Our files promise that every node is found, Microsoft's do not.
    const std::string count = std::to_string(report.graph.unreachable);
    (microsoft ? report.warnings : report.problems)
        .push_back(count + (count == "1" ? " node is" : " nodes are") + " not reachable from the entry points");
  }
  return report;
}

}  // namespace diskann
