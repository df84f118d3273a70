#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "diskann/evaluation.hpp"

namespace diskann {
namespace {

/// Tell the streams of one seed apart.
constexpr std::uint64_t kCentreStream = 0x63656E7472657321u;
constexpr std::uint64_t kRowStream = 0x726F777320202121u;
constexpr std::uint64_t kShapeStream = 0x7368617065732121u;

// In the order of the enumeration.
constexpr std::array<std::string_view, 6> kShapeNames = {"plain", "unit",     "lognormal",
                                                         "decay", "outliers", "duplicates"};

constexpr double kLogNormDeviation = 0.7;
constexpr std::uint64_t kOutlierEvery = 20;
constexpr double kBlobDivisor = 32;     // leaves the blob a standard deviation of one step in 8 bits
constexpr std::uint64_t kCopies = 100;  // more than a node has neighbours, as many as a list of candidates holds

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::InvalidArgument, message); }

void check(const SyntheticOptions& options) {
  if (options.rows == 0) refuse("empty input: 0 synthetic vectors asked for");
  if (options.dimension == 0 || options.dimension > base::kMaxDimension) {
    refuse("dimension " + std::to_string(options.dimension) + " is not in 1 to " + std::to_string(base::kMaxDimension));
  }
  if (options.queries > std::numeric_limits<std::uint64_t>::max() - options.rows) {
    refuse("rows and queries together are too many");
  }
  // (1/2 + 6 * spread) e^(6 * 0.7) must be finite in f16, which ends at 65504.
  const bool narrow = options.type == VectorType::F16 && options.shape == SyntheticShape::LogNormal;
  const float most = narrow ? 100.0f : 1000.0f;
  if (!(options.spread >= 0.0f && options.spread <= most)) {
    refuse("spread " + std::to_string(options.spread) +
           (narrow ? " is not in 0 to 100, where f16 holds log-normal rows" : " is not in 0 to 1000"));
  }
  if (options.clusters == 0 && options.spread == 0) refuse("without clusters a spread of 0 leaves nothing but zeros");
}

/// Nearest whole number by floor, which unlike rint does not look at the rounding mode.
double scaled_to_byte(double value, double offset) {
  return std::clamp(std::floor(value * 255.0 + 0.5), 0.0, 255.0) + offset;
}

template <class T>
void store(std::byte* out, T value) {
  std::memcpy(out, &value, sizeof value);
}

void write_component(VectorType type, std::byte* out, double value) {
  switch (type) {
    case VectorType::F32: store(out, static_cast<float>(value)); return;
    case VectorType::F16: store(out, float16(static_cast<float>(value))); return;
    case VectorType::I8: store(out, static_cast<std::int8_t>(scaled_to_byte(value, -128.0))); return;
    case VectorType::U8: store(out, static_cast<std::uint8_t>(scaled_to_byte(value, 0.0))); return;
  }
}

/// e^x for x within ±10 by sums, products and quotients alone: the function of that name differs between C libraries.
/// (So do log and pow; square roots are correctly rounded everywhere.)
double exponential(double x) {
  const double part = x / 256;
  double power = 1;
  for (int term = 6; term > 0; --term) power = 1 + part * power / term;
  for (int doubling = 0; doubling < 8; ++doubling) power *= power;
  return power;
}

/// Draws rows by their numbers. Each row and each centre has a stream of its own, and what a shape draws another: no
/// order of work shows, no centre has to be kept, and the shapes of one seed are made from the same rows.
class RowSource {
 public:
  explicit RowSource(const SyntheticOptions& options)
      : options_(options),
        centre_seed_(base::mix(options.seed ^ kCentreStream)),
        row_seed_(base::mix(options.seed ^ kRowStream)),
        shape_seed_(base::mix(options.seed ^ kShapeStream)),
        distinct_(options.rows / kCopies + (options.rows % kCopies != 0 ? 1 : 0)) {
    const double spread = options.spread;
    const bool in_cube = options.clusters != 0 &&
                         (options.shape == SyntheticShape::Plain || options.shape == SyntheticShape::Duplicates);
    if (!in_cube) {
      origin_ = 0.5;
      double deviation = std::sqrt(spread * spread + (options.clusters != 0 ? 1.0 / 12 : 0.0));
      if (options.shape == SyntheticShape::Unit) deviation = 1 / std::sqrt(static_cast<double>(options.dimension));
      byte_range_ = deviation * (options.shape == SyntheticShape::LogNormal ? 32 : 8);
      byte_middle_ = 0.5;
    }
    if (options.shape == SyntheticShape::Decay) {
      factors_.resize(options.dimension);
      for (std::uint32_t d = 0; d < options.dimension; ++d) {
        const double root = std::sqrt(static_cast<double>(d) + 1);
        factors_[d] = 1 / (root * std::sqrt(root));
      }
    }
  }

