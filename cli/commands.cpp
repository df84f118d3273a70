#include <array>

#include "command.hpp"

namespace diskann::cli {

std::span<const Command> commands() {
  static const std::array kCommands{kBuildCommand,       kEstimateCommand, kSearchCommand,   kBenchmarkCommand,
                                    kGroundtruthCommand, kRecallCommand,   kGenerateCommand, kVerifyCommand,
                                    kTuneCommand,        kConvertCommand,  kInfoCommand,     kCompletionCommand};
  return kCommands;
}

std::function<void(Session&)> declare_all(const Command& command, Arguments& arguments, CommonFlags& flags) {
  std::function<void(Session&)> run = command.declare(arguments);
  if (command.common_flags) {
    arguments.flag("--json", flags.json, "Results as JSON, one object a line; an error is one object too");
    arguments.flag("--quiet", flags.quiet, "Only results and errors");
    arguments.flag("-v,--verbose", flags.verbose, "Say more on standard error");
    arguments.flag("--no-progress", flags.no_progress, "No progress bar");
  }
  return run;
}

}  // namespace diskann::cli
