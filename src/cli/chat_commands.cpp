#include "cli/chat_commands.h"

#include <algorithm>
#include <cstdlib>

#include "base/edit_distance.h"
#include "base/error.h"
#include "base/printable.h"
#include "base/text_table.h"
#include "cli/terminal.h"

namespace ridgeline {
namespace {

constexpr std::string_view blanks = " \t";

std::string_view trimmed(std::string_view text) {
  size_t from = text.find_first_not_of(blanks), to = text.find_last_not_of(blanks);
  return from == text.npos ? std::string_view() : text.substr(from, to - from + 1);
}

// The first word, which is taken off the text.
std::string_view take_word(std::string_view& text) {
  text = trimmed(text);
  std::string_view word = text.substr(0, text.find_first_of(blanks));
  text = trimmed(text.substr(word.size()));
  return word;
}

std::string row(std::string_view name, std::string_view value) { return fmt::format("  {:<20}{}\n", name, value); }

// --- /show ---------------------------------------------------------------------------------------------------------

std::string settings_text(const Dialogue& d) {
  std::string out;
  auto settings = answer_options_json(d.options().generate);
  for (const auto& [name, value] : settings.items()) {
    std::string option = name, text = value.is_null() ? "off" : value.dump();
    std::ranges::replace(option, '_', '-');
    if (option == "predict" && value == -1) text += "  (no limit)";
    out += row(option, text);
  }
  return out;
}

std::string model_text(const Dialogue& d) {
  const Instance& m = d.model();
  return row("model", fmt::format("{}, {} parameters", escaped_lines(m.name()), grouped(m.program().parameters()))) +
         row("context", fmt::format("{} of {} tokens used", grouped(d.held()), grouped(m.context()))) +
         row("turns", grouped(static_cast<int64_t>(d.turns().size())));
}

std::string system_text(const Dialogue& d) {
  return d.system().empty() ? "There is no system prompt.\n" : escaped_lines(d.system()) + "\n";
}

std::string template_text(const Dialogue& d) {
  auto* t = d.model().chat_template();
  return t ? escaped_lines(t->source()) + "\n" : "The model has no chat template: it goes on with the text.\n";
}

std::string turns_text(const Dialogue& d) {
  std::string out;
  for (const Turn& t : d.turns()) out += fmt::format("{}: {}\n", t.role, escaped_lines(t.content));
  return out.empty() ? "Nothing has been said yet.\n" : out;
}

std::string overview_text(const Dialogue& d) {
  std::string out = model_text(d);
  if (!d.system().empty()) out += row("system", escaped_lines(d.system()));
  return out + settings_text(d);
}

struct Show {
  const char* name;
  std::string (*text)(const Dialogue&);
};
constexpr Show shows[] = {{"model", model_text},
                          {"settings", settings_text},
                          {"system", system_text},
                          {"template", template_text},
                          {"turns", turns_text}};

// What was probably meant by a word, and what there is.
[[noreturn]] void unknown(std::string_view what, std::string_view word, const std::vector<std::string>& names,
                          std::string_view there_are) {
  std::string meant = likely_meant(word, names);
  fail(ExitCode::usage, "unknown_command", "There is no {}{} ({})", what,
       meant.empty() ? "" : fmt::format("; did you mean {}?", meant), there_are);
}

// --- the commands --------------------------------------------------------------------------------------------------

ChatStep show(std::string_view words, Chat& chat) {
  std::string_view what = take_word(words);
  if (what.empty()) return write_out(overview_text(chat.dialogue)), ChatStep::read_on;
  std::vector<std::string> names;
  for (const Show& s : shows) {
    if (what == s.name) return write_out(s.text(chat.dialogue)), ChatStep::read_on;
    names.emplace_back(s.name);
  }
  unknown(fmt::format("/show {}", what), what, names, fmt::format("there are {}", fmt::join(names, ", ")));
}

// "temp 0.2": the option as it is now.
void show_setting(const Dialogue& d, std::string_view name) {
  std::string key(name);
  std::ranges::replace(key, '-', '_');
  auto value = answer_options_json(d.options().generate)[key];
  write_out(fmt::format("{} {}\n", name, value.is_null() ? "off" : value.dump()));
}

ChatStep set(std::string_view words, Chat& chat) {
  std::string_view name = take_word(words);
  if (name == "parameter") name = take_word(words);
  if (name.empty()) return write_out(settings_text(chat.dialogue)), ChatStep::read_on;
  if (name == "system") {
    chat.dialogue.set_system(std::string(words));
    write_out(words.empty() ? "There is no system prompt now.\n" : "The system prompt is set.\n");
  } else if (name == "quiet" || name == "verbose") {
    chat.quiet = name == "quiet";
  } else {
    chat.dialogue.set_option(name, std::string(words));
    show_setting(chat.dialogue, name);
  }
  return ChatStep::read_on;
}

ChatStep unset(std::string_view words, Chat& chat) {
  std::string_view name = take_word(words);
  if (name == "parameter") name = take_word(words);
  if (name == "system") return chat.dialogue.set_system(""), ChatStep::read_on;
  chat.dialogue.unset_option(name);
  show_setting(chat.dialogue, name);
  return ChatStep::read_on;
}

// A path as a shell would understand it, as far as '~/' goes.
std::string path_of(std::string_view command, std::string_view words) {
  if (words.empty()) fail(ExitCode::usage, "no_file", "{} needs the name of a file: {} chat.json", command, command);
  const char* home = std::getenv("HOME");
  return words.starts_with("~/") && home ? home + std::string(words.substr(1)) : std::string(words);
}

std::string turns_count(const Dialogue& d) {
  return fmt::format("{} {}", d.turns().size(), d.turns().size() == 1 ? "turn" : "turns");
}

ChatStep save(std::string_view words, Chat& chat) {
  std::string path = path_of("/save", words);
  save_chat(path, chat.dialogue.saved());
  write_out(fmt::format("{} saved in {}\n", turns_count(chat.dialogue), escaped_lines(path)));
  return ChatStep::read_on;
}

ChatStep load(std::string_view words, Chat& chat) {
  std::string path = path_of("/load", words);
  SavedChat saved = load_chat(path);
  try {
    chat.dialogue.resume(saved);
  } catch (const Error& e) { throw e.loading(path); }
  std::string other = saved.model == chat.dialogue.model().name()
                          ? ""
                          : fmt::format("; they were held with {}", escaped_lines(saved.model));
  write_out(fmt::format("{} loaded from {}{}\n", turns_count(chat.dialogue), escaped_lines(path), other));
  return ChatStep::read_on;
}

ChatStep help(std::string_view, Chat&);

struct Command {
  std::vector<std::string> names;  // the first is shown
  const char *arguments, *text;
  ChatStep (*run)(std::string_view words, Chat&);
};

const std::vector<Command>& commands() {
  static const std::vector<Command> all = {
      {{"/help", "/?"}, "", "this list", help},
      {{"/set"}, "system TEXT", "another system prompt, from the next answer on", set},
      {{"/set"}, "NAME VALUE", "an option of sampling: temp 0.2, top-k 40, seed 7, ...", set},
      {{"/set"}, "quiet|verbose", "whether a line about speed follows an answer", set},
      {{"/unset"}, "NAME", "the option as it was at first", unset},
      {{"/show"}, "[WHAT]", "model, settings, system, template or turns", show},
      {{"/regenerate", "/retry"},
       "",
       "the last answer again, with the next seed",
       [](std::string_view, Chat&) { return ChatStep::answer_again; }},
      {{"/save"}, "FILE", "keep the conversation, and what the next answer depends on", save},
      {{"/load"}, "FILE", "go on with a saved one", load},
      {{"/clear"},
       "",
       "begin a new conversation",
       [](std::string_view, Chat& chat) { return chat.dialogue.clear(), ChatStep::read_on; }},
      {{"/bye", "/exit"}, "", "leave (or Ctrl-D)", [](std::string_view, Chat&) { return ChatStep::leave; }},
  };
  return all;
}

ChatStep help(std::string_view, Chat&) {
  std::string out;
  for (const Command& c : commands())
    out += fmt::format("  {:<24}{}\n", fmt::format("{} {}", fmt::join(c.names, ", "), c.arguments), c.text);
  out += fmt::format("  {:<24}{}\n  {:<24}{}\n", "\"\"\" ... \"\"\"",
                     "a message of several lines, or one that begins with /", "Ctrl-C", "stop an answer");
  return write_out(out), ChatStep::read_on;
}

}  // namespace

ChatStep run_chat_command(std::string_view line, Chat& chat) {
  std::string_view words = line, name = take_word(words);
  std::vector<std::string> names;
  for (const Command& c : commands()) {
    if (std::ranges::find(c.names, name) != c.names.end()) return c.run(words, chat);
    names.insert(names.end(), c.names.begin(), c.names.end());
  }
  unknown(fmt::format("command {}", name), name, names, "/help lists them");
}

}  // namespace ridgeline
