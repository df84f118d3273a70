#pragma once

/// Marks what the shared library exports; everything else is hidden.
#if defined(_WIN32)
#define DISKANN_EXPORT
#else
#define DISKANN_EXPORT __attribute__((visibility("default")))
#endif
