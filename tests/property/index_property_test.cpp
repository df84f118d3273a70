#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "diskann/flat_index.hpp"
#include "diskann/index.hpp"
#include "io/file_system.hpp"
#include "tests/doubles/fault_file_system.hpp"
#include "tests/doubles/test_data.hpp"

namespace diskann {
namespace {

/// Each property is tried on 100 cases; RC_PARAMS="max_success=2000" in the environment asks for more, and the seed
/// that a failure prints, given there, replays it.
///
/// Some index over some data: small, odd, with copies, of any type and metric.
struct Case {
  VectorType type;
  Distance metric;
  std::size_t rows, dimension;
  std::uint32_t max_degree, list;
  std::uint64_t seed;

  VectorSet base() const {
    VectorSet set = doubles::clustered(type, rows, dimension, seed, 1 + seed % 5);
    base::Random random(seed + 1);
    for (std::uint64_t copies = random.below(rows); copies > 0; --copies)
      std::copy_n(set.row(random.below(rows)), set.row_bytes(), set.row(random.below(rows)));
    return set;
  }
  VectorSet queries() const { return doubles::clustered(type, 7, dimension, seed + 2, 1 + seed % 5); }
  Index build(const VectorSet& set, unsigned threads = 2) const {
    Execution execution;
    execution.threads = threads;
    return IndexBuilder()
        .metric(metric)
        .max_degree(max_degree)
        .search_list_size(list)
        .seed(seed)
        .quantize(seed % 2 == 0 ? Codec::None : Codec::Auto)
        .store_as(type)
        .execution(execution)
        .build_from_vectors(set);
  }
};

void showValue(const Case& c, std::ostream& out) {
  out << to_string(c.type) << ' ' << to_string(c.metric) << " n " << c.rows << " d " << c.dimension << " R "
      << c.max_degree << " L " << c.list << " seed " << c.seed;
}

rc::Gen<Case> cases() {
  return rc::gen::map(
      rc::gen::tuple(rc::gen::inRange(0, 4), rc::gen::inRange(0, 3), rc::gen::inRange<std::size_t>(1, 260),
                     rc::gen::inRange<std::size_t>(1, 40), rc::gen::inRange<std::uint32_t>(2, 24),
                     rc::gen::inRange<std::uint32_t>(1, 60), rc::gen::arbitrary<std::uint32_t>()),
      [](const auto& drawn) {
        const auto& [type, metric, rows, dimension, max_degree, list, seed] = drawn;
        return Case{
            static_cast<VectorType>(type), static_cast<Distance>(metric), rows, dimension, max_degree, list, seed};
      });
}

RC_GTEST_PROP(IndexProperty, AFullListFindsWhatExactSearchFinds, ()) {
  const Case c = *cases();
  const VectorSet base = c.base();
  const Index index = c.build(base);
  const FlatIndex exact(base, c.metric);
  const VectorSet queries = c.queries();
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const VectorView query = queries.view().slice(q, 1);
    RC_ASSERT(index.search(query, c.rows, {1000}) == exact.search(query, c.rows));
  }
}

RC_GTEST_PROP(IndexProperty, BatchesSingleQueriesAndPrefixesAgree, ()) {
  const Case c = *cases();
  const Index index = c.build(c.base());
  const VectorSet queries = c.queries();
  const SearchResults batch = index.search_batch(queries, 9, {c.list});
  for (std::size_t q = 0; q < queries.rows(); ++q) {
    const VectorView query = queries.view().slice(q, 1);
    const auto hits = index.search(query, 9, {c.list});
    RC_ASSERT(std::is_sorted(hits.begin(), hits.end()));
    for (std::size_t i = 0; i < 9; ++i) RC_ASSERT(batch.ids_of(q)[i] == (i < hits.size() ? hits[i].id : kNoId));
    if (c.list >= 9) {
      const auto four = index.search(query, 4, {c.list});
      RC_ASSERT(std::equal(four.begin(), four.end(), hits.begin()));
    }
  }
}

RC_GTEST_PROP(IndexProperty, FilesGiveTheSameIndexAtAnyThreadCount, ()) {
  const Case c = *cases();
  doubles::FaultFileSystem files;
  const io::FileSystemOverride guard(files);
  const VectorSet base = c.base();
  c.build(base, 1).save("one");
  c.build(base, 3).save("three");
  RC_ASSERT(files.content("one") == files.content("three"));
  const Index opened = Index::open("one");
  opened.save("again");
  RC_ASSERT(files.content("one") == files.content("again"));
  RC_ASSERT(opened.graph_statistics().unreachable == 0u);
  const VectorSet queries = c.queries();
  const Index built = c.build(base);
  for (std::size_t q = 0; q < queries.rows(); ++q)
    RC_ASSERT(opened.search(queries.view().slice(q, 1), 5) == built.search(queries.view().slice(q, 1), 5));
}

RC_GTEST_PROP(IndexProperty, AStoredRowIsFoundByItself, ()) {
  const Case c = *cases();
  if (c.metric == Distance::InnerProduct) return;  // there another row may be nearer
  const VectorSet base = c.base();
  const Index index = c.build(base);
  for (std::size_t i = 0; i < c.rows; i += 7) {
    const auto hits = index.search(base.view().slice(i, 1), 1, {300});
    RC_ASSERT(hits.size() == 1u);
    const bool zero =
        std::all_of(base.row(i), base.row(i) + base.row_bytes(), [](std::byte b) { return b == std::byte{0}; });
    if (c.metric == Distance::Cosine) {
      RC_ASSERT(hits[0].distance <= 1e-6f || (zero && hits[0].distance == 1.0f));
    } else {
      RC_ASSERT(hits[0].distance == 0.0f);
    }
  }
}

}  // namespace
}  // namespace diskann
