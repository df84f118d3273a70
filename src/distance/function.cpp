#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "diskann/distance.hpp"
#include "distance/kernels.hpp"
#include "distance/norms.hpp"

namespace diskann {

DistanceFunction::~DistanceFunction() = default;

void DistanceFunction::batch_distance(std::span<const float> query, std::span<const float> points,
                                      std::span<float> distances) const {
  if (points.size() != query.size() * distances.size()) {
    throw Error(ErrorCode::DimensionMismatch, "points have " + std::to_string(points.size()) +
                                                  " components, expected " + std::to_string(distances.size()) +
                                                  " times " + std::to_string(query.size()));
  }
  for (std::size_t i = 0; i < distances.size(); ++i) {
    distances[i] = distance(query, points.subspan(i * query.size(), query.size()));
  }
}

Distance DistanceFunction::metric() const { return Distance::Custom; }

namespace {

constexpr std::size_t kRowsAtOnce = 16;

/// Padded copies of what users pass. One a thread, kept for the next call of the same dimension.
struct Scratch {
  base::HugeArray<std::byte> query;
  base::RowStore rows;
};

Scratch& scratch_of(std::size_t dimension) {
  thread_local Scratch scratch;
  if (scratch.rows.view().dimension != dimension) {
    scratch.query = base::HugeArray<std::byte>(base::row_stride(VectorType::F32, dimension));
    scratch.rows = base::RowStore(VectorType::F32, kRowsAtOnce, dimension);
  }
  return scratch;
}

class LibraryDistance final : public DistanceFunction {
 public:
  LibraryDistance(Distance metric, std::size_t dimension)
      : metric_(metric), dimension_(dimension), kernels_(distance::kernels(metric, VectorType::F32, VectorType::F32)) {}

  float distance(std::span<const float> a, std::span<const float> b) const override {
    float result = 0;
    batch_distance(a, b, {&result, 1});
    return result;
  }

  void batch_distance(std::span<const float> query, std::span<const float> points,
                      std::span<float> distances) const override {
    check_length("the query has", query.size(), 1);
    check_length(distances.size() == 1 ? "the point has" : "the points have", points.size(), distances.size());
    Scratch& scratch = scratch_of(dimension_);
    const distance::Query prepared{copy(query.data(), scratch.query.data()), VectorType::F32, inverse(query.data())};
    for (std::size_t begin = 0; begin < distances.size(); begin += kRowsAtOnce) {
      const std::size_t count = std::min(kRowsAtOnce, distances.size() - begin);
      float inverse_norms[kRowsAtOnce];
      for (std::size_t i = 0; i < count; ++i) {
        const float* const point = points.data() + (begin + i) * dimension_;
        copy(point, scratch.rows.row(i));
        inverse_norms[i] = inverse(point);
      }
      kernels_.block(prepared, scratch.rows, inverse_norms, 0, count, distances.data() + begin);
    }
  }

  Distance metric() const override { return metric_; }
  std::string name() const override { return std::string(to_string(metric_)); }

 private:
  void check_length(const char* what, std::size_t found, std::size_t rows) const {
    if (found == rows * dimension_) return;
    throw Error(ErrorCode::DimensionMismatch,
                std::string(what) + " " + std::to_string(found) + " components, expected " +
                    (rows == 1 ? "" : std::to_string(rows) + " times ") + std::to_string(dimension_));
  }
  const std::byte* copy(const float* from, std::byte* to) const {
    std::memcpy(to, from, dimension_ * sizeof(float));
    return to;
  }
  float inverse(const float* row) const {
    if (metric_ != Distance::Cosine) return 0;
    return distance::inverse_norm(
        distance::squared_norm(reinterpret_cast<const std::byte*>(row), VectorType::F32, dimension_));
  }

  Distance metric_;
  std::size_t dimension_;
  const distance::KernelTable& kernels_;
};

}  // namespace

std::unique_ptr<DistanceFunction> create_distance_function(Distance metric, std::size_t dimension) {
  if (metric == Distance::Custom) {
    throw Error(ErrorCode::InvalidArgument, "the library has no distance named 'custom'", "use l2, cosine or ip");
  }
  if (dimension == 0 || dimension > base::kMaxDimension) {
    throw Error(ErrorCode::InvalidArgument,
                "dimension " + std::to_string(dimension) + " is not in 1 to " + std::to_string(base::kMaxDimension));
  }
  return std::make_unique<LibraryDistance>(metric, dimension);
}

}  // namespace diskann
