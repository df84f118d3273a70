#include "index/ingest.hpp"

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/convert.hpp"
#include "distance/kernels.hpp"

namespace diskann::index {
namespace {

/// Which 8-bit types hold all of what was seen.
struct Fits {
  bool u8 = true, i8 = true;

  void look(const float* values, std::size_t count) noexcept {
    bool fits_u8 = true, fits_i8 = true;
    for (std::size_t i = 0; i < count; ++i) {
      const float value = values[i];
      const bool integral = value >= -128.0f && value <= 255.0f && static_cast<float>(static_cast<int>(value)) == value;
      fits_u8 &= integral && value >= 0.0f;
      fits_i8 &= integral && value <= 127.0f;
    }
    u8 &= fits_u8;
    i8 &= fits_i8;
  }
};

/// distance::check_finite(), whose errors do not know the file.
void check_rows(const formats::VectorReader& reader, const VectorView& rows, std::uint64_t first_row) {
  try {
    distance::check_finite(rows, first_row);
  } catch (const Error& error) {
    throw Error(error.code(), reader.where() + error.what(), error.hint());
  }
}

}  // namespace

std::uint64_t rows_at_once(const formats::VectorReader& reader) {
  const std::size_t row_bytes = std::max<std::size_t>(1, reader.dimension() * size_of(reader.type()));
  return std::clamp<std::uint64_t>((std::size_t{1} << 20) / row_bytes, 1, 65'536);
}

void ViewReader::read(std::uint64_t first, std::uint64_t count, std::byte* out, std::size_t stride) const {
  const std::size_t row_bytes = view_.dimension() * size_of(view_.type());
  for (std::uint64_t i = 0; i < count; ++i) std::memcpy(out + i * stride, view_.row(first + i), row_bytes);
}

VectorType choose_type(const formats::VectorReader& reader, std::optional<VectorType> store_as,
                       base::ThreadTeam& team) {
  if (store_as) return *store_as;
  if (reader.type() != VectorType::F32) return reader.type();
  const std::uint64_t block = rows_at_once(reader);
  std::vector<Fits> fits(team.threads());
  std::atomic<bool> hopeless{false};
  team.run(reader.rows(), block, [&](unsigned thread, std::uint64_t begin, std::uint64_t end) {
    if (hopeless.load(std::memory_order_relaxed)) return;
    std::vector<float> values((end - begin) * reader.dimension());
    reader.read(begin, end - begin, reinterpret_cast<std::byte*>(values.data()), reader.dimension() * sizeof(float));
    fits[thread].look(values.data(), values.size());
    if (!fits[thread].u8 && !fits[thread].i8) hopeless.store(true, std::memory_order_relaxed);
  });
  if (std::all_of(fits.begin(), fits.end(), [](const Fits& f) { return f.u8; })) return VectorType::U8;
  if (std::all_of(fits.begin(), fits.end(), [](const Fits& f) { return f.i8; })) return VectorType::I8;
  return VectorType::F32;
}

void read_some_rows(const formats::VectorReader& reader, std::uint64_t first, std::uint64_t count, base::RowStore& out,
                    std::size_t at) {
  const std::size_t dimension = reader.dimension(), stride = out.view().stride;
  const VectorType type = out.view().type;
  if (type == reader.type()) {
    reader.read(first, count, out.row(at), stride);
    return check_rows(reader, {out.row(at), type, count, dimension, stride}, first);
  }
  const std::size_t row_bytes = dimension * size_of(reader.type());
  std::vector<std::byte> rows(count * row_bytes);
  reader.read(first, count, rows.data(), row_bytes);
  check_rows(reader, {rows.data(), reader.type(), count, dimension, row_bytes}, first);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::size_t column =
        base::convert_row(rows.data() + i * row_bytes, reader.type(), out.row(at + i), type, dimension);
    if (column == base::kAllColumns) continue;
    throw Error(ErrorCode::InvalidArgument,
                reader.where() + "row " + std::to_string(first + i) + ", column " + std::to_string(column) + ": the " +
                    std::string(to_string(reader.type())) + " value cannot be stored as " +
                    std::string(to_string(type)) + " without changing it",
                "store it as f32, or scale the data first");
  }
}

base::RowStore read_rows(const formats::VectorReader& reader, VectorType type, const char* stage,
                         base::ThreadTeam& team, const Execution& execution) {
  base::RowStore store(type, reader.rows(), reader.dimension());
  base::ProgressMeter progress(execution, stage, reader.rows());
  team.run(reader.rows(), rows_at_once(reader), [&](unsigned, std::uint64_t begin, std::uint64_t end) {
    read_some_rows(reader, begin, end - begin, store, begin);
    progress.add(end - begin);
  });
  return store;
}

}  // namespace diskann::index
