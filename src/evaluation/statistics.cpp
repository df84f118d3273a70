#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "base/huge_array.hpp"
#include "base/threads.hpp"
#include "diskann/evaluation.hpp"
#include "io/checksum.hpp"

namespace diskann {
namespace {

/// Rows of one partial result; fixed, so that sums do not depend on the thread count.
constexpr std::uint64_t kChunkRows = 256;

/// What a chunk of rows adds up to. Components and norms of rows with NaN or infinity are left out.
struct Part {
  double smallest = std::numeric_limits<double>::infinity(), largest = -smallest;
  double components = 0, mean = 0, squares = 0;  // squares: sum of squared differences from the mean
  double smallest_norm = smallest, largest_norm = 0, norm_sum = 0;
  std::uint64_t finite_rows = 0, zero_rows = 0, not_finite = 0, first_not_finite = kNoId;
  bool integral = true;

  /// Adds a part that follows this one (Chan, Golub and LeVeque 1979).
  void add(const Part& next) {
    const double total = components + next.components;
    if (next.components > 0) {
      const double apart = next.mean - mean;
      squares += next.squares + apart * apart * components * (next.components / total);
      mean += apart * (next.components / total);
      components = total;
    }
    smallest = std::min(smallest, next.smallest);
    largest = std::max(largest, next.largest);
    smallest_norm = std::min(smallest_norm, next.smallest_norm);
    largest_norm = std::max(largest_norm, next.largest_norm);
    norm_sum += next.norm_sum;
    finite_rows += next.finite_rows;
    zero_rows += next.zero_rows;
    not_finite += next.not_finite;
    first_not_finite = std::min(first_not_finite, next.first_not_finite);
    integral = integral && next.integral;
  }
};

template <class T>
void read_row(const std::byte* row, std::vector<double>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    T value;
    std::memcpy(&value, row + i * sizeof(T), sizeof(T));
    out[i] = static_cast<double>(value);
  }
}

void read_row(VectorType type, const std::byte* row, std::vector<double>& out) {
  switch (type) {
    case VectorType::F32: return read_row<float>(row, out);
    case VectorType::F16: return read_row<float16>(row, out);
    case VectorType::I8: return read_row<std::int8_t>(row, out);
    case VectorType::U8: return read_row<std::uint8_t>(row, out);
  }
}

Part analyze_row(const std::vector<double>& row, std::uint64_t number) {
  Part part;
  double sum = 0, norm = 0;
  for (const double value : row) {
    if (!std::isfinite(value)) {
      Part bad;
      bad.not_finite = 1;
      bad.first_not_finite = number;
      bad.integral = false;
      return bad;
    }
    part.smallest = std::min(part.smallest, value);
    part.largest = std::max(part.largest, value);
    part.integral = part.integral && value == std::floor(value);
    sum += value;
    norm += value * value;
  }
  part.components = static_cast<double>(row.size());
  part.mean = sum / part.components;
  for (const double value : row) part.squares += (value - part.mean) * (value - part.mean);
  norm = std::sqrt(norm);
  part.smallest_norm = part.largest_norm = part.norm_sum = norm;
  part.finite_rows = 1;
  part.zero_rows = norm == 0 ? 1 : 0;
  return part;
}

struct HashedRow {
  std::uint64_t hash, row;
};

/// Rows that hold the same bytes as an earlier row.
std::uint64_t count_duplicates(const VectorView& vectors, base::HugeArray<HashedRow>& hashed) {
  const std::size_t bytes = vectors.dimension() * size_of(vectors.type());
  std::sort(hashed.begin(), hashed.end(),
            [](const HashedRow& a, const HashedRow& b) { return a.hash != b.hash ? a.hash < b.hash : a.row < b.row; });
  std::uint64_t duplicates = 0;
  std::vector<std::uint64_t> different;  // rows of one hash that are not equal; almost always one
  for (std::size_t i = 0; i < hashed.size(); ++i) {
    if (i == 0 || hashed[i].hash != hashed[i - 1].hash) different.clear();
    const std::byte* row = vectors.row(hashed[i].row);
    const bool seen = std::any_of(different.begin(), different.end(), [&](std::uint64_t other) {
      return std::memcmp(row, vectors.row(other), bytes) == 0;
    });
    if (seen) {
      ++duplicates;
    } else {
      different.push_back(hashed[i].row);
    }
  }
  return duplicates;
}

}  // namespace

VectorStatistics analyze_vectors(VectorView vectors, const Execution& execution) {
  if (vectors.rows() == 0 || vectors.dimension() == 0) {
    throw Error(ErrorCode::InvalidArgument, "empty input: no vectors to look at");
  }
  std::vector<Part> parts((vectors.rows() + kChunkRows - 1) / kChunkRows);
  base::HugeArray<HashedRow> hashed(vectors.rows());
  {
    base::ThreadTeam team(execution);
    base::ProgressMeter progress(execution, "analyze vectors", vectors.rows());
    team.run(vectors.rows(), kChunkRows, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
      std::vector<double> row(vectors.dimension());
      Part& part = parts[begin / kChunkRows];
      for (std::uint64_t i = begin; i < end; ++i) {
        read_row(vectors.type(), vectors.row(i), row);
        part.add(analyze_row(row, i));
        hashed[i] = {io::checksum({vectors.row(i), vectors.dimension() * size_of(vectors.type())}), i};
      }
      progress.add(end - begin);
    });
  }
  Part whole;
  for (const Part& part : parts) whole.add(part);

  VectorStatistics statistics;
  statistics.not_finite = whole.not_finite;
  statistics.first_not_finite_row = whole.first_not_finite;
  statistics.integral = whole.integral;
  statistics.zero_vectors = whole.zero_rows;
  statistics.duplicates = count_duplicates(vectors, hashed);
  if (whole.finite_rows == 0) return statistics;
  statistics.smallest = whole.smallest;
  statistics.largest = whole.largest;
  statistics.mean = whole.mean;
  statistics.standard_deviation = std::sqrt(whole.squares / whole.components);
  statistics.smallest_norm = whole.smallest_norm;
  statistics.largest_norm = whole.largest_norm;
  statistics.mean_norm = whole.norm_sum / static_cast<double>(whole.finite_rows);
  return statistics;
}

}  // namespace diskann
