#include "index/record_pages.hpp"

#include <cstring>

#include "io/checksum.hpp"

namespace diskann::index {
namespace {

std::uint64_t sum_of(std::span<const std::byte> unit, std::uint64_t number) noexcept {
  return io::checksum(unit.first(unit.size() - RecordPages::kSumBytes)) ^ number;
}

}  // namespace

void seal_unit(std::span<std::byte> unit, std::uint64_t number) noexcept {
  const std::uint64_t sum = sum_of(unit, number);
  std::memcpy(unit.data() + unit.size() - sizeof sum, &sum, sizeof sum);
}

bool is_sealed(std::span<const std::byte> unit, std::uint64_t number) noexcept {
  std::uint64_t sum = 0;
  std::memcpy(&sum, unit.data() + unit.size() - sizeof sum, sizeof sum);
  return sum == sum_of(unit, number);
}

bool RecordPages::is_whole(const std::byte* unit, std::uint64_t number) const noexcept {
  return sum_bytes_ == 0 || is_sealed({unit, unit_bytes()}, number);
}

}  // namespace diskann::index
