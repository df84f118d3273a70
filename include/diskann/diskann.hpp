#pragma once

/// All of the C++ interface.
#include "diskann/calibration.hpp"
#include "diskann/disk_index.hpp"
#include "diskann/distance.hpp"
#include "diskann/error.hpp"
#include "diskann/evaluation.hpp"
#include "diskann/flat_index.hpp"
#include "diskann/index.hpp"
#include "diskann/inspect.hpp"
#include "diskann/output.hpp"
#include "diskann/types.hpp"
#include "diskann/vector_file.hpp"
#include "diskann/version.hpp"
