#include "index/codes.hpp"

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "index/code_layout.hpp"
#include "quantization/scalar_codes.hpp"

namespace diskann::index {

void check_codec(Codec codec, const base::RowsView& rows, base::ThreadTeam& team) {
  if (codec != Codec::F16 || !has_codes(codec, rows.type, rows.dimension)) return;
  std::vector<std::vector<std::byte>> halves(team.threads(), std::vector<std::byte>(rows.dimension * sizeof(float16)));
  if (quantization::halve(rows, team, [&](unsigned thread, std::uint64_t) { return halves[thread].data(); })) return;
  throw Error(ErrorCode::InvalidArgument, "a value lies outside the range of f16 (65,504): there is no such code",
              "scale the vectors down, or use the codec sq8");
}

Codes make_codes(const CodeChoice& choice, Distance metric, const base::RowsView& rows, base::ThreadTeam& team) {
  if (!has_codes(choice.codec, rows.type, rows.dimension)) return {};
  std::shared_ptr<const CodeBook> book = train_book(choice, metric, rows, team);
  if (book == nullptr) return {};
  std::optional<CodedRows> made = book->encode(rows, team);
  if (!made) return {};
  return {choice.codec, std::move(book), std::move(made->rows), std::move(made->factors)};
}

bool are_codes_of(const Codes& codes, const base::RowsView& rows, base::ThreadTeam& team) {
  const std::optional<CodedRows> right = codes.book->encode(rows, team);
  if (!right) return false;
  const base::RowsView& view = codes.rows.view();
  if (std::memcmp(right->rows.view().data, view.data, view.rows * view.stride) != 0) return false;
  // A file may do without norms that this writer would give it.
  if (codes.factors.empty()) return true;
  const std::size_t bytes = codes.factors.size() * sizeof(float);
  return std::memcmp(right->factors.data(), codes.factors.data(), bytes) == 0;
}

}  // namespace diskann::index
