#pragma once

#include <string>

#include "diskann/calibration.hpp"
#include "json_row.hpp"
#include "session.hpp"

namespace diskann::cli {

/// What is to be said of codes that have no vectors beside them; nothing of others.
std::string alone_text(bool has_vectors);
/// Of a calibration that knows something: "recall   @10 0.9 by a list of 14, …".
std::string calibration_text(const Calibration& calibration);
/// A line for each list that was measured.
void print_lists(const Calibration& calibration, Session& session);
void add_calibration(const Calibration& calibration, JsonRow& row);

}  // namespace diskann::cli
