# What `cmake --install` lays down: library, headers, CMake package, pkg-config file. The command installs itself in cli/.
include(CMakePackageConfigHelpers)
set(cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/diskann")

install(TARGETS diskann EXPORT diskann
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(DIRECTORY include/diskann DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h" PATTERN "*.hpp")
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

# While the version is 0.x, every minor version may change the interface.
write_basic_package_version_file(diskann-config-version.cmake COMPATIBILITY SameMinorVersion)
configure_package_config_file(cmake/diskann-config.cmake.in diskann-config.cmake INSTALL_DESTINATION ${cmake_dir})
install(EXPORT diskann NAMESPACE diskann:: FILE diskann-targets.cmake DESTINATION ${cmake_dir})
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/diskann-config.cmake"
              "${CMAKE_CURRENT_BINARY_DIR}/diskann-config-version.cmake" DESTINATION ${cmake_dir})

# Relative to the file itself, so that the tree can be moved.
file(RELATIVE_PATH DISKANN_PC_PREFIX "/prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/prefix")
string(REGEX REPLACE "/$" "" DISKANN_PC_PREFIX "${DISKANN_PC_PREFIX}")
set(DISKANN_PC_URING "")
if(DISKANN_HAS_URING)
  set(DISKANN_PC_URING ", liburing")
endif()
configure_file(cmake/diskann.pc.in diskann.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/diskann.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
