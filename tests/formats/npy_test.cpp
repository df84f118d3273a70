#include <cmath>
#include <limits>

#include "tests/formats/fixture.hpp"

namespace diskann::formats_test {
namespace {

using Npy = Formats;

/// A version 1 file around a header written by hand.
Bytes npy(const std::string& header, const Bytes& data, int major = 1) {
  std::string start("\x93NUMPY", 6);
  start += static_cast<char>(major);
  start += '\0';
  const Bytes length =
      major == 1 ? pack(static_cast<std::uint16_t>(header.size())) : pack(static_cast<std::uint32_t>(header.size()));
  return bytes_of(start) + length + bytes_of(header) + data;
}
Bytes npy_of(const std::string& descr, bool fortran, const std::string& shape, const Bytes& data) {
  return npy(
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }\n",
      data);
}

TEST_F(Npy, EveryVariantThatNumpyWritesGivesTheSameRows) {
  files.put("base.fbin", golden("vectors/base_f32.fbin"));
  files.put("base.i8bin", golden("vectors/base_i8.i8bin"));
  const VectorSet f32 = read_vectors("base.fbin"), i8 = read_vectors("base.i8bin");
  for (const char* name : {"small_v1.npy", "small_v2.npy", "small_v3.npy", "small_be.npy", "small_fortran.npy"}) {
    SCOPED_TRACE(name);
    files.put(name, golden(std::string("vectors/") + name));
    expect_equal(read_vectors(name), f32.view().slice(0, 20));
    ReadOptions options;
    options.skip = 7;
    options.limit = 9;
    expect_equal(read_vectors(name, options), f32.view().slice(7, 9));
  }
  files.put("h.npy", golden("vectors/small_f16.npy"));
  expect_equal(read_vectors("h.npy"), convert_vectors(f32.view().slice(0, 20), VectorType::F16));
  files.put("i.npy", golden("vectors/small_i8.npy"));
  expect_equal(read_vectors("i.npy"), i8.view().slice(0, 20));
}

TEST_F(Npy, IsWrittenAsNumpyWritesIt) {
  files.put("base.fbin", golden("vectors/base_f32.fbin"));
  write_vectors("out.npy", read_vectors("base.fbin").view().slice(0, 20));
  EXPECT_EQ(content("out.npy"), golden("vectors/small_v1.npy"));
  files.put("base.i8bin", golden("vectors/base_i8.i8bin"));
  write_vectors("out.npy", read_vectors("base.i8bin").view().slice(0, 20));
  EXPECT_EQ(content("out.npy"), golden("vectors/small_i8.npy"));
}

TEST_F(Npy, TakesWhatTheGrammarAllows) {
  const Bytes data = pack(1.0f, 2.0f);
  const VectorSet rows = VectorSet::from_rows<float>({{1, 2}});
  for (const char* header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }\n",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)}",
                             "{\"shape\":(1,2,),\"descr\":\"=f4\",\"fortran_order\":False}   \n",
                             "{'fortran_order': True, 'shape': (1L, 2L), 'descr': '|f4', }          ",
                             " { 'shape' : ( 1 , 2 ) , 'fortran_order' : False , 'descr' : '<f4' } "}) {
    SCOPED_TRACE(header);
    for (const int major : {1, 2, 3}) {
      files.put("a.npy", npy(header, data, major));
      expect_equal(read_vectors("a.npy"), rows);
    }
  }
}

TEST_F(Npy, RefusesWhatTheGrammarDoesNot) {
  const Bytes data = pack(1.0f, 2.0f);
  for (const char* header : {"",
                             "{}",
                             "{",
                             "{'descr'",
                             "{'descr': '<f4'",
                             "{'descr': '<f4', 'fortran_order': False}",
                             "{'descr': '<f4', 'shape': (1, 2)}",
                             "{'fortran_order': False, 'shape': (1, 2)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'shape': (1, 2)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), 'more': 1}",
                             "{'descr': '<f4' 'fortran_order': False, 'shape': (1, 2)}",
                             "{'descr': '<f4', 'fortran_order': false, 'shape': (1, 2)}",
                             "{'descr': '<f4', 'fortran_order': 0, 'shape': (1, 2)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 2)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2.0)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, , 2)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': [1, 2]}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 99999999999999999999999)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2)} x",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 3)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': "
                             "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)}",
                             "{descr: '<f4', 'fortran_order': False, 'shape': (1, 2)}"}) {
    SCOPED_TRACE(header);
    files.put("a.npy", npy(header, data));
    expect_error(ErrorCode::Corrupt, {"a.npy"}, [] { read_vectors("a.npy"); });
  }
}

TEST_F(Npy, RefusesElementsThatAreNoVectors) {
  for (const char* descr : {"|O", "|b1", "<c8", "<U4", "|S4", "<f16", "<M8[ns]", "", "<", "<f", "xf4"}) {
    SCOPED_TRACE(descr);
    files.put("a.npy", npy_of(descr, false, "(1, 2)", Bytes(8)));
    expect_error(ErrorCode::Unsupported, {"a.npy"}, [] { read_vectors("a.npy"); });
  }
  files.put("a.npy", npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1, 2)}", Bytes(8)));
  expect_error(ErrorCode::Unsupported, {"structured"}, [] { read_vectors("a.npy"); });
  files.put("a.npy", npy_of("|O", false, "(1, 2)", Bytes(8)));
  expect_error(ErrorCode::Unsupported, {"pickle"}, [] { read_vectors("a.npy"); });
}

