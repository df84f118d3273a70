# Cross build for Macs with Apple's processors, by the clang of the PyPI package ziglang. tools/cross_libraries lays
# the compiler and the libraries.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(root "${CMAKE_CURRENT_LIST_DIR}/../build/macos-root")
set(CMAKE_C_COMPILER "${root}/bin/cc")
set(CMAKE_CXX_COMPILER "${root}/bin/c++")
set(CMAKE_AR "${root}/bin/ar" CACHE FILEPATH "")
set(CMAKE_RANLIB "${root}/bin/ranlib" CACHE FILEPATH "")

set(CMAKE_CXX_FLAGS_INIT "-include cfloat")  # GoogleTest 1.12 leaves it to other headers, which no longer bring it

set(CMAKE_FIND_ROOT_PATH "${root}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
# Where nothing runs the programs, their tests cannot be listed while building.
set(CMAKE_GTEST_DISCOVER_TESTS_DISCOVERY_MODE PRE_TEST)
