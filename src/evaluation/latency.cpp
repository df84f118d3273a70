#include <algorithm>
#include <cmath>
#include <cstddef>

#include "diskann/evaluation.hpp"

namespace diskann {

Latency summarize_latency(std::vector<double>& samples) {
  Latency latency;
  if (samples.empty()) return latency;
  std::sort(samples.begin(), samples.end());
  double sum = 0;
  for (const double sample : samples) sum += sample;
  const auto count = static_cast<double>(samples.size());
  latency.mean = sum / count;
  // Nearest rank: the smallest sample that at least this share of the samples does not exceed, so a figure is always
  // one that was measured. In thousandths, since 0.95 * 100 need not be 95.
  const auto percentile = [&](std::size_t thousandths) {
    const std::size_t rank = (samples.size() * thousandths + 999) / 1000;
    return samples[std::max<std::size_t>(rank, 1) - 1];
  };
  latency.p50 = percentile(500);
  latency.p95 = percentile(950);
  latency.p99 = percentile(990);
  latency.p999 = percentile(999);
  return latency;
}

}  // namespace diskann
