#include "cli/completion.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.h"
#include "hub/reference.h"
#include "models/catalogue.h"

namespace ridgeline {
namespace {

std::vector<std::string> catalogue_names() {
  std::vector<std::string> names;
  for (const auto& e : catalogue()) names.emplace_back(e.name);
  return names;
}
std::vector<std::string> published_names() {
  std::vector<std::string> names;
  for (const auto& m : published_models()) names.emplace_back(m.name);
  return names;
}

// "{md,csv}" in a type's name, as CLI::IsMember writes it.
std::vector<std::string> members(const std::string& type) {
  std::vector<std::string> list;
  size_t open = type.find('{'), close = type.find('}', open);
  if (open == type.npos || close == type.npos) return list;
  for (size_t at = open + 1; at < close;) {
    size_t end = std::min(type.find(',', at), close);
    list.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

// By the word that the help shows in the argument's place.
CompletionValues values_of(const CLI::Option& option, const std::string& command) {
  std::string word = option.get_option_text().substr(0, option.get_option_text().find(' '));
  bool shapes = command == "explain" || command == "synth";
  if (word == "FILE") return {true, {}};
  if (word == "MODEL") return {command != "pull", shapes ? catalogue_names() : published_names()};
  if (word == "NAME" && shapes) return {false, catalogue_names()};
  return {false, members(option.get_type_name())};
}

CompletionCommand command_of(const CLI::App& app) {
  CompletionCommand command{app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) {
      auto values = values_of(*option, command.name);
      command.values.files = command.values.files || values.files;
      command.values.words.insert(command.values.words.end(), values.words.begin(), values.words.end());
    } else if (!option->get_group().empty()) {
      CompletionOption o{
          {}, option->get_description(), option->get_items_expected_max() > 0, values_of(*option, command.name)};
      for (const auto& name : option->get_snames()) o.names.push_back("-" + name);
      for (const auto& name : option->get_lnames()) o.names.push_back("--" + name);
      command.options.push_back(std::move(o));
    }
  }
  return command;
}

std::string option_words(const CompletionCommand& c) {
  std::vector<std::string> all;
  for (const auto& o : c.options) all.insert(all.end(), o.names.begin(), o.names.end());
  return fmt::format("{}", fmt::join(all, " "));
}

// --- bash ----------------------------------------------------------------------------------------------------------

std::string bash_values(const CompletionValues& v) {
  std::vector<std::string> steps;
  if (!v.words.empty()) steps.push_back(fmt::format("_ridgeline_words '{}'", fmt::join(v.words, " ")));
  if (v.files) steps.push_back("_ridgeline_files");
  return steps.empty() ? ":" : fmt::format("{}", fmt::join(steps, "; "));
}

std::string bash_script(const std::vector<CompletionCommand>& commands) {
  std::string names = fmt::format("{}", fmt::join(commands.front().values.words, "|"));
  std::string out =
      "# bash completion for ridgeline: made by `ridgeline --completion bash`\n"
      "_ridgeline_words() { COMPREPLY+=($(compgen -W \"$1\" -- \"$cur\")); }\n"
      "_ridgeline_files() {\n"
      "  local file\n"
      "  compopt -o filenames 2>/dev/null\n"
      "  while IFS= read -r file; do COMPREPLY+=(\"$file\"); done < <(compgen -f -- \"$cur\")\n"
      "}\n"
      "_ridgeline() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command= i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n";
  out += fmt::format("    case ${{COMP_WORDS[i]}} in {}) command=${{COMP_WORDS[i]}}; break ;; esac\n  done\n", names);
  out += "  case $command in\n";
  for (size_t n = 0; n < commands.size(); ++n) {
    const auto& c = commands[n];
    out += fmt::format("    {})\n      case $prev in\n", n ? c.name : "''");
    for (const auto& o : c.options)
      if (o.takes_value)
        out += fmt::format("        {}) {}; return ;;\n", fmt::join(o.names, "|"), bash_values(o.values));
    out += fmt::format("      esac\n      [[ $cur == -* ]] && {{ _ridgeline_words '{}'; return; }}\n", option_words(c));
    out += fmt::format("      {} ;;\n", bash_values(c.values));
  }
  return out + "  esac\n}\ncomplete -F _ridgeline ridgeline\n";
}

// --- zsh -----------------------------------------------------------------------------------------------------------

// Inside single quotes and an _arguments specification, where brackets and colons end a part.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}
std::string zsh_action(const CompletionValues& v) {
  std::string words = v.words.empty() ? "" : fmt::format("compadd -- {}", fmt::join(v.words, " "));
  if (words.empty()) return v.files ? "_files" : " ";
  return v.files ? fmt::format("{{ {}; _files }}", words) : fmt::format("{{ {} }}", words);
}

void zsh_arguments(const CompletionCommand& c, std::string_view indent, std::string& out) {
  for (const auto& o : c.options)
    for (const auto& name : o.names) {
      out += fmt::format(" \\\n{}'{}[{}]", indent, name, zsh_text(o.help));
      out += o.takes_value ? fmt::format(":value:{}'", zsh_action(o.values)) : "'";
    }
}

std::string zsh_script(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "#compdef ridgeline\n# zsh completion for ridgeline: made by `ridgeline --completion zsh`\n"
      "_ridgeline() {\n  local -a commands\n  local context state state_descr line\n  typeset -A opt_args\n  "
      "commands=(\n";
  for (size_t n = 1; n < commands.size(); ++n)
    out += fmt::format("    '{}:{}'\n", commands[n].name, zsh_text(commands[n].help));
  out += "  )\n  _arguments -C";
  zsh_arguments(commands.front(), "    ", out);
  out += " \\\n    '1:command:->command' '*::argument:->argument'\n";
  out += "  case $state in\n    command) _describe command commands ;;\n    argument)\n      case $line[1] in\n";
  for (size_t n = 1; n < commands.size(); ++n) {
    out += fmt::format("        {})\n          _arguments", commands[n].name);
    zsh_arguments(commands[n], "            ", out);
    out += fmt::format(" \\\n            '*:argument:{}' ;;\n", zsh_action(commands[n].values));
  }
  return out +
         "      esac ;;\n  esac\n}\n"
         "if [[ $funcstack[1] == _ridgeline ]]; then _ridgeline \"$@\"; else compdef _ridgeline ridgeline; fi\n";
}

// --- fish ----------------------------------------------------------------------------------------------------------

std::string fish_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}
std::string fish_values(const CompletionValues& v) {
  std::string out = v.files ? " -F" : " -f";
  if (!v.words.empty()) out += fmt::format(" -a '{}'", fmt::join(v.words, " "));
  return out;
}

std::string fish_script(const std::vector<CompletionCommand>& commands) {
  std::string out =
      "# fish completion for ridgeline: made by `ridgeline --completion fish`\ncomplete -c ridgeline -f\n";
  for (size_t n = 0; n < commands.size(); ++n) {
    const auto& c = commands[n];
    std::string when = n ? fmt::format("__fish_seen_subcommand_from {}", c.name) : "__fish_use_subcommand";
    if (n) {
      out +=
          fmt::format("complete -c ridgeline -n __fish_use_subcommand -f -a {} -d '{}'\n", c.name, fish_text(c.help));
      out += fmt::format("complete -c ridgeline -n '{}'{}\n", when, fish_values(c.values));
    }
    for (const auto& o : c.options) {
      out += fmt::format("complete -c ridgeline -n '{}'", when);
      for (const auto& name : o.names)
        out += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (o.takes_value) out += " -r" + fish_values(o.values);
      out += fmt::format(" -d '{}'\n", fish_text(o.help));
    }
  }
  return out;
}

}  // namespace

std::vector<CompletionCommand> completion_commands(const CLI::App& app) {
  std::vector<CompletionCommand> commands = {command_of(app)};
  for (const CLI::App* command : app.get_subcommands({})) {
    commands.front().values.words.push_back(command->get_name());
    commands.push_back(command_of(*command));
  }
  return commands;
}

std::string completion_script(const CLI::App& app, std::string_view shell) {
  auto commands = completion_commands(app);
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  fail(ExitCode::usage, "unknown_shell", "there is no completion for '{}'; there is for bash, zsh, fish", shell);
}

}  // namespace ridgeline
