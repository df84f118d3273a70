#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

/// json_value POINTER…: for every line of standard input, which must be one JSON object, prints the values at the JSON
/// pointers, tab-separated. Exits 1 where a line is no object or a value is missing.
int main(int count, char** values) {
  int lines = 0;
  for (std::string line; std::getline(std::cin, line); ++lines) {
    const nlohmann::json row = nlohmann::json::parse(line, nullptr, false);
    if (!row.is_object()) {
      std::cerr << "no JSON object: " << line << '\n';
      return 1;
    }
    for (int i = 1; i < count; ++i) {
      const nlohmann::json::json_pointer pointer(values[i]);
      if (!row.contains(pointer)) {
        std::cerr << "no " << values[i] << " in " << line << '\n';
        return 1;
      }
      const nlohmann::json& value = row[pointer];
      std::cout << (i == 1 ? "" : "\t") << (value.is_string() ? value.get<std::string>() : value.dump());
    }
    std::cout << '\n';
  }
  return lines > 0 ? 0 : 1;
}
