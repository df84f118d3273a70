#pragma once

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

#include <cmath>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include "base/random.hpp"
#include "base/row_store.hpp"
#include "distance/kernels.hpp"
#include "distance/norms.hpp"

namespace diskann::distance::testing {

struct Form {
  VectorType rows, query;
};
/// Every pair that kernels take.
inline constexpr Form kForms[] = {
    {VectorType::F32, VectorType::F32}, {VectorType::F16, VectorType::F32}, {VectorType::U8, VectorType::F32},
    {VectorType::I8, VectorType::F32},  {VectorType::U8, VectorType::U8},   {VectorType::I8, VectorType::I8},
};
inline constexpr Distance kMetrics[] = {Distance::L2, Distance::Cosine, Distance::InnerProduct};

inline std::string describe(const std::string& isa, Form form, Distance metric, std::size_t dimension) {
  return isa + ", rows " + std::string(to_string(form.rows)) + ", query " + std::string(to_string(form.query)) + ", " +
         std::string(to_string(metric)) + ", dimension " + std::to_string(dimension);
}

/// Fills `dimension` components: normal floats, halves of every kind but NaN and infinity, bytes of the whole range.
inline void fill_row(base::Random& random, std::byte* row, VectorType type, std::size_t dimension) {
  for (std::size_t i = 0; i < dimension; ++i) {
    if (type == VectorType::F32) {
      const auto value = static_cast<float>(random.normal());
      std::memcpy(row + i * 4, &value, 4);
    } else if (type == VectorType::F16) {
      std::uint16_t bits;
      do {
        bits = static_cast<std::uint16_t>(random.next());
      } while ((bits & 0x7C00u) == 0x7C00u);
      std::memcpy(row + i * 2, &bits, 2);
    } else {
      row[i] = static_cast<std::byte>(random.next());
    }
  }
}

inline base::RowStore random_rows(base::Random& random, VectorType type, std::size_t rows, std::size_t dimension) {
  base::RowStore store(type, rows, dimension);
  for (std::size_t i = 0; i < rows; ++i) fill_row(random, store.row(i), type, dimension);
  return store;
}

/// Components that a query against such rows must have, padding included.
inline std::size_t padded(VectorType rows, std::size_t dimension) {
  return base::row_stride(rows, dimension) / size_of(rows);
}

/// A padded query with its inverse norm.
class PaddedQuery {
 public:
  PaddedQuery(base::Random& random, Form form, std::size_t dimension)
      : store_(form.query, 1, padded(form.rows, dimension)), dimension_(dimension) {
    fill_row(random, store_.row(0), form.query, dimension);
    refresh();
  }
  std::byte* row() { return store_.row(0); }
  void refresh() {
    base::RowsView view = store_.view();
    view.dimension = dimension_;
    distance::inverse_norms(view, 0, 1, &query_.inverse_norm);
    if (view.type != VectorType::F32)
      query_.squared_norm = static_cast<std::uint32_t>(squared_norm(view.row(0), view.type, dimension_));
    query_.data = store_.row(0);
    query_.form = view.type;
  }
  const Query& query() const { return query_; }

 private:
  base::RowStore store_;
  std::size_t dimension_;
  Query query_;
};

/// Memory whose last byte is followed by a page that faults.
class GuardedMemory {
 public:
  explicit GuardedMemory(std::size_t bytes) {
#if defined(_WIN32)
    const std::size_t page = 4096, used = base::round_up(bytes, page);
    length_ = used + page;
    void* const pages = VirtualAlloc(nullptr, length_, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE);
    if (pages == nullptr) throw std::bad_alloc();
    pages_ = static_cast<std::byte*>(pages);
    DWORD before;
    VirtualProtect(pages_ + used, page, PAGE_NOACCESS, &before);
#else
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t used = base::round_up(bytes, page);
    length_ = used + page;
    void* const pages = mmap(nullptr, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    pages_ = static_cast<std::byte*>(pages);
    mprotect(pages_ + used, page, PROT_NONE);
#endif
    data_ = pages_ + used - bytes;
  }
  GuardedMemory(const GuardedMemory&) = delete;
#if defined(_WIN32)
  ~GuardedMemory() { VirtualFree(pages_, 0, MEM_RELEASE); }
#else
  ~GuardedMemory() { munmap(pages_, length_); }
#endif
  std::byte* data() { return data_; }

 private:
  std::size_t length_;
  std::byte* pages_;
  std::byte* data_;
};

}  // namespace diskann::distance::testing
