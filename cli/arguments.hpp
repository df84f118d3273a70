#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace diskann::cli {

enum class Need { Optional, Required };

/// A flag as completion and suggestions need it.
struct KnownFlag {
  std::vector<std::string> names;  ///< with their dashes; empty for a positional argument alone
  bool takes_value = false;
  std::string help;
};

/// The flags of one command. Hides the parser, whose header is slow to compile.
class Arguments {
 public:
  Arguments(std::string_view command, std::string_view purpose, std::string_view examples);
  ~Arguments();
  Arguments(const Arguments&) = delete;

  /// `names` are separated by commas; one without dashes makes the argument positional as well.
  void flag(const std::string& names, bool& value, const std::string& help);
  /// T is string, path, u32, u64, float, or an optional of those. `type` is how the help calls the value.
  template <class T>
  void option(const std::string& names, T& value, const std::string& type, const std::string& help,
              Need need = Need::Optional);

  /// -j, of up to as many threads as the library takes.
  template <class T>
  void threads(T& value, const std::string& help = "Threads; 0 is all (default)");

  /// Fills the declared variables, or throws UsageError. Returns false if help was asked for instead.
  bool parse(std::span<const std::string> words);
  std::string help() const;
  const std::vector<KnownFlag>& known() const noexcept { return known_; }

 private:
  struct Parser;
  void remember(const std::string& names, bool takes_value, const std::string& help);
  std::unique_ptr<Parser> parser_;
  std::string command_;
  std::vector<KnownFlag> known_;
};

/// The candidate that `word` was most likely meant to be; empty if none is near.
std::string nearest_word(std::string_view word, std::span<const std::string> candidates);

}  // namespace diskann::cli
