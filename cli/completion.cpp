#include <fmt/format.h>

#include <memory>

#include "command.hpp"
#include "errors.hpp"

namespace diskann::cli {
namespace {

/// Every command with its flags, help among them.
struct Words {
  std::string_view command, purpose;
  std::vector<KnownFlag> flags;
};

std::vector<Words> all_words() {
  std::vector<Words> all;
  for (const Command& command : commands()) {
    Arguments arguments(command.name, command.purpose, command.examples);
    CommonFlags flags;
    (void)declare_all(command, arguments, flags);
    all.push_back({command.name, command.purpose, arguments.known()});
  }
  return all;
}

std::string names_of(const std::vector<Words>& all) {
  std::string names;
  for (const Words& words : all) names += std::string(words.command) + " ";
  return names + "help";
}

std::string flags_of(const Words& words) {
  std::string flags;
  for (const KnownFlag& flag : words.flags) {
    for (const std::string& name : flag.names) flags += (flags.empty() ? "" : " ") + name;
  }
  return flags;
}

/// Inside single quotes of a shell.
std::string shell_text(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out;
}

std::string bash_script(const std::vector<Words>& all) {
  std::string cases;
  for (const Words& words : all) {
    const std::string more = words.command == "completion" ? " bash zsh fish" : "";
    cases += fmt::format("    {}) flags=\"{}{}\" ;;\n", words.command, flags_of(words), more);
  }
  return fmt::format(
      "# bash completion of diskann: source <(diskann completion bash)\n"
      "_diskann() {{\n"
      "  local word=\"${{COMP_WORDS[COMP_CWORD]}}\" flags=\"\"\n"
      "  COMPREPLY=()\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ] || [ \"${{COMP_WORDS[1]}}\" = help ]; then\n"
      "    COMPREPLY=($(compgen -W \"{} --help --version\" -- \"$word\"))\n"
      "    return\n"
      "  fi\n"
      "  case \"${{COMP_WORDS[1]}}\" in\n{}"
      "  esac\n"
      "  if [[ \"$word\" == -* || \"${{COMP_WORDS[1]}}\" == completion ]]; then\n"
      "    COMPREPLY=($(compgen -W \"$flags\" -- \"$word\"))\n"
      "  fi\n"
      "}}\n"
      "complete -o default -F _diskann diskann\n",
      names_of(all), cases);
}

std::string zsh_script(const std::vector<Words>& all) {
  std::string purposes, cases;
  for (const Words& words : all) {
    purposes += fmt::format("    '{}:{}'\n", words.command, shell_text(words.purpose));
    const std::string more = words.command == "completion" ? " bash zsh fish" : "";
    cases += fmt::format("    {}) flags=({}{}) ;;\n", words.command, flags_of(words), more);
  }
  return fmt::format(
      "#compdef diskann\n"
      "# zsh completion of diskann: source <(diskann completion zsh)\n"
      "_diskann() {{\n"
      "  local -a names flags\n"
      "  names=(\n{}    'help:Explain a command'\n  )\n"
      "  if (( CURRENT == 2 )) || [[ $words[2] == help ]]; then\n"
      "    _describe command names\n"
      "    return\n"
      "  fi\n"
      "  case $words[2] in\n{}"
      "  esac\n"
      "  if [[ $words[CURRENT] == -* || $words[2] == completion ]]; then\n"
      "    compadd -- $flags\n"
      "  else\n"
      "    _files\n"
      "  fi\n"
      "}}\n"
      "compdef _diskann diskann\n",
      purposes, cases);
}

std::string fish_script(const std::vector<Words>& all) {
  std::string out = "# fish completion of diskann: diskann completion fish | source\n";
  for (const Words& words : all) {
    out += fmt::format("complete -c diskann -n __fish_use_subcommand -f -a {} -d '{}'\n", words.command,
                       shell_text(words.purpose));
  }
  out += "complete -c diskann -n __fish_use_subcommand -f -a help -d 'Explain a command'\n";
  for (const Words& words : all) {
    for (const KnownFlag& flag : words.flags) {
      if (flag.names.empty()) continue;
      out += fmt::format("complete -c diskann -n '__fish_seen_subcommand_from {}'", words.command);
      for (const std::string& name : flag.names) {
        out += name.starts_with("--") ? fmt::format(" -l {}", name.substr(2)) : fmt::format(" -s {}", name.substr(1));
      }
      out += fmt::format("{} -d '{}'\n", flag.takes_value ? " -r" : "", shell_text(flag.help));
    }
  }
  out += "complete -c diskann -n '__fish_seen_subcommand_from completion' -f -a 'bash zsh fish'\n";
  return out;
}

void complete(const std::string& shell) {
  const std::vector<Words> all = all_words();
  if (shell == "bash") {
    fmt::print("{}", bash_script(all));
  } else if (shell == "zsh") {
    fmt::print("{}", zsh_script(all));
  } else if (shell == "fish") {
    fmt::print("{}", fish_script(all));
  } else {
    throw UsageError("no completion for '" + shell + "'", "use bash, zsh or fish");
  }
}

std::function<void(Session&)> declare(Arguments& arguments) {
  const auto shell = std::make_shared<std::string>();
  arguments.option("shell", *shell, "SHELL", "bash, zsh or fish", Need::Required);
  return [shell](Session&) { complete(*shell); };
}

}  // namespace

const Command kCompletionCommand{"completion", "Print a script that completes commands and flags in a shell",
                                 "  source <(diskann completion bash)\n"
                                 "  diskann completion fish | source\n",
                                 declare, false};

}  // namespace diskann::cli
