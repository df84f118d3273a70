#include "index/microsoft_disk.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/convert.hpp"
#include "base/threads.hpp"
#include "distance/kernels.hpp"
#include "formats/microsoft.hpp"
#include "formats/microsoft_disk.hpp"
#include "graph/build_incremental.hpp"
#include "index/code_book.hpp"
#include "index/disk_searcher.hpp"
#include "index/microsoft.hpp"
#include "index/page_reader.hpp"
#include "io/file_system.hpp"

namespace diskann::index {
namespace {

using base::Slot;
using formats::MicrosoftDiskSet;
using formats::MicrosoftPivots;

constexpr std::size_t kCentroids = 256;

/// Coordinates that are codes, or vectors over the length of the longest with one more that fills them up to 1.
class CodedForm final : public RowForm {
 public:
  CodedForm(MicrosoftPivots pivots, std::size_t dimension, float longest)
      : pivots_(std::move(pivots)), dimension_(dimension), longest_(longest) {}
  void read(const std::byte* record, std::byte* row) const override {
    for (std::size_t chunk = 0; chunk < pivots_.chunks(); ++chunk) {
      const float* const centroid =
          pivots_.values.data() + std::to_integer<std::size_t>(record[chunk]) * pivots_.dimension;
      for (std::size_t j = pivots_.starts[chunk]; j < std::min<std::size_t>(pivots_.starts[chunk + 1], dimension_);
           ++j) {
        const float value = centroid[j] * longest_;
        std::memcpy(row + j * sizeof value, &value, sizeof value);
      }
    }
  }

 private:
  MicrosoftPivots pivots_;
  std::size_t dimension_;
  float longest_;
};
class ScaledForm final : public RowForm {
 public:
  ScaledForm(std::size_t dimension, float longest) : dimension_(dimension), longest_(longest) {}
  void read(const std::byte* record, std::byte* row) const override {
    for (std::size_t j = 0; j < dimension_; ++j) {
      float value = 0;
      std::memcpy(&value, record + j * sizeof value, sizeof value);
      value *= longest_;
      std::memcpy(row + j * sizeof value, &value, sizeof value);
    }
  }

