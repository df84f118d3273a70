#pragma once

/// The one place where the version is written; CMake, `diskann --version` and the package files read it from here.
#define DISKANN_VERSION_MAJOR 0
#define DISKANN_VERSION_MINOR 1
#define DISKANN_VERSION_PATCH 0
#define DISKANN_VERSION "0.1.0"
