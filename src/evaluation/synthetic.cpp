#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "base/random.hpp"
#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "diskann/evaluation.hpp"

namespace diskann {
namespace {

/// Tell the streams of one seed apart.
constexpr std::uint64_t kCentreStream = 0x63656E7472657321u;
constexpr std::uint64_t kRowStream = 0x726F777320202121u;

[[noreturn]] void refuse(const std::string& message) { throw Error(ErrorCode::InvalidArgument, message); }

void check(const SyntheticOptions& options) {
  if (options.rows == 0) refuse("empty input: 0 synthetic vectors asked for");
  if (options.dimension == 0 || options.dimension > base::kMaxDimension) {
    refuse("dimension " + std::to_string(options.dimension) + " is not in 1 to " + std::to_string(base::kMaxDimension));
  }
  if (options.clusters == 0) refuse("0 clusters asked for, at least 1 is needed");
  if (!(options.spread >= 0.0f && options.spread <= 1000.0f)) {
    refuse("spread " + std::to_string(options.spread) + " is not in 0 to 1000");
  }
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

}  // namespace

SyntheticSet generate_clustered(const SyntheticOptions& options, const Execution& execution) {
  check(options);
  SyntheticSet set{VectorSet(options.type, options.rows, options.dimension), {}};
  set.labels.resize(options.rows);
  const std::uint64_t centre_seed = base::mix(options.seed ^ kCentreStream);
  const std::uint64_t row_seed = base::mix(options.seed ^ kRowStream);
  base::ThreadTeam team(execution);
  base::ProgressMeter progress(execution, "generate vectors", options.rows);
  team.run(options.rows, 256, [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    for (std::uint64_t i = begin; i < end; ++i) {
      // A stream for every row and every centre: no order of work shows, and no centre has to be kept.
      base::Random random(base::mix(row_seed + i));
      const auto cluster = static_cast<std::uint32_t>(random.below(options.clusters));
      base::Random centre(base::mix(centre_seed + cluster));
      set.labels[i] = cluster;
      std::byte* out = set.vectors.row(i);
      for (std::uint32_t d = 0; d < options.dimension; ++d, out += size_of(options.type)) {
        const double middle = centre.uniform();
        write_component(options.type, out, middle + static_cast<double>(options.spread) * random.normal());
      }
    }
    progress.add(end - begin);
  });
  return set;
}

}  // namespace diskann