  /// Fills `out` with row i, the queries being the rows after the last, and returns its cluster.
  std::uint32_t draw(std::uint64_t i, std::span<double> out) const {
    const bool query = i >= options_.rows;
    if (options_.shape == SyntheticShape::Duplicates && !query) i %= distinct_;
    base::Random random(base::mix(row_seed_ + i));
    const auto cluster = options_.clusters == 0 ? 0 : static_cast<std::uint32_t>(random.below(options_.clusters));
    base::Random centre(base::mix(centre_seed_ + cluster));
    for (double& component : out) {
      const double middle = options_.clusters == 0 ? 0.0 : centre.uniform() - origin_;
      component = middle + static_cast<double>(options_.spread) * random.normal();
    }
    shape(base::Random(base::mix(shape_seed_ + i)), query, out);
    return cluster;
  }

  /// In 8-bit types 0 to 1 is the whole range.
  double for_bytes(double value) const { return value / byte_range_ + byte_middle_; }

 private:
  void shape(base::Random random, bool query, std::span<double> row) const {
    switch (options_.shape) {
      case SyntheticShape::Plain:
      case SyntheticShape::Duplicates: return;
      case SyntheticShape::Unit: return normalize(row);
      case SyntheticShape::LogNormal:
        if (!query) scale(row, exponential(kLogNormDeviation * random.normal()));
        return;
      case SyntheticShape::Decay:
        for (std::size_t d = 0; d < row.size(); ++d) row[d] *= factors_[d];
        return;
      case SyntheticShape::Outliers:
        if (random.below(kOutlierEvery) != 0) scale(row, 1 / kBlobDivisor);
        return;
    }
  }

  static void scale(std::span<double> row, double factor) {
    for (double& component : row) component *= factor;
  }

  static void normalize(std::span<double> row) {
    double squares = 0;
    for (const double component : row) squares += component * component;
    if (squares > 0) {
      const double length = std::sqrt(squares);
      for (double& component : row) component /= length;
    } else {
      row[0] = 1;  // normal numbers are on a grid and hit 0: seen with a component or two
    }
  }

  const SyntheticOptions& options_;
  std::uint64_t centre_seed_, row_seed_, shape_seed_;
  std::uint64_t distinct_;       // of Duplicates
  std::vector<double> factors_;  // of Decay
  double origin_ = 0, byte_range_ = 1, byte_middle_ = 0;
};

}  // namespace

std::string_view to_string(SyntheticShape shape) noexcept { return kShapeNames[static_cast<std::size_t>(shape)]; }

SyntheticShape parse_synthetic_shape(std::string_view name) {
  for (std::size_t i = 0; i < kShapeNames.size(); ++i)
    if (kShapeNames[i] == name) return static_cast<SyntheticShape>(i);
  throw Error(ErrorCode::InvalidArgument, "unknown shape '" + std::string(name) + "'",
              "use plain, unit, lognormal, decay, outliers or duplicates");
}

SyntheticSet generate_clustered(const SyntheticOptions& options, const Execution& execution) {
  check(options);
  SyntheticSet set{VectorSet(options.type, options.rows, options.dimension),
                   {},
                   VectorSet(options.type, options.queries, options.dimension)};
  set.labels.resize(options.rows);
  const RowSource source(options);
  const bool bytes = size_of(options.type) == 1;
  const std::uint64_t all = options.rows + options.queries;
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "generate vectors", all);
  team.run(all, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    std::vector<double> row(options.dimension);
    for (std::uint64_t i = begin; i < end; ++i) {
      const std::uint32_t cluster = source.draw(i, row);
      if (i < options.rows) set.labels[i] = cluster;
      std::byte* out = i < options.rows ? set.vectors.row(i) : set.queries.row(i - options.rows);
      for (const double value : row) {
        write_component(options.type, out, bytes ? source.for_bytes(value) : value);
        out += size_of(options.type);
      }
    }
    progress.add(end - begin);
  });
  return set;
}

}  // namespace diskann
