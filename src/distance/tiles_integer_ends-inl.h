// Per-target part, included once for each instruction set behind load_integers and multiply_from: the table of them.

#if defined(DISKANN_DISTANCE_TILES_INTEGER_ENDS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef DISKANN_DISTANCE_TILES_INTEGER_ENDS_INL_H_
#undef DISKANN_DISTANCE_TILES_INTEGER_ENDS_INL_H_
#else
#define DISKANN_DISTANCE_TILES_INTEGER_ENDS_INL_H_
#endif

DISKANN_BEFORE_NAMESPACE();
namespace diskann::distance {
namespace DISKANN_NAMESPACE {

template <class RowType, Distance kMetric>
void multiply_integers(const TileBlock& left, std::size_t first, std::size_t count, const TileBlock& right, float* out,
                       std::size_t stride) {
  multiply_from<RowType, kMetric>(left, first, count, right, 0, out, stride);
}

template <class RowType, Distance kMetric>
void square_integers(const TileBlock& block, float* out, std::size_t stride) {
  square_block(block, out, stride, [&](std::size_t first, std::size_t count, std::size_t panel, float* stripe) {
    multiply_from<RowType, kMetric>(block, first, count, block, panel, stripe, stride);
  });
}

template <class RowType, Distance kMetric>
constexpr TileKernels kIntegerTiles = {load_integers<RowType, kMetric>, multiply_integers<RowType, kMetric>,
                                       square_integers<RowType, kMetric>, kComponentBytes == 1};

template <class RowType>
const TileKernels* find_integer_tiles_of(Distance metric) {
  return of_metric(metric, kIntegerTiles<RowType, Distance::L2>, kIntegerTiles<RowType, Distance::Cosine>,
                   kIntegerTiles<RowType, Distance::InnerProduct>);
}

const TileKernels* find_integer_tiles(Distance metric, VectorType rows) {
  switch (rows) {
    case VectorType::U8: return find_integer_tiles_of<std::uint8_t>(metric);
    case VectorType::I8: return find_integer_tiles_of<std::int8_t>(metric);
    case VectorType::F32:
    case VectorType::F16: break;
  }
  return nullptr;
}

}  // namespace DISKANN_NAMESPACE
}  // namespace diskann::distance
DISKANN_AFTER_NAMESPACE();

#endif
