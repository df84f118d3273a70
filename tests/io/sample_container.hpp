#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "diskann/error.hpp"
#include "io/container.hpp"

namespace diskann::io {

using Bytes = std::vector<std::byte>;

inline Bytes bytes_of(std::string_view text) {
  const auto* data = reinterpret_cast<const std::byte*>(text.data());
  return {data, data + text.size()};
}

inline Bytes random_bytes(std::size_t count, std::uint64_t seed) {
  base::Random random(seed);
  Bytes bytes(count);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next());
  return bytes;
}

struct Payload {
  SectionKind kind;
  Bytes bytes;
  bool required = true;
  std::uint32_t version = 1;
  friend bool operator==(const Payload&, const Payload&) = default;
};

inline void save(const std::filesystem::path& path, const std::vector<Payload>& payloads, bool overwrite = true) {
  ContainerWriter writer(path, overwrite);
  for (const Payload& payload : payloads) {
    writer.begin(payload.kind, payload.version, payload.required);
    writer.write(payload.bytes);
  }
  writer.commit();
}

/// A meta section and one that fills more than a page, with padding behind both.
inline std::vector<Payload> small_sections() {
  return {{SectionKind::Meta, bytes_of("{\"points\":3}")}, {SectionKind::Vectors, random_bytes(4200, 7)}};
}

/// Everything in the file, read in all ways that there are; throws where any of them finds damage.
inline std::vector<Payload> read_back(const std::filesystem::path& path) {
  const Container container = Container::open(path);
  std::vector<Payload> payloads;
  for (const Section& section : container.sections()) {
    if (!container.checksum_ok(section)) throw Error(ErrorCode::Corrupt, "checksum_ok() is false");
    Bytes bytes = container.read_small(section);
    Bytes copy(section.length);
    container.read(section, 0, copy);
    const std::shared_ptr<const std::byte> mapped = container.map(section);
    if (bytes != copy || !std::equal(bytes.begin(), bytes.end(), mapped.get()))
      throw Error(ErrorCode::Internal, "two ways of reading differ");
    payloads.push_back({section.kind, std::move(bytes), section.required, section.version});
  }
  return payloads;
}

/// The code of the error that `call` throws; fails the test (by Internal) where it throws none.
template <class Call>
ErrorCode code_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::Internal;
}

/// The message of the error that `call` throws, hint included.
template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return std::string(error.what()) + "\n" + error.hint();
  }
  return "(no error)";
}

}  // namespace diskann::io
