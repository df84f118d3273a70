#pragma once

#include <optional>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "formats/vector_reader.hpp"

namespace diskann::index {

/// Rows of a caller's memory, read as those of a file are.
class ViewReader : public formats::VectorReader {
 public:
  explicit ViewReader(const VectorView& view) noexcept : view_(view) {}
  std::uint64_t rows() const noexcept override { return view_.rows(); }
  std::size_t dimension() const noexcept override { return view_.dimension(); }
  VectorType type() const noexcept override { return view_.type(); }
  VectorFormat format() const noexcept override { return VectorFormat::Bin; }
  void read(std::uint64_t first, std::uint64_t count, std::byte* out, std::size_t stride) const override;

 private:
  VectorView view_;
};

/// The type to store rows in: `store_as`, else U8 or I8 where f32 rows hold nothing but such integers, else their own.
/// Looks at the rows only where it must, and stops at the first that decides.
VectorType choose_type(const formats::VectorReader& reader, std::optional<VectorType> store_as, base::ThreadTeam& team);

/// Rows that are worth reading at once: about a megabyte.
std::uint64_t rows_at_once(const formats::VectorReader& reader);

/// Reads some rows into padded memory, from row `at` on, as its type. InvalidArgument with row and column for NaN,
/// infinity, a norm that overflows f32, and a value that the type cannot hold. Safe from several threads.
void read_some_rows(const formats::VectorReader& reader, std::uint64_t first, std::uint64_t count, base::RowStore& out,
                    std::size_t at);

/// The same of all rows. `stage`: what progress calls it.
base::RowStore read_rows(const formats::VectorReader& reader, VectorType type, const char* stage,
                         base::ThreadTeam& team, const Execution& execution);

}  // namespace diskann::index
