// Nanoseconds a distance, one query against many rows, for every instruction set, form, metric and size.
//   kernels_bench --benchmark_filter='near/.*/u8/l2/128'
// "near" compares consecutive rows that stay in the first cache (block); "far" gathers rows at random from a store
// of 512 MB (many, 32 slots a call, as a hop does); "tile" multiplies 64 rows with 240 (distances of all pairs);
// near/LOOP is not of the library: one component after the other, for comparison. tools/kernel_table makes a table.
// far/READ only reads a word of each line of the rows that "far" compares, and "clock" adds in a chain: what memory and
// processor allow. tools/kernel_bounds sets the kernels against it.
// All results go through DoNotOptimize, so that no compiler can leave a distance out.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/prefetch.hpp"
#include "base/random.hpp"
#include "base/row_store.hpp"
#include "distance/dispatch.hpp"

namespace {

using namespace diskann;

constexpr std::size_t kFarBytes = std::size_t{512} << 20;
constexpr std::size_t kHop = 32;

void fill(base::RowStore& store) {
  base::Random random(7);
  const auto& view = store.view();
  for (std::size_t i = 0; i < view.rows; ++i) {
    std::byte* const row = store.row(i);
    for (std::size_t j = 0; j < view.dimension; ++j) {
      if (view.type == VectorType::F32) {
        reinterpret_cast<float*>(row)[j] = static_cast<float>(random.next() >> 40) * 0x1p-24f;
      } else if (view.type == VectorType::F16) {
        reinterpret_cast<std::uint16_t*>(row)[j] = static_cast<std::uint16_t>(random.next() & 0x3BFF);
      } else {
        row[j] = static_cast<std::byte>(random.next() & 0xFF);
      }
    }
  }
}

/// The far store of the benchmark that runs; the next one of another shape replaces it.
base::RowStore& far_store(VectorType type, std::size_t dimension) {
  static base::RowStore store;
  if (store.view().dimension != dimension || store.view().type != type) {
    store = base::RowStore();
    store = base::RowStore(type, kFarBytes / base::row_stride(type, dimension), dimension);
    fill(store);
  }
  return store;
}

/// Rows of the far store at random, more than any cache holds.
std::vector<base::Slot> far_slots(std::size_t rows) {
  std::vector<base::Slot> slots(std::size_t{1} << 21);
  base::Random random(3);
  for (base::Slot& slot : slots) slot = static_cast<base::Slot>(random.below(rows));
  return slots;
}

struct Case {
  std::string isa;
  VectorType type;
  VectorType form;
  Distance metric;
  std::size_t dimension;
};

void report(benchmark::State& state, std::size_t calls, std::size_t rows) {
  state.counters["per_distance"] =
      benchmark::Counter(static_cast<double>(calls * rows), benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

/// As an index has them: null where kernels do without.
const float* norms_of(const Case& c, const std::vector<float>& norms) {
  return distance::has_norms(c.metric, c.type, c.dimension, norms.size()) ? norms.data() : nullptr;
}

void near(benchmark::State& state, const Case& c) {
  const std::size_t rows = std::max<std::size_t>(4, 16384 / base::row_stride(c.type, c.dimension) / 4 * 4);
  base::RowStore store(c.type, rows, c.dimension),
      queries(c.form, 1, base::row_stride(c.type, c.dimension) / size_of(c.type));
  fill(store);
  fill(queries);
  const distance::Query query{queries.row(0), c.form, 0.01f};
  const std::vector<float> norms(rows, 0.01f);
  std::vector<float> out(rows);
  const auto& kernels = distance::kernels_for(c.isa, c.metric, c.type, c.form);
  std::size_t calls = 0;
  for (auto _ : state) {
    kernels.block(query, store, norms_of(c, norms), 0, rows, out.data());
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
    ++calls;
  }
  report(state, calls, rows);
}

/// A distance as one would write it down, compiled with the flags of the library.
template <class T, class Sum>
float loop_distance(Distance metric, const T* a, const T* b, std::size_t dimension, float inverse_norms) {
  Sum sum = 0;
  if (metric == Distance::L2) {
    for (std::size_t i = 0; i < dimension; ++i) {
      const auto difference = static_cast<Sum>(a[i]) - static_cast<Sum>(b[i]);
      sum += difference * difference;
    }
    return static_cast<float>(sum);
  }
  for (std::size_t i = 0; i < dimension; ++i) sum += static_cast<Sum>(a[i]) * static_cast<Sum>(b[i]);
  const auto product = static_cast<float>(sum);
  return metric == Distance::Cosine ? 1.0f - product * inverse_norms : -product;
}

/// As near, by loop_distance.
template <class T, class Sum>
void loop(benchmark::State& state, const Case& c) {
  const std::size_t rows = std::max<std::size_t>(4, 16384 / base::row_stride(c.type, c.dimension) / 4 * 4);
  base::RowStore store(c.type, rows, c.dimension), queries(c.type, 1, c.dimension);
  fill(store);
  fill(queries);
  const auto* query = reinterpret_cast<const T*>(queries.row(0));
  std::vector<float> out(rows);
  std::size_t calls = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < rows; ++i)
      out[i] = loop_distance<T, Sum>(c.metric, query, reinterpret_cast<const T*>(store.row(i)), c.dimension, 1e-4f);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
    ++calls;
  }
  report(state, calls, rows);
}

void far(benchmark::State& state, const Case& c) {
  base::RowStore& store = far_store(c.type, c.dimension);
  base::RowStore queries(c.form, 1, base::row_stride(c.type, c.dimension) / size_of(c.type));
  fill(queries);
  const distance::Query query{queries.row(0), c.form, 0.01f};
  const std::vector<float> norms(store.view().rows, 0.01f);
  const std::vector<base::Slot> slots = far_slots(store.view().rows);
  float out[kHop];
  const auto& kernels = distance::kernels_for(c.isa, c.metric, c.type, c.form);
  std::size_t calls = 0;
  for (auto _ : state) {
    kernels.many(query, store, norms_of(c, norms), slots.data() + calls * kHop % slots.size(), kHop, out);
    benchmark::DoNotOptimize(out);
    benchmark::ClobberMemory();
    ++calls;
  }
  report(state, calls, kHop);
}

/// Reads the lines of random rows, four rows ahead of where they are summed.
void read_lines(benchmark::State& state, VectorType type, std::size_t dimension) {
  constexpr std::size_t kAhead = 4;
  const base::RowStore& store = far_store(type, dimension);
  const std::vector<base::Slot> slots = far_slots(store.view().rows);
  const std::size_t bytes = store.view().stride;
  std::uint64_t sum = 0;
  std::size_t calls = 0;
  for (auto _ : state) {
    const base::Slot* hop = slots.data() + calls * kHop % slots.size();
    for (std::size_t i = 0; i < kAhead; ++i) base::prefetch(store.view().row(hop[i]), bytes);
    for (std::size_t i = 0; i < kHop; ++i) {
      if (i + kAhead < kHop) base::prefetch(store.view().row(hop[i + kAhead]), bytes);
      for (std::size_t line = 0; line < bytes; line += 64)
        sum += *reinterpret_cast<const std::uint64_t*>(store.view().row(hop[i]) + line);
    }
    benchmark::DoNotOptimize(sum);
    ++calls;
  }
  report(state, calls, kHop);
}

/// A chain of additions: one a cycle.
void chain(benchmark::State& state) {
  constexpr std::size_t kAdditions = 1000;
  std::uint64_t sum = 0;
  std::size_t calls = 0;
  for (auto _ : state) {
    for (std::size_t i = 0; i < kAdditions; ++i) {
      sum += i;
      benchmark::DoNotOptimize(sum);  // in a register, one after the other
    }
    ++calls;
  }
  report(state, calls, kAdditions);
}

/// 64 rows against 240, the right side laid out anew for each call as a scan does.
void tile(benchmark::State& state, const Case& c) {
  constexpr std::size_t kLeft = 64, kRight = 240;
  base::RowStore store(c.type, kLeft + kRight, c.dimension);
  fill(store);
  const std::vector<float> norms(kLeft + kRight, 0.01f);
  const auto& kernels = distance::tiles_for(c.isa, c.metric, c.type, c.form);
  distance::TileBlock left, right;
  kernels.load({store, norms.data(), nullptr, 0, kLeft}, false, left);
  std::vector<float> out(kLeft * kRight);
  std::size_t calls = 0;
  for (auto _ : state) {
    kernels.load({store, norms.data(), nullptr, kLeft, kRight}, true, right);
    kernels.multiply(left, 0, kLeft, right, out.data(), kRight);
    benchmark::DoNotOptimize(out.data());
    benchmark::ClobberMemory();
    ++calls;
  }
  report(state, calls, kLeft * kRight);
}

using Body = void (*)(benchmark::State&, const Case&);

void add(const Case& c, const char* kind, Body body) {
  const std::string name = std::string(kind) + "/" + c.isa + "/" + std::string(to_string(c.type)) +
                           (c.form == VectorType::F32 && c.type != VectorType::F32 ? "_f32" : "") + "/" +
                           std::string(to_string(c.metric)) + "/" + std::to_string(c.dimension);
  benchmark::RegisterBenchmark(name.c_str(), [c, body](benchmark::State& state) { body(state, c); });
}

const int registered = [] {
  for (const std::size_t dimension : {64u, 128u, 256u, 384u, 512u, 768u, 1024u}) {
    for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
      add({"LOOP", VectorType::F32, VectorType::F32, metric, dimension}, "near", loop<float, float>);
      add({"LOOP", VectorType::U8, VectorType::U8, metric, dimension}, "near", loop<std::uint8_t, std::int32_t>);
      add({"LOOP", VectorType::I8, VectorType::I8, metric, dimension}, "near", loop<std::int8_t, std::int32_t>);
    }
  }
  benchmark::RegisterBenchmark("clock", chain);
  for (const VectorType type : {VectorType::F32, VectorType::U8}) {
    for (const std::size_t dimension : {64u, 128u, 256u, 384u, 512u, 768u, 784u, 1024u}) {
      const std::string name = "far/READ/" + std::string(to_string(type)) + "/" + std::to_string(dimension);
      benchmark::RegisterBenchmark(name.c_str(),
                                   [type, dimension](benchmark::State& state) { read_lines(state, type, dimension); });
    }
  }
  constexpr VectorType kForms[][2] = {{VectorType::F32, VectorType::F32}, {VectorType::F16, VectorType::F32},
                                      {VectorType::U8, VectorType::F32},  {VectorType::I8, VectorType::F32},
                                      {VectorType::U8, VectorType::U8},   {VectorType::I8, VectorType::I8}};
  for (const auto& [type, form] : kForms) {
    for (const std::size_t dimension : {64u, 128u, 256u, 384u, 512u, 768u, 784u, 1024u}) {
      for (const std::string& isa : distance::available_isas()) {
        for (const Distance metric : {Distance::L2, Distance::Cosine, Distance::InnerProduct}) {
          add({isa, type, form, metric, dimension}, "near", near);
          add({isa, type, form, metric, dimension}, "far", far);
          add({isa, type, form, metric, dimension}, "tile", tile);
        }
      }
    }
  }
  return 0;
}();

}  // namespace