TEST_F(Npy, RefusesOtherRanksVersionsAndLengths) {
  for (const char* shape : {"()", "(2,)", "(1, 2, 1)"}) {
    files.put("a.npy", npy_of("<f4", false, shape, Bytes(std::string(shape) == "()" ? 4 : 8)));
    expect_error(ErrorCode::InvalidArgument, {"dimensions"}, [] { read_vectors("a.npy"); });
  }
  files.put("a.npy", npy_of("<f4", false, "(2, 0)", {}));
  expect_error(ErrorCode::Corrupt, {"dimension 0"}, [] { read_vectors("a.npy"); });
  files.put("a.npy", npy_of("<f4", false, "(0, 9000000000000000000)", {}));
  expect_error(ErrorCode::Corrupt, {"9000000000000000000"}, [] { read_vectors("a.npy"); });
  for (const int major : {0, 4, 255}) {
    files.put("a.npy", npy("{}", {}, major));
    expect_error(ErrorCode::UnsupportedVersion, {}, [] { read_vectors("a.npy"); });
  }
  files.put("a.npy", bytes_of(std::string("\x93NUMPY\x02\x00", 8)) + pack(0xFFFFFFFFu) + Bytes(100));
  expect_error(ErrorCode::Corrupt, {"4294967295"}, [] { read_vectors("a.npy"); });
  files.put("a.npy", npy_of("<f4", false, "(100, 2)", Bytes(8 * 12 + 3)));
  expect_error(ErrorCode::Corrupt, {"12 whole rows of 100"}, [] { read_vectors("a.npy"); });
}

template <class T>
Bytes swapped(T value) {
  Bytes bytes = pack(value);
  std::reverse(bytes.begin(), bytes.end());
  return bytes;
}

template <class T>
void check_exact(doubles::FaultFileSystem& files, const std::string& kind, std::vector<T> good, T bad) {
  SCOPED_TRACE(kind);
  Bytes little, big;
  std::vector<float> expected;
  for (const T value : good) {
    little = little + pack(value);
    big = big + swapped(value);
    expected.push_back(static_cast<float>(value));
  }
  const std::string shape = "(1, " + std::to_string(good.size()) + ")";
  files.put("a.npy", npy_of("<" + kind, false, shape, little));
  expect_equal(read_vectors("a.npy"), VectorSet::from_rows<float>({expected}));
  files.put("a.npy", npy_of(">" + kind, false, shape, big));
  expect_equal(read_vectors("a.npy"), VectorSet::from_rows<float>({expected}));
  if (sizeof(T) == 2) return;
  // Row 2, column 1 of 3 x 2, in both orders.
  const T zero{};
  files.put("a.npy", npy_of("<" + kind, false, "(3, 2)", pack(zero, zero, zero, zero, zero, bad)));
  expect_error(ErrorCode::InvalidArgument, {"row 2", "column 1", "float32"}, [] { read_vectors("a.npy"); });
  ReadOptions options;
  options.skip = 1;
  expect_error(ErrorCode::InvalidArgument, {"row 2", "column 1"}, [&] { read_vectors("a.npy", options); });
  files.put("a.npy", npy_of("<" + kind, true, "(3, 2)", pack(zero, zero, zero, zero, zero, bad)));
  expect_error(ErrorCode::InvalidArgument, {"row 2", "column 1"}, [] { read_vectors("a.npy"); });
}

TEST_F(Npy, WiderNumbersAreReadOnlyWhereF32HoldsThemExactly) {
  check_exact<double>(files, "f8", {0.0, -1.5, 0.25, 1e30f, std::numeric_limits<double>::infinity()}, 0.1);
  check_exact<std::int16_t>(files, "i2", {-32768, 32767, 0}, 0);
  check_exact<std::uint16_t>(files, "u2", {65535, 0}, 0);
  check_exact<std::int32_t>(files, "i4", {INT32_MIN, 16777216, -3}, INT32_MAX);
  check_exact<std::uint32_t>(files, "u4", {0x80000000u, 16777216u}, UINT32_MAX);
  check_exact<std::int64_t>(files, "i8", {INT64_MIN, std::int64_t{1} << 62, -7}, INT64_MAX);
  check_exact<std::uint64_t>(files, "u8", {std::uint64_t{1} << 63, 42}, UINT64_MAX);
  check_exact<std::int64_t>(files, "i8", {0}, 16777217);
}

TEST_F(Npy, ReadsLargeFortranArraysInBlocks) {
  // 3 x 4 MiB, so that a block holds a part of each column.
  const std::size_t rows = 30'011, dimension = 100;
  const VectorSet set = random_set(VectorType::F32, rows, dimension, 31);
  Bytes data(rows * dimension * 4);
  for (std::size_t i = 0; i < rows; ++i)
    for (std::size_t j = 0; j < dimension; ++j) std::memcpy(data.data() + (j * rows + i) * 4, set.row(i) + j * 4, 4);
  files.put("a.npy", npy_of("<f4", true, "(30011, 100)", data));
  expect_equal(read_vectors("a.npy"), set);
  std::uint64_t largest = 0;
  for (const auto& event : files.trace())
    if (event.operation == doubles::Operation::Read) largest = std::max(largest, event.bytes);
  EXPECT_LE(largest, std::uint64_t{4} << 20);
}

}  // namespace
}  // namespace diskann::formats_test
