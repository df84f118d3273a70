#pragma once

#include "index/code_layout.hpp"
#include "index/index_state.hpp"

namespace diskann::index {

/// Queries that recall by codes is measured on.
inline constexpr std::size_t kProbesOfCodes = 256;
/// Of recall@100: what takes longer lists is left to Index::calibrate.
inline constexpr double kEnough = 0.99;

/// Gives a graph over rows the codes of a codec, where walks by them find what walks by rows find, and measures the
/// recall of searches, for `queries` or, where there are none, for stored rows; makes the searcher. By Codec::Auto the
/// codes are the smallest by which searches are expected to be faster than by rows, or none. The state has all else.
void choose_codes(Index::State& state, const CodeChoice& choice, const VectorView& queries, const Execution& execution);

/// Gives it codes whatever walks by them find and measures what that is; `alone`: without the rows. Makes the searcher.
/// Throws InvalidArgument where the rows have no such codes.
void keep_codes(Index::State& state, const CodeChoice& choice, bool alone, const VectorView& queries,
                const Execution& execution);

}  // namespace diskann::index
