#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "diskann/vector_file.hpp"
#include "tests/doubles/fault_file_system.hpp"

namespace diskann::formats_test {

using Bytes = std::vector<std::byte>;

/// A file of tests/golden/microsoft, read past the library.
inline Bytes golden(const std::string& name) {
  std::ifstream file(DISKANN_SOURCE_DIR "/tests/golden/microsoft/" + name, std::ios::binary);
  const std::vector<char> text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_FALSE(text.empty()) << name << " is missing";
  Bytes bytes(text.size());
  std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

inline Bytes bytes_of(const std::string& text) {
  const auto* from = reinterpret_cast<const std::byte*>(text.data());
  return {from, from + text.size()};
}
inline std::string text_of(const Bytes& bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <class... T>
Bytes pack(T... values) {
  Bytes bytes;
  const auto add = [&](const auto& value) {
    const auto* from = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), from, from + sizeof value);
  };
  (add(values), ...);
  return bytes;
}
inline Bytes operator+(Bytes a, const Bytes& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}
template <class T>
T peek(const Bytes& bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}
template <class T>
void poke(Bytes& bytes, std::size_t offset, T value) {
  std::memcpy(bytes.data() + offset, &value, sizeof value);
}

/// Rows of arbitrary finite components.
inline VectorSet random_set(VectorType type, std::size_t rows, std::size_t dimension, std::uint64_t seed) {
  VectorSet set(type, rows, dimension);
  base::Random random(seed);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < dimension; ++j) {
      std::byte* at = set.row(i) + j * size_of(type);
      const auto value = static_cast<float>(random.normal());
      const float16 half(value);
      const std::uint64_t bits = random.next();
      std::memcpy(at,
                  type == VectorType::F32   ? static_cast<const void*>(&value)
                  : type == VectorType::F16 ? static_cast<const void*>(&half)
                                            : static_cast<const void*>(&bits),
                  size_of(type));
    }
  return set;
}

inline void expect_equal(VectorView a, VectorView b) {
  ASSERT_EQ(a.type(), b.type());
  ASSERT_EQ(a.rows(), b.rows());
  ASSERT_EQ(a.dimension(), b.dimension());
  for (std::size_t i = 0; i < a.rows(); ++i)
    ASSERT_EQ(std::memcmp(a.row(i), b.row(i), a.dimension() * size_of(a.type())), 0) << "row " << i;
}

/// Files live in memory while a test runs.
class Formats : public testing::Test {
 protected:
  Bytes content(const std::string& path) const { return files.content(path).value(); }

  doubles::FaultFileSystem files;
  io::FileSystemOverride override_{files};
};

/// Runs `call`, which must throw an Error of `code` whose message and hint together contain all of `parts`.
template <class Call>
void expect_error(ErrorCode code, std::initializer_list<const char*> parts, const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_STREQ(to_string(error.code()), to_string(code)) << error.what();
    const std::string text = std::string(error.what()) + "\n" + error.hint();
    for (const char* part : parts) EXPECT_NE(text.find(part), std::string::npos) << "'" << part << "' in: " << text;
    return;
  }
  ADD_FAILURE() << "no error; expected " << to_string(code);
}

}  // namespace diskann::formats_test
