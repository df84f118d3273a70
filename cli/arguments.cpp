#include "arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <numeric>
#include <optional>
#include <system_error>
#include <type_traits>

#include "errors.hpp"

namespace diskann::cli {

struct Arguments::Parser {
  CLI::App app;
};

Arguments::Arguments(std::string_view command, std::string_view purpose, std::string_view examples)
    : parser_(std::make_unique<Parser>()), command_(command) {
  CLI::App& app = parser_->app;
  app.description(std::string(purpose));
  app.name("diskann " + command_);
  app.footer("Examples:\n" + std::string(examples));
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.get_formatter()->column_width(38);
  app.get_formatter()->label("REQUIRED", "(required)");
  remember("-h,--help", false, "Print this help and exit");
}

Arguments::~Arguments() = default;

namespace {

template <class T>
constexpr bool kIsInteger =
    std::is_same_v<T, std::uint32_t> || std::is_same_v<T, std::uint64_t> ||
    std::is_same_v<T, std::optional<std::uint32_t>> || std::is_same_v<T, std::optional<std::uint64_t>>;

/// Decimal digits only: the parser's own reading takes 010 for eight, and wraps what is negative.
template <class T>
void parse_integer(const std::string& names, const std::string& text, T& value) {
  using Number =
      std::conditional_t<sizeof(T) == sizeof(std::uint32_t) || std::is_same_v<T, std::optional<std::uint32_t>>,
                         std::uint32_t, std::uint64_t>;
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) {
    throw CLI::ValidationError(names, "expected a whole number from 0 to " +
                                          std::to_string(std::numeric_limits<Number>::max()) + ", found '" + text +
                                          "'");
  }
  value = number;
}

}  // namespace

void Arguments::remember(const std::string& names, bool takes_value, const std::string& help) {
  KnownFlag flag{{}, takes_value, help};
  for (const std::string& name : CLI::detail::split(names, ',')) {
    if (name.starts_with('-')) flag.names.push_back(name);
  }
  known_.push_back(std::move(flag));
}

void Arguments::flag(const std::string& names, bool& value, const std::string& help) {
  parser_->app.add_flag(names, value, help);
  remember(names, false, help);
}

template <class T>
void Arguments::option(const std::string& names, T& value, const std::string& type, const std::string& help,
                       Need need) {
  CLI::Option* option = nullptr;
  if constexpr (std::is_same_v<T, std::filesystem::path>) {
    option = parser_->app.add_option_function<std::string>(
        names, [&value](const std::string& text) { value = text; }, help);
  } else if constexpr (std::is_same_v<T, std::optional<std::filesystem::path>>) {
    option = parser_->app.add_option_function<std::string>(
        names, [&value](const std::string& text) { value = std::filesystem::path(text); }, help);
  } else if constexpr (kIsInteger<T>) {
    option = parser_->app.add_option_function<std::string>(
        names, [&value, names](const std::string& text) { parse_integer(names, text, value); }, help);
  } else {
    option = parser_->app.add_option(names, value, help);
  }
  // "" where a script's variable was empty: refused here, before anything is read, and for every flag.
  option->check([](const std::string& text) { return text.empty() ? "expected a value, found ''" : ""; }, "");
  option->type_name(type);
  if (need == Need::Required) option->required();
  remember(names, true, help);
}

template void Arguments::option(const std::string&, std::string&, const std::string&, const std::string&, Need);
template void Arguments::option(const std::string&, std::filesystem::path&, const std::string&, const std::string&,
                                Need);
template void Arguments::option(const std::string&, std::uint32_t&, const std::string&, const std::string&, Need);
template void Arguments::option(const std::string&, std::uint64_t&, const std::string&, const std::string&, Need);
template void Arguments::option(const std::string&, float&, const std::string&, const std::string&, Need);
template void Arguments::option(const std::string&, std::optional<std::string>&, const std::string&, const std::string&,
                                Need);
template void Arguments::option(const std::string&, std::optional<std::filesystem::path>&, const std::string&,
                                const std::string&, Need);
template void Arguments::option(const std::string&, std::optional<std::uint32_t>&, const std::string&,
                                const std::string&, Need);
template void Arguments::option(const std::string&, std::optional<std::uint64_t>&, const std::string&,
                                const std::string&, Need);
template void Arguments::option(const std::string&, std::optional<float>&, const std::string&, const std::string&,
                                Need);

template <class T>
void Arguments::threads(T& value, const std::string& help) {
  constexpr std::uint64_t kMost = 1024;
  option("-j,--threads", value, "N", help);
  parser_->app.get_option("--threads")
      ->check(
          [](const std::string& text) {
            std::uint64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            return error == std::errc() && end == text.data() + text.size() && number <= kMost
                       ? ""
                       : "expected 0 (all) to " + std::to_string(kMost) + " threads, found '" + text + "'";
          },
          "");
}
template void Arguments::threads(std::uint32_t&, const std::string&);
template void Arguments::threads(std::optional<std::uint32_t>&, const std::string&);

bool Arguments::parse(std::span<const std::string> words) {
  const std::string see_help = "see diskann " + command_ + " --help";
  try {
    std::vector<std::string> reversed(words.rbegin(), words.rend());  // the order the parser wants
    parser_->app.parse(std::move(reversed));
    return true;
  } catch (const CLI::CallForHelp&) {
    return false;
  } catch (const CLI::ExtrasError& error) {
    const std::vector<std::string> extras = parser_->app.remaining();
    if (extras.empty()) throw UsageError(error.what(), see_help);
    const std::string& word = extras.front();
    if (!word.starts_with('-')) throw UsageError("unexpected argument '" + word + "'", see_help);
    std::vector<std::string> names;
    for (const KnownFlag& flag : known_) names.insert(names.end(), flag.names.begin(), flag.names.end());
    const std::string meant = nearest_word(word, names);
    throw UsageError("unknown flag '" + word + "' for 'diskann " + command_ + "'",
                     meant.empty() ? see_help : "did you mean " + meant + "?");
  } catch (const CLI::ParseError& error) {
    throw UsageError(error.what(), see_help);
  }
}

std::string Arguments::help() const { return parser_->app.help(); }

std::string nearest_word(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = word.size() / 3 + 2;  // farther is no typing error
  for (const std::string& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);  // edit distances of a prefix of word to each prefix
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < word.size(); ++i) {
      std::size_t diagonal = row[0]++;
      for (std::size_t j = 0; j < candidate.size(); ++j) {
        const std::size_t change = diagonal + (word[i] == candidate[j] ? 0 : 1);
        diagonal = row[j + 1];
        row[j + 1] = std::min({change, row[j + 1] + 1, row[j] + 1});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace diskann::cli
