#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "arguments.hpp"
#include "session.hpp"

namespace diskann::cli {

/// One command: what it says of itself, and a function that declares its flags and returns what to run once they are
/// parsed.
struct Command {
  std::string_view name;
  std::string_view purpose;
  std::string_view examples;
  std::function<void(Session&)> (*declare)(Arguments&);
  bool common_flags = true;  ///< takes --json, --quiet, -v and --no-progress
};

/// All commands, in the order of the help.
std::span<const Command> commands();
/// A command's flags with the common ones, as they are before parsing.
std::function<void(Session&)> declare_all(const Command& command, Arguments& arguments, CommonFlags& flags);

extern const Command kBuildCommand, kEstimateCommand, kSearchCommand, kBenchmarkCommand, kGroundtruthCommand,
    kRecallCommand, kGenerateCommand, kVerifyCommand, kTuneCommand, kConvertCommand, kInfoCommand, kCompletionCommand;

}  // namespace diskann::cli
