#pragma once

#include <cstddef>
#include <vector>

namespace diskann::doubles {

/// Makes all checksums of an index file right again after it was tampered with, as far as the places that they stand
/// at can be told. What is behind the checksums must hold by itself.
void repair_checksums(std::vector<std::byte>& file);

/// Makes the checksums of all pages right again that hold whole records.
void seal_pages(std::vector<std::byte>& file);

}  // namespace diskann::doubles
