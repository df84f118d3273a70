#include "index/probes.hpp"

#include <algorithm>
#include <numeric>

#include "base/random.hpp"
#include "distance/kernels.hpp"
#include "index/exact_scan.hpp"

namespace diskann::index {
void fill_limits(Probes& probes, std::size_t nodes, const std::function<SearchResults(std::size_t k)>& nearest) {
  const std::size_t there = nodes - (probes.hidden.empty() ? 0 : 1);
  const std::size_t most = std::min<std::size_t>(kRanks.back(), there);
  for (std::size_t r = 0; r < kRanks.size(); ++r)
    probes.wanted[r] = static_cast<std::uint32_t>(std::min<std::size_t>(kRanks[r], most));
  const SearchResults found = nearest(most + (probes.hidden.empty() ? 0 : 1));
  std::vector<float> distances;
  for (std::size_t i = 0; i < found.rows; ++i) {
    distances.clear();
    for (std::size_t j = 0; j < found.k; ++j)
      if (probes.hidden.empty() || found.ids_of(i)[j] != probes.hidden[i])
        distances.push_back(found.distances_of(i)[j]);
    Probes::Limits limits;
    for (std::size_t r = 0; r < kRanks.size(); ++r) limits[r] = distances[probes.wanted[r] - 1];
    probes.limits.push_back(limits);
  }
}

Probes choose_probes(const base::RowsView& rows, Distance metric, const VectorView& queries, std::size_t most,
                     const Execution& execution) {
  Probes probes;
  const bool of_user = queries.rows() > 0;
  if (!of_user && rows.rows < 2) return probes;
  distance::check_finite(queries, 0);
  const VectorView stored(rows.data, rows.type, rows.rows, rows.dimension, rows.stride);
  const VectorView& source = of_user ? queries : stored;
  std::vector<base::Slot> chosen = base::sample(source.rows(), most, base::Random(5));
  probes.queries = VectorSet(source.type(), chosen.size(), source.dimension());
  for (std::size_t i = 0; i < chosen.size(); ++i)
    std::copy_n(source.row(chosen[i]), probes.queries.row_bytes(), probes.queries.row(i));
  if (!of_user) probes.hidden = std::move(chosen);
  const ExactScan scan(stored, metric, ExactScan::Layout::Padded, execution);
  fill_limits(probes, rows.rows, [&](std::size_t k) { return scan.nearest(probes.queries, k, execution); });
  return probes;
}

namespace {

double sum_of_first(const std::vector<std::uint64_t>& values, std::size_t count) {
  const auto end = values.begin() + static_cast<std::ptrdiff_t>(std::min(count, values.size()));
  return static_cast<double>(std::accumulate(values.begin(), end, std::uint64_t{0}));
}

}  // namespace

void ListTrial::OfRank::resize(std::size_t size) {
  for (auto* counts : {&places, &compared, &found}) counts->resize(size);
}

ListTrial::OfRank& ListTrial::OfRank::operator+=(const OfRank& other) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    places[i] += other.places[i];
    compared[i] += other.compared[i];
    found[i] += other.found[i];
  }
  return *this;
}

double ListTrial::compared(std::size_t rank, std::size_t kept) const {
  return sum_of_first(ranks[rank].compared, kept);
}

double ListTrial::recall(std::size_t rank, std::size_t kept, const Probes& probes) const {
  return sum_of_first(ranks[rank].found, kept) /
         (static_cast<double>(probes.wanted[rank]) * static_cast<double>(probes.limits.size()));
}

}  // namespace diskann::index
