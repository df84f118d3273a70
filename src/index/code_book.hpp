#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/row_store.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "distance/nibbles.hpp"
#include "graph/code_space.hpp"
#include "index/code_layout.hpp"
#include "io/container.hpp"
#include "quantization/product_codes.hpp"

namespace diskann::index {

/// Codes of rows, and the floats beside each that kernels want.
struct CodedRows {
  base::RowStore rows;
  std::vector<float> factors;
};

/// What the metadata of an index says of its codes; each codec uses some of it.
struct CodeNumbers {
  float zero = 0, step = 0, shared = 1, longest = 0;
  distance::NibblePlaces places{};
  distance::NibbleShape shape;
  quantization::ProductShape product{};
};

/// How rows of an index become codes and queries are compared with those: what one codec learnt of the rows. One model
/// for each family of codecs.
class CodeBook {
 public:
  virtual ~CodeBook() = default;
  /// Of rows of the type that it was made for; nothing where a row has no code.
  virtual std::optional<CodedRows> encode(const base::RowsView& rows, base::ThreadTeam& team) const = 0;
  /// `factors` may be null where the layout has none. All must outlive the result, the book too.
  virtual std::shared_ptr<const graph::WalkCodes> walk(const base::RowsView& codes, const float* factors) const = 0;
  virtual CodeNumbers numbers() const { return {}; }
  /// What it keeps in sections of its own.
  virtual std::vector<std::pair<io::SectionKind, std::vector<std::byte>>> sections() const { return {}; }
  /// Bytes of what it learnt.
  virtual std::size_t bytes() const { return 0; }
};

/// Learns from rows that has_codes() takes; null where they are all the same and the codec wants a grid.
std::shared_ptr<const CodeBook> train_book(const CodeChoice& codes, Distance metric, const base::RowsView& rows,
                                           base::ThreadTeam& team);
/// Of product codes that others made.
std::shared_ptr<const CodeBook> product_book(Distance metric, quantization::ProductGrid grid);
/// Where a book that was saved comes from.
class SectionSource {
 public:
  virtual ~SectionSource() = default;
  /// A section of so many bytes; empty where there is none.
  virtual std::vector<std::byte> section(io::SectionKind kind, std::uint64_t bytes) const = 0;
  /// Throws Corrupt.
  [[noreturn]] virtual void fail(const std::string& what) const = 0;
};
/// From a file whose numbers in the metadata were checked; null where a section is missing.
std::shared_ptr<const CodeBook> read_book(Codec codec, Distance metric, std::size_t dimension,
                                          const CodeNumbers& numbers, const SectionSource& source);

}  // namespace diskann::index