 private:
  std::size_t dimension_;
  float longest_;
};

std::unique_ptr<const RowForm> form_of(const MicrosoftDiskSet& set) {
  if (set.coded && set.vectors_at == 0) return std::make_unique<CodedForm>(*set.coded, set.dimension, set.longest);
  if (set.metric == Distance::InnerProduct) return std::make_unique<ScaledForm>(set.dimension, set.longest);
  return nullptr;
}

/// Rows of the matrix are components; directions are its columns. By inner product the last component of queries is 0.
std::shared_ptr<const quantization::Projection> projection_of(const MicrosoftPivots& pivots, std::size_t dimension) {
  quantization::Directions turned;
  turned.dimension = dimension;
  for (std::size_t j = 0; j < pivots.dimension; ++j) {
    std::vector<float>& direction = turned.rows.emplace_back(dimension);
    for (std::size_t i = 0; i < dimension; ++i) direction[i] = pivots.rotation[i * pivots.dimension + j];
  }
  std::vector<std::size_t> order(pivots.dimension);
  std::iota(order.begin(), order.end(), std::size_t{0});
  return std::make_shared<quantization::Projection>(quantization::in_bytes(turned, order));
}

/// Distances by their codes are those from what codes stand for: nothing is known of what those lost.
Codes codes_of(const MicrosoftDiskSet& set, const Execution& execution) {
  const MicrosoftPivots& pivots = set.pivots;
  const bool turned = !pivots.rotation.empty(), products = set.metric == Distance::InnerProduct;
  const std::size_t components = turned ? pivots.dimension : set.dimension;
  quantization::ProductGrid grid;
  grid.shape = {components, pivots.chunks(), 8, turned};
  for (const std::uint32_t start : pivots.starts)
    grid.shape.starts.push_back(std::min(start, static_cast<std::uint32_t>(components)));
  // By inner product what all have in common changes no order.
  grid.mean = products ? std::vector<float>(set.dimension) : pivots.mean;
  grid.values.resize(components * kCentroids);
  for (std::size_t j = 0; j < components; ++j)
    for (std::size_t k = 0; k < kCentroids; ++k)
      grid.values[j * kCentroids + k] = pivots.values[k * pivots.dimension + j] * set.longest;
  if (turned) grid.projection = projection_of(pivots, set.dimension);

  std::vector<float> tables(pivots.chunks() * kCentroids);  // squares of all centroids
  for (std::size_t chunk = 0; chunk < pivots.chunks(); ++chunk) {
    for (std::size_t j = grid.shape.begin(chunk); j < grid.shape.begin(chunk + 1); ++j) {
      for (std::size_t k = 0; k < kCentroids; ++k) {
        const float value = grid.values[j * kCentroids + k];
        tables[chunk * kCentroids + k] += value * value;
      }
    }
  }
  Codes codes;
  codes.codec = Codec::PQ8;
  codes.rows = formats::read_microsoft_codes(set, execution);
  std::vector<float> factors;
  const base::RowsView& rows = codes.rows.view();
  if (products) {
    factors.resize(2 * rows.rows);
    for (std::size_t i = 0; i < rows.rows; ++i) factors[2 * i + 1] = -1;
  } else {
    factors.resize(rows.rows);
    std::vector<Slot> slots(rows.rows);
    std::iota(slots.begin(), slots.end(), Slot{0});
    quantization::look_up(grid.shape, tables.data(), rows, slots.data(), slots.size(), factors.data());
  }
  codes.factors = base::SharedArray<float>(std::move(factors));
  codes.book = product_book(set.metric, std::move(grid));
  return codes;
}

/// Other writers may leave edges of a node to itself, or to another twice.
void drop_repeats(base::Adjacency& graph) {
  std::vector<Slot> last_in(graph.nodes()), kept;  // 1 + the node that last had an edge to this one
  for (std::size_t i = 0; i < graph.nodes(); ++i) {
    const auto node = static_cast<Slot>(i);
    kept.clear();
    // With itself among them the row does not end where it seems to.
    for (const Slot neighbor : std::span(graph.row(node), graph.stride())) {
      if (neighbor == node || std::exchange(last_in[neighbor], node + 1) == node + 1) continue;
      kept.push_back(neighbor);
    }
    graph.assign(node, kept);
  }
}

/// All but rows, graph and codes.
std::unique_ptr<Index::State> described(const MicrosoftDiskSet& set) {
  auto state = foreign_state(set.metric, set.given, set.max_degree);
  state->entry_points = set.entry_points;
  std::vector<bool> hidden;
  if (set.frozen) {
    hidden.resize(set.nodes);
    hidden[*set.frozen] = true;
  }
  state->points = points_of(set.nodes, hidden, {});
  return state;
}

}  // namespace

NodePages pages_of(const MicrosoftDiskSet& set) {
  return NodePages::of_microsoft(set.coordinate_bytes, set.max_degree,
                                 set.vectors_at != 0 ? set.pivots.dimension * sizeof(float) : 0);
}

std::unique_ptr<DiskIndex::State> open_microsoft_pages(const std::filesystem::path& named,
                                                       const DiskOpenOptions& options) {
  const MicrosoftDiskSet set =
      formats::open_microsoft_disk_set(*formats::microsoft_disk_index(named), options.metric, options.type);
  auto state = std::make_unique<DiskIndex::State>();
  state->path = set.index;
  state->pages = pages_of(set);
  state->edges_at = 1;
  state->rows_at = set.vectors_at;
  state->form = form_of(set);
  state->known = described(set);
  state->known->rows = base::RowStore({nullptr, 0, set.nodes, set.dimension, set.type}, nullptr);
  state->known->codes = codes_of(set, options.execution);
  state->device = options.simulated ? io::simulate_blocks(set.index, *options.simulated)
                                    : io::open_blocks(set.index, options.io, options.direct);
  io::check_begins(*state->device, set.first_block, set.index);
  return state;
}

namespace {

/// Rows as their sets hold them; empty by L2, where they are as they came.
base::RowStore prepared_rows(Distance metric, const base::RowsView& rows, float& longest) {
  if (metric == Distance::L2) return {};
  const bool products = metric == Distance::InnerProduct;
  base::RowStore prepared(VectorType::F32, rows.rows, rows.dimension + (products ? 1 : 0));
  std::vector<double> lengths(rows.rows);
  for (std::size_t i = 0; i < rows.rows; ++i) {
    auto* const row = reinterpret_cast<float*>(prepared.row(i));
    base::convert_row(rows.row(i), rows.type, prepared.row(i), VectorType::F32, rows.dimension);
    double square = 0;
    for (std::size_t j = 0; j < rows.dimension; ++j) square += double{row[j]} * double{row[j]};
    lengths[i] = std::sqrt(square);
  }
  longest = static_cast<float>(*std::max_element(lengths.begin(), lengths.end()));
  if (products && !(longest > 0 && std::isfinite(longest)))
    throw Error(ErrorCode::Unsupported,
                "by inner product no set of Microsoft's holds vectors of which the longest has the length " +
                    std::to_string(longest));
  for (std::size_t i = 0; i < rows.rows; ++i) {
    auto* const row = reinterpret_cast<float*>(prepared.row(i));
    const double over = products ? double{longest} : lengths[i];
    for (std::size_t j = 0; over > 0 && j < rows.dimension; ++j) row[j] = static_cast<float>(double{row[j]} / over);
    if (!products) continue;
    const double part = lengths[i] / over;
    row[rows.dimension] = static_cast<float>(std::sqrt(std::max(0.0, 1 - part * part)));
  }
  return prepared;
}

/// As their files have them. What was subtracted is added to the centroids: their readers do not subtract everywhere.
MicrosoftPivots pivots_of(const quantization::ProductGrid& grid) {
  MicrosoftPivots pivots;
  pivots.dimension = grid.shape.dimension;
  pivots.values.resize(kCentroids * pivots.dimension);
  for (std::size_t j = 0; j < pivots.dimension; ++j)
    for (std::size_t k = 0; k < kCentroids; ++k)
      pivots.values[k * pivots.dimension + j] = grid.values[j * kCentroids + k] + grid.mean[j];
  pivots.mean.resize(pivots.dimension);
  for (std::size_t chunk = 0; chunk <= grid.shape.chunks; ++chunk)
    pivots.starts.push_back(static_cast<std::uint32_t>(grid.shape.begin(chunk)));
  return pivots;
}

}  // namespace

void save_microsoft_pages(const Index::State& state, const std::filesystem::path& prefix, bool overwrite,
                          const Execution& execution) {
  constexpr std::uint32_t kMostDegree = 512;  // that their readers take
  constexpr std::size_t kMostChunks = 512;
  check_for_microsoft(state);
  if (formats::is_microsoft_memory_set(prefix)) {
    throw Error(ErrorCode::AlreadyExists,
                prefix.string() + " names an in-memory set of Microsoft's: files of both have the same names",
                "choose another prefix");
  }
  if (!overwrite && formats::microsoft_disk_index(prefix))
    throw Error(ErrorCode::AlreadyExists, prefix.string() + " names a set already",
                "ask for it to be replaced (--force)");
  PointGraph expanded;
  if (state.points.has_twins()) expanded = expand_twins(state);
  const base::Adjacency& graph = state.points.has_twins() ? expanded.graph : state.graph;
  const base::RowsView rows = (state.points.has_twins() ? expanded.rows : state.rows).view();
  for (std::size_t i = 0; i < graph.nodes(); ++i)
    if (graph.degree(static_cast<Slot>(i)) > kMostDegree)
      throw Error(ErrorCode::Unsupported, "Microsoft's disk sets hold up to 512 neighbours of a point, point " +
                                              std::to_string(i) + " has more");
  formats::MicrosoftDiskSource source;
  const base::RowStore prepared = prepared_rows(state.metric, rows, source.longest);
  source.metric = state.metric;
  source.dimension = rows.dimension;
  source.rows = state.metric == Distance::L2 ? rows : prepared.view();
  source.graph = &graph;
  source.start = state.points.has_twins() ? expanded.start : state.entry_points.front();
  base::ThreadTeam team(execution);
  const std::size_t of_index = state.codes.codec == Codec::PQ8 ? state.codes.book->numbers().product.chunks : 0;
  const std::size_t chunks = of_index != 0 ? of_index : (source.dimension + 3) / 4;
  const quantization::ProductGrid grid = quantization::train_product(
      {source.rows.dimension, std::min(chunks, kMostChunks), 8}, source.rows, nullptr, team);
  const quantization::ProductCodes codes = quantization::encode_product(grid, source.rows, nullptr, team);
  const MicrosoftPivots pivots = pivots_of(grid);
  source.pivots = &pivots;
  source.codes = codes.rows.view();
  formats::write_microsoft_disk_set(prefix, source, overwrite, execution);
}

std::unique_ptr<Index::State> read_microsoft_pages(const std::filesystem::path& named, const OpenOptions& options) {
  refuse_mapping(named, options);
  const MicrosoftDiskSet set =
      formats::open_microsoft_disk_set(*formats::microsoft_disk_index(named), options.metric, options.type);
  auto state = described(set);
  state->paged = true;
  const auto file = io::file_system().open(set.index);
  base::ProgressMeter progress(options.execution, "read index", file->size());
  state->rows = base::RowStore(set.type, set.nodes, set.dimension);
  state->graph = base::Adjacency(set.nodes, graph::row_slots(set.max_degree));
  const std::unique_ptr<const RowForm> form = form_of(set);
  const PageSource source{[&](bool of_edges, std::uint64_t offset, std::span<std::byte> out) {
                            base::check_cancelled(options.execution.cancel);
                            file->read((of_edges ? 1 : set.vectors_at) * io::kBlockBytes + offset, out);
                          },
                          [&](std::size_t bytes) { progress.add(bytes); },
                          [&](const std::string& what) {
                            throw Error(ErrorCode::Corrupt, set.index.string() + ": " + what,
                                        "give the type of the vectors, if it is another one: --dtype");
                          }};
  read_all_pages(
      pages_of(set), source,
      [&](Slot node, const std::byte* record) {
        std::byte* const row = state->rows.row(node);
        if (form != nullptr)
          form->read(record, row);
        else
          std::memcpy(row, record, set.dimension * size_of(set.type));
      },
      state->graph);
  drop_repeats(state->graph);
  const base::RowsView& rows = state->rows.view();
  try {
    distance::check_finite({rows.data, rows.type, rows.rows, rows.dimension, rows.stride}, 0);
  } catch (const Error& error) {
    source.fail(error.what());
  }
  finish_foreign(*state);
  return state;
}

}  // namespace diskann::index
