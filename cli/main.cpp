#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <new>
#include <string>
#include <vector>

#include "command.hpp"
#include "diskann/error.hpp"
#include "diskann/inspect.hpp"
#include "diskann/version.hpp"
#include "errors.hpp"
#include "figures.hpp"
#include "interrupt.hpp"
#include "json_row.hpp"

namespace diskann::cli {
namespace {

constexpr int kUsageExit = 2;

int exit_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::Internal: return 1;
    case ErrorCode::InvalidArgument:
    case ErrorCode::DimensionMismatch: return 3;
    case ErrorCode::NotFound:
    case ErrorCode::AlreadyExists: return 4;
    case ErrorCode::Corrupt:
    case ErrorCode::UnsupportedVersion: return 5;
    case ErrorCode::Io: return 6;
    case ErrorCode::OutOfMemory: return 7;
    case ErrorCode::Unsupported:
    case ErrorCode::Device: return 8;
    case ErrorCode::Cancelled: return 130;
  }
  return 1;
}

/// A message may quote a file, and a file may hold escape sequences, which a terminal would obey.
std::string printable(std::string_view text) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // In UTF-8 the control characters U+0080 to U+009F are C2 80 to C2 9F.
    const bool wide = byte == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    shown += byte < 0x20 || byte == 0x7F || wide ? fmt::format("\\x{:02x}", byte) : std::string(1, text[i]);
  }
  return shown;
}

int report(bool json, int code, std::string_view name, std::string_view message, std::string_view hint) {
  if (json) {
    JsonRow error;
    error.add("code", name).add("exit_code", static_cast<unsigned>(code)).add("message", message);
    if (!hint.empty()) error.add("hint", hint);
    fmt::print(stderr, "{}\n", JsonRow().add("error", error).text());
  } else {
    fmt::print(stderr, "diskann: error: {}\n", printable(message));
    if (!hint.empty()) fmt::print(stderr, "  hint: {}\n", printable(hint));
  }
  return code;
}

/// Runs `body` and turns whatever it throws into a message and an exit code.
template <class Body>
int guarded(const bool& json, const Body& body) {
  try {
    body();
    // What was printed may still sit in a buffer; a full disk shows only now.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
      throw IoError("cannot write", "standard output", errno != 0 ? errno : EIO);
    return 0;
  } catch (const UsageError& error) {
    return report(json, kUsageExit, "Usage", error.what(), error.hint());
  } catch (const Error& error) {
    return report(json, exit_code(error.code()), to_string(error.code()), error.what(), error.hint());
  } catch (const std::bad_alloc&) {
    return report(json, exit_code(ErrorCode::OutOfMemory), "OutOfMemory", "not enough memory", {});
  } catch (const std::exception& error) {
    return report(json, exit_code(ErrorCode::Internal), "Internal", error.what(), "this is a bug: please report it");
  }
}

std::string overview() {
  std::string text =
      "Build, search and measure indexes for nearest-neighbour search.\n\nUsage: diskann COMMAND [flags]\n\n";
  for (const Command& command : commands()) text += fmt::format("  {:<12} {}\n", command.name, command.purpose);
  text += fmt::format("  {:<12} {}\n", "help", "Explain a command");
  text +=
      "\nExamples:\n"
      "  diskann build -i vectors.fvecs -o index.bin -m l2 --max-degree 64\n"
      "  diskann search -i index.bin -q queries.fvecs -k 10 -o results.txt\n"
      "  diskann benchmark -i index.bin -q queries.fvecs --rounds 10\n"
      "\nMore: diskann help COMMAND, diskann --version\n";
  return text;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names{"help"};
  for (const Command& command : commands()) {
    if (command.name == name) return command;
    names.emplace_back(command.name);
  }
  if (name.starts_with('-')) throw UsageError("unknown flag '" + name + "' before a command", "see diskann --help");
  const std::string meant = nearest_word(name, names);
  throw UsageError("unknown command '" + name + "'",
                   meant.empty() ? "see diskann --help" : "did you mean " + meant + "?");
}

std::string help_of(const std::string& name) {
  const Command& command = find_command(name);
  Arguments arguments(command.name, command.purpose, command.examples);
  CommonFlags flags;
  (void)declare_all(command, arguments, flags);
  return arguments.help();
}

void run(std::span<const std::string> words, CommonFlags& flags) {
  if (words.empty()) throw UsageError("no command given", "see diskann --help");
  const std::string& first = words.front();
  if (first == "--version" || first == "-V") {
    const bool json = words.size() == 2 && words[1] == "--json";
    if (words.size() > 1 && !json) throw UsageError(first + " takes --json and nothing else", "see diskann --help");
    if (json) {
      fmt::print("{}\n", JsonRow().add("version", DISKANN_VERSION).text());
    } else {
      fmt::print("diskann {}\n", DISKANN_VERSION);
    }
    return;
  }
  if (first == "--help" || first == "-h" || first == "help") {
    if (words.size() > 2) throw UsageError("help takes one command", "see diskann --help");
    fmt::print("{}", first == "help" && words.size() == 2 && words[1] != "help" ? help_of(words[1]) : overview());
    return;
  }
  const Command& command = find_command(first);
  Arguments arguments(command.name, command.purpose, command.examples);
  const auto body = declare_all(command, arguments, flags);
  if (!arguments.parse(words.subspan(1))) {
    fmt::print("{}", arguments.help());
    return;
  }
  if (flags.quiet && flags.verbose) throw UsageError("--quiet and -v contradict each other", "leave one out");
  Session session(flags);
  body(session);
  if (!flags.verbose) return;
  const SystemInfo system = system_info();
  session.detail(fmt::format("{} in {} · peak memory {} · {} · {}", command.name, duration_text(session.elapsed()),
                             bytes_text(peak_resident_bytes()), system.isa, system.processor));
}

}  // namespace
}  // namespace diskann::cli

int main(int count, char** values) {
  using namespace diskann::cli;
  install_interrupt_handler();
  std::vector<std::string> words(values + (count > 0 ? 1 : 0), values + count);
  CommonFlags flags;
  // A line that cannot be parsed must still be answered in the form it asks for.
  for (const std::string& word : words) flags.json = flags.json || word == "--json";
  return guarded(flags.json, [&] { run(words, flags); });
}
