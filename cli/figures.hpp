#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace diskann::cli {

/// 1234567 as "1,234,567".
std::string count_text(std::uint64_t value);
/// "1 query", "1,000 queries".
std::string counted(std::uint64_t count, std::string_view one, std::string_view many);
/// "999", "12.3k", "4.56M".
std::string short_count(double value);
/// "831 B", "12.3 MiB".
std::string bytes_text(std::uint64_t bytes);
/// "0.123 s", "12.3 s", "3:07".
std::string duration_text(double seconds);
/// "0:04", "3:07", "1:02:30".
std::string clock_text(double seconds);
/// Bytes of "800M", "2GiB" (K M G T and KiB … are powers of 1024, KB … powers of 1000). Throws InvalidArgument.
std::uint64_t parse_bytes(std::string_view text, std::string_view flag);
/// "10,20,40" as numbers. Throws InvalidArgument that names `flag`.
std::vector<std::uint32_t> parse_list(std::string_view text, std::string_view flag);

}  // namespace diskann::cli
