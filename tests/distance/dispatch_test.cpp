#include "distance/dispatch.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "distance/kernels.hpp"

namespace diskann::distance {
namespace {

template <class F>
Error error_of(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(ErrorCode::Internal, "");
}

TEST(Dispatch, OffersASubsetOfWhatIsCompiledInTheSameOrder) {
  const auto compiled = compiled_isas(), available = available_isas();
  ASSERT_FALSE(available.empty());
  std::size_t at = 0;
  for (const std::string& name : available) {
    at = static_cast<std::size_t>(std::find(compiled.begin() + static_cast<std::ptrdiff_t>(at), compiled.end(), name) -
                                  compiled.begin());
    ASSERT_LT(at, compiled.size()) << name;
  }
  EXPECT_EQ(available.back(), compiled.back()) << "the set that the library is compiled for always runs";
}

TEST(Dispatch, TakesTheBestUnlessAsked) {
  EXPECT_EQ(choose_isa(nullptr), available_isas().front());
  EXPECT_EQ(choose_isa(""), available_isas().front());
}

TEST(Dispatch, NeverTakesFma4ByItself) {
  // Compiled in on request. Its processors have SSE4 as well, so what stands behind that is never the first.
  const auto compiled = compiled_isas(), available = available_isas();
  const auto fma4 = std::find(compiled.begin(), compiled.end(), "FMA4");
  EXPECT_TRUE(fma4 == compiled.end() || std::find(compiled.begin(), fma4, "SSE4") != fma4);
  if (std::find(available.begin(), available.end(), "FMA4") != available.end()) {
    EXPECT_NE(std::find(available.begin(), available.end(), "SSE4"), available.end());
  }
  EXPECT_NE(choose_isa(nullptr), "FMA4");
}

TEST(Dispatch, TakesEveryAvailableNameInAnyCase) {
  for (std::string name : available_isas()) {
    EXPECT_EQ(choose_isa(name.c_str()), name);
    std::string lower = name;
    for (char& c : lower) c = static_cast<char>(std::tolower(c));
    EXPECT_EQ(choose_isa(lower.c_str()), name);
  }
}

TEST(Dispatch, RefusesAnUnknownNameWithTheList) {
  for (const char* name : {"AVX9", "AVX", "avx3_", " AVX2", "RVV"}) {
    const Error error = error_of([&] { choose_isa(name); });
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("'" + std::string(name) + "'"), std::string::npos) << error.what();
    std::string list;
    for (const std::string& available : available_isas()) list += (list.empty() ? "" : ", ") + available;
    EXPECT_NE(error.hint().find("one of " + list + " that"), std::string::npos) << error.hint();
  }
}

TEST(Dispatch, GivesTheSameTableEveryTime) {
  const KernelTable& table = kernels(Distance::L2, VectorType::U8, VectorType::U8);
  EXPECT_EQ(&table, &kernels(Distance::L2, VectorType::U8, VectorType::U8));
  EXPECT_EQ(&table, &kernels_for(isa(), Distance::L2, VectorType::U8, VectorType::U8));
  EXPECT_NE(&table, &kernels(Distance::InnerProduct, VectorType::U8, VectorType::U8));
  EXPECT_NE(&table, &kernels(Distance::L2, VectorType::U8, VectorType::F32));
}

TEST(Dispatch, HasNoKernelForPairsThatCannotMeet) {
  const auto code = [](Distance metric, VectorType rows, VectorType form) {
    return error_of([&] { kernels(metric, rows, form); }).code();
  };
  EXPECT_EQ(code(Distance::L2, VectorType::F32, VectorType::U8), ErrorCode::Internal);
  EXPECT_EQ(code(Distance::L2, VectorType::I8, VectorType::U8), ErrorCode::Internal);
  EXPECT_EQ(code(Distance::L2, VectorType::F16, VectorType::F16), ErrorCode::Internal);
  EXPECT_EQ(code(Distance::Custom, VectorType::F32, VectorType::F32), ErrorCode::Internal);
}

#if defined(__x86_64__) && defined(__linux__)
// The choice is made once a process, so these run in processes of their own. (An emulator could not start them.)
class DispatchDeathTest : public ::testing::Test {
 protected:
  void SetUp() override { ::testing::FLAGS_gtest_death_test_style = "threadsafe"; }
};

TEST_F(DispatchDeathTest, FollowsTheEnvironment) {
  for (const std::string& name : available_isas()) {
    EXPECT_EXIT(
        {
          setenv("DISKANN_ISA", name.c_str(), 1);
          const bool right = isa() == name && &kernels(Distance::L2, VectorType::F32, VectorType::F32) ==
                                                  &kernels_for(name, Distance::L2, VectorType::F32, VectorType::F32);
          std::exit(right ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "")
        << name;
  }
}

TEST_F(DispatchDeathTest, RefusesAWrongNameInTheEnvironmentAtEveryCall) {
  EXPECT_EXIT(
      {
        setenv("DISKANN_ISA", "MMX", 1);
        int refused = 0;
        for (int i = 0; i < 2; ++i) {
          try {
            kernels(Distance::L2, VectorType::F32, VectorType::F32);
          } catch (const Error& error) {
            refused += error.code() == ErrorCode::Unsupported ? 1 : 0;
          }
        }
        std::exit(refused == 2 ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
}
#endif

}  // namespace
}  // namespace diskann::distance
