#pragma once

#include <memory>

#include "base/row_store.hpp"
#include "base/shared_array.hpp"
#include "base/threads.hpp"
#include "diskann/index.hpp"
#include "index/code_book.hpp"

namespace diskann::index {

/// What walks compare in place of rows.
struct Codes {
  Codec codec = Codec::None;
  std::shared_ptr<const CodeBook> book;
  base::RowStore rows;
  base::SharedArray<float> factors;  ///< of each row as many as its layout says; empty where kernels do without

  std::shared_ptr<const graph::WalkCodes> walk() const {
    return book->walk(rows, factors.empty() ? nullptr : factors.data());
  }
};

/// Throws InvalidArgument for rows that have no such codes: values beyond the range of f16.
void check_codec(Codec codec, const base::RowsView& rows, base::ThreadTeam& team);
/// Codes of all rows, which check_codec() has seen. Codec::None where there are none to make: rows that are as small
/// themselves, or all the same.
Codes make_codes(const CodeChoice& choice, Distance metric, const base::RowsView& rows, base::ThreadTeam& team);
/// Whether codes are those that their book gives the rows, which are finite.
bool are_codes_of(const Codes& codes, const base::RowsView& rows, base::ThreadTeam& team);

}  // namespace diskann::index
