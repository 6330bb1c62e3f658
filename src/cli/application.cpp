#include "cli/application.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "base/edit_distance.h"
#include "cli/commands.h"
#include "cli/completion.h"
#include "cli/man_page.h"

namespace ridgeline {
namespace {

// Help as people read it: what it is, how it is called, examples, and then the options.
class ExamplesFirst : public CLI::Formatter {
 public:
  ExamplesFirst() { column_width(34); }
  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode) const override {
    if (app->get_parent()) name = app->get_parent()->get_name() + " " + app->get_name();
    std::string out =
        make_description(app) + make_usage(app, name) + "\n" + app->get_footer() + "\n" + make_positionals(app);
    return out + make_groups(app, CLI::AppFormatMode::Normal) + make_subcommands(app, CLI::AppFormatMode::Normal);
  }
};

// The same number as CLI11 would read it alike anywhere; nothing where the text is none.
template <class T>
std::optional<std::string> decimal(std::string_view text) {
  T value;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || text.find_first_not_of("0123456789.eE+-") != text.npos) return {};  // no nan, no inf
  return fmt::format("{}", value);
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    for (const auto& name : option->get_snames()) names.push_back("-" + name);
  }
  return names;
}
std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// Of what was left over: the first that looks like an option, else the first.
std::string_view culprit(const std::vector<std::string>& left) {
  for (const auto& word : left)
    if (word.size() > 1 && word[0] == '-') return word;
  return left.empty() ? std::string_view() : left.front();
}

// Ends parsing as --version does: the text is printed, with the end of its last line.
[[noreturn]] void answer(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  throw CLI::CallForVersion(text, 0);
}

}  // namespace

// CLI11 reads numbers with strtold and strtoll: in the locale's way, hexadecimal, octal after a 0, and an empty text as 0.
void require_decimal_numbers(CLI::App& command) {
  for (CLI::Option* option : command.get_options()) {
    std::string type = option->get_type_name();
    bool real = type.starts_with("FLOAT"), whole = type.starts_with("INT") || type.starts_with("UINT");
    if (option->get_items_expected_max() == 0 || (!real && !whole)) continue;
    auto read = [real](std::string& text) {
      auto number = real ? decimal<double>(text) : decimal<int64_t>(text);
      if (!number) return fmt::format("'{}' is not a {} number", text, real ? "decimal" : "whole decimal");
      text = *number;
      return std::string();
    };
    option->transform(CLI::Validator(read, ""));
  }
}

std::unique_ptr<CLI::App> make_application() {
  auto app =
      std::make_unique<CLI::App>("Ridgeline: an LLM engine that counts every FLOP and traces every byte.", "ridgeline");
  app->set_version_flag("--version", RIDGELINE_VERSION, "Print the version and exit");
  app->footer(
      "Examples:\n"
      "  ridgeline run model.gguf \"Why is the sky blue?\"     complete a prompt\n"
      "  ridgeline run model.gguf                            chat\n"
      "  ridgeline explain llama-3-8b --batch 64x1@1000      what a step costs, op by op, without weights\n"
      "  ridgeline plan llama-3-8b --hw h100                 what it takes on a machine, and what would help\n"
      "  ridgeline verify model.gguf                         one hash for every way of computing the same thing\n"
      "  ridgeline bench model.gguf -p 500 -n 64             speed, beside the machine's limits\n"
      "  ridgeline calibrate                                 measure this machine, for plan --hw here\n"
      "  ridgeline profile model.gguf                        where the time of a step goes, op by op\n"
      "  ridgeline eval model.gguf -f text.txt               perplexity; --compare fp32: what the model's types cost\n"
      "  ridgeline pull smollm2-135m                         fetch a model from the hub\n"
      "\n"
      "Exit status: 0 ok, 1 a check failed, 2 usage, 65 bad data, 66 cannot open, 69 does not fit, 70 internal, 74 "
      "I/O.");
  // Both are answered as --version is: printed, and nothing else is asked for.
  app->add_option_function<std::string>(
         "--completion", [app = app.get()](const std::string& shell) { answer(completion_script(*app, shell)); },
         "Print a completion script for a shell and exit")
      ->option_text("bash|zsh|fish")
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  app->add_flag_callback(
      "--man", [app = app.get()] { answer(man_page(*app)); }, "Print the manual page, for `man -l -`, and exit");
  app->require_subcommand(0, 1);
  app->formatter(std::make_shared<ExamplesFirst>());
  add_run(*app);
  add_explain(*app);
  add_plan(*app);
  add_verify(*app);
  add_bench(*app);
  add_calibrate(*app);
  add_profile(*app);
  add_eval(*app);
  add_inspect(*app);
  add_synth(*app);
  add_pull(*app);
  for (CLI::App* command : app->get_subcommands({})) {
    require_decimal_numbers(*command);
    command->set_version_flag("--version", RIDGELINE_VERSION)->group("");  // understood anywhere, shown once
  }
  return app;
}

std::string usage_message(const CLI::App& app, const CLI::ParseError& error) {
  auto parsed = app.get_subcommands();
  const CLI::App& command = parsed.empty() ? app : *parsed.front();
  std::string called = parsed.empty() ? "ridgeline" : "ridgeline " + command.get_name(), text = error.what(), meant;
  if (dynamic_cast<const CLI::ExtrasError*>(&error)) {
    auto left = app.remaining(true);
    std::string_view word = culprit(left);
    std::string name(word.substr(0, word.find('=')));
    if (word.starts_with('-')) {
      text = fmt::format("{} has no option {}", called, name);
      meant = likely_meant(name, option_names(command));
    } else if (parsed.empty()) {
      text = fmt::format("there is no command '{}'", name);
      meant = likely_meant(name, command_names(app));
    } else {
      text = fmt::format("{} does not know what to do with '{}'", called, word);
    }
    if (!meant.empty()) text += fmt::format("; did you mean {}?", meant);
  }
  for (char& c : text)
    if (c == '\n') c = ' ';
  return fmt::format("{} (see: {} --help)", text, called);
}

}  // namespace ridgeline
