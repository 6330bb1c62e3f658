#include "cli/typed_command.h"

#include <fmt/format.h>

namespace ridgeline {
namespace {

std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/:,=@+";
  if (!text.empty() && text.find_first_not_of(plain) == text.npos) return text;
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

}  // namespace

std::string typed_command(const CLI::App& c) {
  std::string out = "ridgeline " + c.get_name(), options;
  for (const CLI::Option* option : c.get_options()) {
    if (option->count() == 0) continue;
    std::string values = fmt::format("{}", fmt::join(option->results(), ","));
    bool takes_value = option->get_expected_min() > 0;
    if (option->get_positional())
      out += " " + shell_word(values);
    else
      options += fmt::format(" {}{}", option->get_name(), takes_value ? " " + shell_word(values) : "");
  }
  return out + options;
}

}  // namespace ridgeline
